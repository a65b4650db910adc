"""The styles that the draft network learns from, each known by its statistics and by its places.

Every style picture is measured in several variants (scale, part, colours) before training, once:
a step costs no pass over a style.
Photographs in strange colours count as styles too; they make few paintings go a long way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from models.draft.network import encoded
from models.draft.style_code import STYLE_LAYERS, LayerMoments, Moments, layer_moments
from models.encoders import MIN_SIDE_PX, Encoder
from models.tensors.images import scaled
from models.tensors.noise import seeded
from models.training.draft.loss_networks import LossNetworks

LONG_SIDE_PX = 384
"""At which size a style picture's statistics are taken, at the usual brush."""
_SMALLEST_PX, _LARGEST_PX = 256, 576
PLACES = 2048
"""So many places of each style picture are kept, usually: 4 MB."""


@dataclass(frozen=True, slots=True)
class Styles:
    """A batch of styles as the network and the loss see them."""

    colors: Moments
    seen: LayerMoments
    """By our encoder, of half the size: what the style coder reads."""
    wanted: LayerMoments
    """By the loss's networks, for all of `LossNetworks.views`: what the painting should have."""
    columns: dict[str, Tensor]
    """By `LossNetworks.columns`: what places of the painting should look like."""

    def pick(self, rows: Tensor) -> Styles:
        """Some of the styles, by their numbers."""
        return self._each(
            lambda moments: Moments(moments.mean[rows], moments.product[rows]),
            lambda _, columns: columns[rows],
        )

    def mixed(self, other: Styles, share: Tensor) -> Styles:
        """As if each picture were made of two parts, `share` (N,) of it from `other`."""
        both = iter(other.all())

        def mix(mine: Moments) -> Moments:
            theirs = next(both)
            return Moments(
                torch.lerp(mine.mean, theirs.mean, share[:, None]),
                torch.lerp(mine.product, theirs.product, share[:, None, None]),
            )

        def part(name: str, mine: Tensor) -> Tensor:
            # In random order, so the first ones are as good as any.
            theirs = (
                torch.arange(mine.shape[1], device=mine.device) < share[:, None] * mine.shape[1]
            )
            return torch.where(theirs[:, :, None], other.columns[name], mine)

        return self._each(mix, part)

    def all(self) -> list[Moments]:
        """All moments in a fixed order, as `_each` goes."""
        return [self.colors, *self.seen.values(), *self.wanted.values()]

    def to(self, device: torch.device) -> Styles:
        """The same on `device`."""
        return self._each(
            lambda m: Moments(m.mean.to(device), m.product.to(device)), lambda _, c: c.to(device)
        )

    def _each(
        self, change: Callable[[Moments], Moments], change_columns: Callable[[str, Tensor], Tensor]
    ) -> Styles:
        return Styles(
            change(self.colors),
            {name: change(moments) for name, moments in self.seen.items()},
            {name: change(moments) for name, moments in self.wanted.items()},
            {name: change_columns(name, columns) for name, columns in self.columns.items()},
        )

    def __len__(self) -> int:
        return len(self.colors.mean)

    @classmethod
    def cat(cls, parts: Sequence[Styles]) -> Styles:
        """One batch of many."""
        moments = (Moments.cat(rows) for rows in zip(*(part.all() for part in parts), strict=True))
        return parts[0]._each(
            lambda _: next(moments),
            lambda name, _: torch.cat([part.columns[name] for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class StyleBank:
    """All styles of a training: paintings as they are, their variants, photos, presets."""

    styles: Styles
    paintings: int
    """So many at the beginning are paintings as they are."""
    presets: int = 0
    """So many at the end are presets."""

    def draw(self, count: int, shares: Shares, random: torch.Generator) -> Drawn:
        """`count` styles, some of them as they are, some of them mixed of two."""
        one, other = torch.randint(len(self.styles), (2, count), generator=random)
        dice = torch.rand(3, count, generator=random)
        one = torch.where(dice[0] < shares.plain, one % self.paintings, one)
        is_preset = dice[1] < shares.presets * bool(self.presets)
        preset = torch.where(is_preset, one % max(1, self.presets), -1)
        one = torch.where(is_preset, self._first_preset + preset, one)
        share = torch.rand(count, generator=random) * (dice[2] < shares.mixed) * ~is_preset
        device = self.styles.colors.mean.device
        mixed = self.styles.pick(other.to(device))
        styles = self.styles.pick(one.to(device)).mixed(mixed, share.to(device))
        return Drawn(styles, preset.to(device))

    def preset_styles(self) -> Styles:
        """The presets alone, in their order."""
        return self.styles.pick(torch.arange(self._first_preset, len(self.styles)))

    @property
    def _first_preset(self) -> int:
        return len(self.styles) - self.presets


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn for a batch."""

    styles: Styles
    preset: Tensor
    """(N,) which preset each one is; -1 for other styles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Which styles are drawn how often."""

    presets: float = 0.45
    """Presets: most people choose one of those."""
    plain: float = 0.5
    """Of the others: paintings as they are, without strange colours or scales."""
    mixed: float = 0.15
    """Styles that are made of two."""


@torch.no_grad()
def measure(
    images: Tensor, encoder: Encoder, loss_networks: LossNetworks, *, places: int = PLACES
) -> Styles:
    """Style images (N, 3, H, W; RGB, 0-1) by their statistics and so many `places` of each."""
    seen = layer_moments(encoded(encoder, images, STYLE_LAYERS))
    columns = loss_networks.columns(images, places)
    return Styles(Moments.of(images), seen, loss_networks.moments(images), columns)


def build_bank(
    paintings: Sequence[Tensor],
    photos: Sequence[Tensor],
    encoder: Encoder,
    loss_networks: LossNetworks,
    *,
    variants: int,
    seed: int,
    presets: Sequence[Tensor] = (),
    places: int = PLACES,
) -> StyleBank:
    """Measure `variants` of every painting, and `photos` ((3, H, W) uint8 each).

    `presets` are measured as they are, (1, 3, H, W), RGB, 0-1 each: scale and palette are what they
    are chosen for. `encoder` is our own. A painting's first variant is the picture as it is.
    """
    random = seeded(seed)
    device = encoder.mean.device
    measured: list[Styles] = []
    jobs = [(picture, variant) for variant in range(variants) for picture in paintings]
    jobs += [(picture, variants) for picture in photos]
    for picture, variant in tqdm(jobs, desc="styles"):
        style = picture[None].float().to(device) / 255
        style = (
            scaled(style, LONG_SIDE_PX, min_side_px=MIN_SIDE_PX, mode="bilinear")
            if variant == 0
            else _variant(style, random)
        )
        measured.append(measure(style, encoder, loss_networks, places=places))
    measured += [
        measure(preset.to(device), encoder, loss_networks, places=places) for preset in presets
    ]
    return StyleBank(Styles.cat(measured), len(paintings), len(presets))


def _variant(image: Tensor, random: torch.Generator) -> Tensor:
    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    height, width = image.shape[-2:]
    rows, columns = round(height * uniform(0.6, 1)), round(width * uniform(0.6, 1))
    top, left = round(uniform(0, height - rows)), round(uniform(0, width - columns))
    part = image[..., top : top + rows, left : left + columns]
    long_side = _SMALLEST_PX * (_LARGEST_PX / _SMALLEST_PX) ** uniform(0, 1)
    part = scaled(part, round(long_side), min_side_px=MIN_SIDE_PX, mode="bilinear")
    return _strange_colors(part, random) if uniform(0, 1) < 0.6 else part


def _strange_colors(image: Tensor, random: torch.Generator) -> Tensor:
    """The channels in another order, some of them inverted, with another contrast."""
    order = torch.randperm(3, generator=random).to(image.device)
    turned = image[:, order]
    inverted = torch.rand(3, generator=random) < (
        0.25 if torch.rand((), generator=random) < 0.5 else 0
    )
    inverted = inverted.to(image.device).view(1, 3, 1, 1)
    turned = torch.where(inverted, 1 - turned, turned)
    gamma = 2 ** (torch.rand(3, generator=random) * 1.4 - 0.7)
    return turned.clamp_min(1e-4) ** gamma.to(image.device).view(1, 3, 1, 1)
