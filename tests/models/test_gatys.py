"""Painting by optimisation: the objective, its gradient in tiles, the walk through the scales."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch
from torch import Tensor

from models.encoders import Encoder, vgg_modules
from models.gatys import (
    DivergedError,
    Objective,
    Recipe,
    Stage,
    measure_grams,
    mix_grams,
    optimise,
)
from models.images import image_size
from tests.models.tiny import WIDTHS, random_image, tiny_encoder

LAYERS = tuple(Recipe().style_weights)


def _stage(encoder: Encoder, size: tuple[int, int], steps: int) -> Stage:
    return Stage(size, steps, measure_grams(encoder, random_image(*size, seed=7), LAYERS))


def _gradient(encoder: Encoder, image: Tensor, *, tile_pixels: int) -> tuple[float, Tensor]:
    style = measure_grams(encoder, random_image(200, 200, seed=7), LAYERS)
    content = random_image(*image_size(image), seed=3)
    objective = Objective(encoder, content, style, Recipe(), tile_pixels=tile_pixels)
    image = image.clone().requires_grad_()
    loss = objective.backward(image)
    assert image.grad is not None
    return loss, image.grad


def test_the_gradient_in_tiles_is_that_of_the_whole() -> None:
    encoder = tiny_encoder()
    image = random_image(330, 410)
    whole_loss, whole = _gradient(encoder, image, tile_pixels=10**9)
    tiled_loss, tiled = _gradient(encoder, image, tile_pixels=200 * 200)
    assert tiled_loss == pytest.approx(whole_loss, rel=0.01)
    assert torch.cosine_similarity(whole.flatten(), tiled.flatten(), dim=0) > 0.999
    assert (whole - tiled).norm() < 0.02 * whole.norm()


def test_the_gradient_points_uphill() -> None:
    encoder = tiny_encoder()
    style = measure_grams(encoder, random_image(64, 64, seed=7), LAYERS)
    objective = Objective(encoder, random_image(48, 64, seed=3), style, Recipe())
    image = random_image(48, 64).requires_grad_()
    loss = objective.backward(image)
    assert image.grad is not None
    step = 1e-2 * image.grad / image.grad.norm()
    nudged = (image.detach() - step).requires_grad_()
    expected = float((step * image.grad).sum())
    assert loss - objective.backward(nudged) == pytest.approx(expected, rel=0.1)


def test_a_picture_in_its_own_style_is_at_rest() -> None:
    encoder = tiny_encoder()
    image = torch.full((1, 3, 48, 64), 0.4)
    style = measure_grams(encoder, image, LAYERS)
    objective = Objective(encoder, image, style, Recipe())
    assert objective.backward(image.clone().requires_grad_()) == pytest.approx(0, abs=1e-6)


def test_mixing_targets_by_hand() -> None:
    one, three = {"relu1_1": torch.ones(1, 2, 2)}, {"relu1_1": 3 * torch.ones(1, 2, 2)}
    assert mix_grams([(one, 3.0), (three, 1.0)])["relu1_1"].tolist() == [[[1.5, 1.5], [1.5, 1.5]]]


def test_the_walk_lowers_the_loss_and_ends_at_full_size() -> None:
    encoder = tiny_encoder()
    content = random_image(48, 64)
    stages = [_stage(encoder, (24, 32), 8), _stage(encoder, (48, 64), 12)]
    steps = list(optimise(encoder, content, stages, Recipe(), initial=content))
    assert len(steps) == 20
    for losses in ([step.loss for step in steps[:8]], [step.loss for step in steps[8:]]):
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] < losses[0]
    shares = [step.share_done for step in steps]
    assert shares == sorted(shares)
    assert shares[7] == pytest.approx(8 / (8 + 4 * 12))
    assert shares[-1] == 1
    assert image_size(steps[0].image) == (24, 32)
    assert image_size(steps[-1].image) == (48, 64)
    assert 0 <= steps[-1].image.min() <= steps[-1].image.max() <= 1


def test_every_step_leaves_a_picture_of_its_own() -> None:
    encoder = tiny_encoder()
    content = random_image(32, 32)
    steps = optimise(encoder, content, [_stage(encoder, (32, 32), 3)], Recipe(), initial=content)
    first = next(steps).image
    kept = first.clone()
    next(steps)
    assert torch.equal(first, kept)


class _EncoderThatBreaks(Encoder):
    """Its activations overflow after a number of passes, as half precision's do."""

    def __init__(self, *, passes: int) -> None:
        super().__init__(vgg_modules(WIDTHS))
        self.load_state_dict(tiny_encoder().state_dict())
        self.requires_grad_(False)
        self._passes = passes

    def forward(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        found = super().forward(image, layers)
        self._passes -= 1
        scale = 1.0 if self._passes >= 0 else float("inf")
        return {name: activations * scale for name, activations in found.items()}


def test_what_is_no_number_ends_the_walk_with_the_last_picture_good() -> None:
    style = measure_grams(tiny_encoder(), random_image(32, 32, seed=7), LAYERS)
    content = random_image(32, 32)
    encoder = _EncoderThatBreaks(passes=4)  # one for the content's target, three steps
    steps = optimise(encoder, content, [Stage((32, 32), 9, style)], Recipe(), initial=content)
    seen = [next(steps) for _ in range(3)]
    with pytest.raises(DivergedError):
        next(steps)
    assert seen[-1].image.isfinite().all()
