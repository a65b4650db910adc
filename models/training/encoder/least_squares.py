"""A student network that starts nearly finished: each layer by least squares from its teacher.

For each convolution the teacher's channels that best explain all of them are chosen greedily, then
a ridge regression goes from the student's own activations (3x3 patches) to those channels'
pre-activations, and the layer is scaled to unit deviation before the next one is solved. The idea
is that of He, Zhang & Sun, "Channel Pruning for Accelerating Very Deep Neural Networks" (2017).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from models.encoders import Encoder
from models.tensors.noise import seeded

RIDGE = 1e-3
"""Regularisation relative to the mean square of the inputs."""
_SILENT = 0.05
"""Deviations below this share of the layer's mean count as this share of it."""
_CHUNK = 8


class Positions:
    """The same random positions of every crop, whichever network's map they are read from."""

    def __init__(self, *, crops: int, total: int, seed: int) -> None:
        """About `total` positions over `crops` pictures; all of a map that has fewer."""
        self._per_crop = max(1, total // crops)
        self._seed = seed

    def of(self, height: int, width: int, crop: int) -> Tensor:
        """Flat indices into a (height, width) map of the given crop."""
        random = seeded(self._seed + crop)
        return torch.randperm(height * width, generator=random)[: self._per_crop]


def sample(
    activations: Tensor, positions: Positions, *, first_crop: int = 0, kernel: int = 1
) -> Tensor:
    """Patches of `activations` (N, C, H, W) at the positions: (samples, C * kernel * kernel)."""
    height, width = activations.shape[-2:]
    rows = []
    for crop, activation in enumerate(activations, first_crop):
        patches = _patches(activation[None], kernel)[0]
        rows.append(patches[:, positions.of(height, width, crop)].T)
    return torch.cat(rows)


def _patches(activation: Tensor, kernel: int) -> Tensor:
    if kernel == 1:
        return activation.flatten(2)
    mode = "reflect" if min(activation.shape[-2:]) > 1 else "replicate"
    return F.unfold(F.pad(activation, (1, 1, 1, 1), mode=mode), kernel)


def ridge(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Least squares with an intercept from (S, I) to (S, O): weights (O, I) and biases (O,)."""
    input_mean, target_mean = inputs.mean(0), targets.mean(0)
    centred = inputs - input_mean
    gram = (centred.T @ centred).double() / len(inputs)
    cross = (centred.T @ (targets - target_mean)).double() / len(inputs)
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), device=gram.device)
    weights = torch.linalg.solve(gram, cross).T.to(inputs.dtype)
    return weights, target_mean - weights @ input_mean


def choose_channels(activations: Tensor, count: int) -> Tensor:
    """Indices of the `count` columns of (S, C) that together explain most of the variance of all.

    Greedy, one column after the other, what it explains taken out of the covariance each time.
    If there are no more than `count` columns, all are taken, the first ones repeatedly.
    """
    if activations.shape[1] <= count:
        return torch.arange(count) % activations.shape[1]
    left = torch.cov(activations.T).double()
    floor = 1e-9 * left.diagonal().mean()
    chosen: list[int] = []
    for _ in range(count):
        gain = left.square().sum(0) / (left.diagonal() + floor)
        gain[chosen] = -1
        best = int(gain.argmax())
        left = left - torch.outer(left[best], left[best]) / (left[best, best] + floor)
        chosen.append(best)
    return torch.tensor(chosen)


@torch.no_grad()
def teacher_samples(
    teacher: Encoder, images: Tensor, positions: Positions, *, convolutions: Collection[str]
) -> dict[str, Tensor]:
    """Pre-activations (samples, C) of `teacher`'s `convolutions`, by name.

    `images` (N, 3, H, W; 0-1); nothing beyond the deepest of the convolutions is computed.
    """
    found: dict[str, list[Tensor]] = {}
    for start in range(0, len(images), _CHUNK):
        left = set(convolutions)
        for name, output in _walk(teacher, images[start : start + _CHUNK]):
            if name in left:
                part = sample(output, positions, first_crop=start)
                found.setdefault(name, []).append(part)
                left.remove(name)
            if not left:
                break
    return {name: torch.cat(parts) for name, parts in found.items()}


def _walk(encoder: Encoder, images: Tensor) -> Iterator[tuple[str, Tensor]]:
    activation = (images - encoder.mean) / encoder.std
    for name, module in encoder.stack.named_children():
        activation = module(activation)
        yield name, activation


@torch.no_grad()
def initialise(
    student: Encoder,
    targets: Mapping[str, Tensor],
    images: Tensor,
    positions: Positions,
    *,
    known: Collection[str] = (),
) -> dict[str, nn.Conv2d]:
    """Solve the student's convolutions one after the other, in place, but for the `known` ones.

    `targets`: pre-activations of the teacher by the student's convolution names, sampled at
    `positions` of `images` (N, 3, H, W; 0-1). Returns 1x1 maps from each of the student's ReLU
    layers to the teacher's, by the ReLU's name.
    """
    maps: dict[str, nn.Conv2d] = {}
    activations = (images - student.mean) / student.std
    for name, module in tqdm(list(student.stack.named_children()), desc="least squares"):
        if isinstance(module, nn.Conv2d):
            layer, target = name.replace("conv", "relu"), targets[name]
            if name in known:
                activations = _applied(module, activations).relu_()
            else:
                _solve(module, activations, target, positions)
                activations = _to_unit_deviation(module, _applied(module, activations).relu_())
            maps[layer] = _map(sample(activations, positions), target.relu())
        elif isinstance(module, nn.MaxPool2d):
            activations = _applied(module, activations)
    return maps


def _applied(module: nn.Module, activations: Tensor) -> Tensor:
    return torch.cat([module(part) for part in torch.split(activations, _CHUNK)])


def _solve(
    convolution: nn.Conv2d, activations: Tensor, target: Tensor, positions: Positions
) -> None:
    channels = choose_channels(target.relu(), convolution.out_channels)
    weights, intercepts = ridge(sample(activations, positions, kernel=3), target[:, channels])
    convolution.weight.copy_(weights.view_as(convolution.weight))
    biases(convolution).copy_(intercepts)


def _to_unit_deviation(convolution: nn.Conv2d, activations: Tensor) -> Tensor:
    deviations = activations.std((0, 2, 3))
    # A channel that is nearly always 0 must not become the largest one.
    deviations = deviations.clamp_min(_SILENT * float(deviations.mean()))
    convolution.weight /= deviations[:, None, None, None]
    biases(convolution).div_(deviations)
    return activations / deviations[:, None, None]


def _map(inputs: Tensor, target: Tensor) -> nn.Conv2d:
    weights, intercepts = ridge(inputs, target)
    result = nn.Conv2d(inputs.shape[1], target.shape[1], kernel_size=1)
    result.weight.copy_(weights[:, :, None, None])
    biases(result).copy_(intercepts)
    return result


def biases(convolution: nn.Conv2d) -> Tensor:
    """The biases, which a convolution of this project always has."""
    if convolution.bias is None:
        raise TypeError("a convolution without biases can't be fitted")
    return convolution.bias
