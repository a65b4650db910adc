"""The whole walk from a photo to a painting, with an encoder of test size."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.encoders import Encoder
from models.neighbours.objective import DivergedError
from models.neighbours.paint import Step, paint
from models.neighbours.recipe import Recipe
from models.neighbours.scale import PaintOptions, Scale
from models.neighbours.style import StylePool, pool, sample_style
from models.tensors.images import Size, image_size, resize
from models.tensors.tiles import tiles_for
from tests.models.tiny_encoder import random_image, tiny_encoder

RECIPE = Recipe()
COARSE, FINE = (36, 48), (72, 96)


def _scene(height: int = 72, width: int = 96, *, seed: int = 0) -> Tensor:
    """Broad forms and a little grain: what photos are made of, in no picture file."""
    forms = F.interpolate(random_image(5, 6, seed=seed), (height, width), mode="bicubic")
    return (forms + 0.1 * (random_image(height, width, seed=seed + 1) - 0.5)).clamp(0, 1)


def _stripes(height: int = 80, width: int = 80, *, period: int = 8) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    light = ((rows + columns) // (period // 2) % 2)[None, None].float()
    one, two = (torch.tensor(c).view(1, 3, 1, 1) for c in ((0.9, 0.6, 0.1), (0.1, 0.2, 0.5)))
    return light * one + (1 - light) * two


def _pool(*styles: Tensor, weights: tuple[float, ...] = (1,)) -> StylePool:
    parts = [sample_style(tiny_encoder(), style, samples=500, seed=0) for style in styles]
    return pool(parts, weights)


def _scales(style: StylePool, *, steps: int = 3, last_pass: int = 2) -> list[Scale]:
    return [Scale(COARSE, steps, style), Scale(FINE, steps, style, last_pass)]


def _paint(
    photo: Tensor,
    scales: list[Scale],
    recipe: Recipe = RECIPE,
    options: PaintOptions | None = None,
    *,
    tile_pixels: int = 10**9,
    encoder: Encoder | None = None,
) -> list[Step]:
    walk = paint(
        encoder or tiny_encoder(),
        photo,
        scales,
        recipe,
        options or PaintOptions(),
        tile_pixels=tile_pixels,
    )
    return list(walk)


def _difference(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().mean())


def test_every_step_is_reported_at_its_scale() -> None:
    steps = _paint(_scene(), _scales(_pool(_stripes())))
    assert [image_size(step.image) for step in steps] == [COARSE] * 3 + [FINE] * 5
    # A step on the fine scale looks at four times the pixels.
    done = [step.share_done for step in steps]
    assert done == pytest.approx([n / 23 for n in (1, 2, 3, 7, 11, 15, 19, 23)])
    assert done[-1] == 1
    for step in steps:
        assert 0 <= step.image.min() < step.image.max() <= 1
        assert not step.image.requires_grad


def test_every_step_has_a_picture_of_its_own() -> None:
    pictures, copies = [], []
    walk = paint(tiny_encoder(), _scene(), _scales(_pool(_stripes())), RECIPE, PaintOptions())
    for step in walk:
        pictures.append(step.image)
        copies.append(step.image.clone())
    assert all(torch.equal(one, copy) for one, copy in zip(pictures, copies, strict=True))
    assert len({picture.data_ptr() for picture in pictures}) == len(pictures)
    assert all(_difference(one, two) > 0 for one, two in pairwise(pictures[3:]))


@pytest.mark.parametrize("columns", [1.0, 0.0])
def test_losses_fall_within_a_scale(columns: float) -> None:
    recipe = replace(RECIPE, columns=columns)
    losses = [s.loss for s in _paint(_scene(), _scales(_pool(_stripes()), steps=8), recipe)]
    for scale in (losses[:8], losses[8:16]):
        assert scale[-1] < 0.9 * scale[0]
        assert scale[3] < scale[0]


def test_the_photo_and_the_style_are_left_as_they_are() -> None:
    photo, style = _scene(), _pool(_stripes())
    kept = photo.clone(), style.keys.clone(), style.patches.clone()
    _paint(photo, _scales(style))
    assert all(torch.equal(*p) for p in zip(kept, (photo, style.keys, style.patches), strict=True))


def test_the_same_for_a_seed_and_another_for_another() -> None:
    style = _pool(_stripes())

    def painted(seed: int) -> Tensor:
        return _paint(_scene(), _scales(style), options=PaintOptions(seed=seed))[-1].image

    first, again, *others = (painted(seed) for seed in (1, 1, 2, -1, 2**70))
    assert torch.equal(first, again)
    assert all(_difference(first, other) > 1e-3 for other in others)


def test_a_picture_in_its_own_style_stays_itself() -> None:
    """Every position finds itself, and the votes are all for what is there."""
    photo, other = _scene(), _stripes(72, 96)
    recipe = replace(RECIPE, alpha=1, noise=0)

    def painted(picture: Tensor) -> Tensor:
        scales = [
            Scale(size, 4, _pool(resize(picture, size).clamp(0, 1))) for size in (COARSE, FINE)
        ]
        return _paint(photo, scales, recipe)[-1].image

    assert _difference(painted(photo), photo) < 0.03
    assert _difference(painted(other), photo) > 0.15


def test_a_painting_has_the_style_s_colours() -> None:
    """Far from the photo's, which has neither of the two."""
    bold = replace(RECIPE, structure=0)
    painted = _paint(_scene(), _scales(_pool(_stripes()), steps=6), bold)[-1].image

    def off(image: Tensor) -> float:
        colors = [torch.tensor(c).view(1, 3, 1, 1) for c in ((0.9, 0.6, 0.1), (0.1, 0.2, 0.5))]
        return float(torch.stack([(image - c).norm(dim=1) for c in colors]).amin(0).mean())

    assert off(painted) < 0.8 * off(_scene())


def test_strength_leads_from_the_photo_to_the_style() -> None:
    photo, style = _scene(), _pool(_stripes())
    distances = [
        _difference(
            _paint(photo, _scales(style), options=PaintOptions(share=share))[-1].image, photo
        )
        for share in (0, 0.3, 0.6, 1)
    ]
    assert distances[0] < 0.03
    assert distances == sorted(distances)
    assert distances[3] > 0.1


def test_pieces_and_the_whole_look_alike() -> None:
    """So much so that what the seed changes is more."""
    photo, style = _scene(280, 300), _pool(_stripes())
    scales = [Scale((140, 150), 2, style), Scale((280, 300), 2, style, 1)]
    tile_pixels = 200 * 200
    assert len(tiles_for((140, 150), tile_pixels=tile_pixels)) == 1
    assert len(tiles_for((280, 300), tile_pixels=tile_pixels)) > 3
    whole, other = (_paint(photo, scales, options=PaintOptions(seed=s))[-1].image for s in (0, 1))
    pieces = _paint(photo, scales, tile_pixels=tile_pixels)[-1].image
    # Each piece draws its own noise for the search, so it is not the same picture.
    assert _difference(pieces, whole) < 1.2 * _difference(whole, other)
    smooth = [F.avg_pool2d(image, 20) for image in (pieces, whole)]
    assert _difference(*smooth) < 0.03


def test_gram_matrices_alone_start_from_the_photo() -> None:
    photo, style = _scene(), _pool(_stripes())
    steps = _paint(photo, _scales(style, steps=4), replace(RECIPE, columns=0, noise=0))
    assert len(steps) == 10
    assert _difference(steps[0].image, resize(photo, COARSE)) < 0.03
    assert _difference(steps[0].image, resize(photo, COARSE)) < _difference(steps[-1].image, photo)
    still = _paint(photo, _scales(style), replace(RECIPE, columns=0, gram=0, noise=0))
    assert _difference(still[-1].image, photo) < _difference(steps[-1].image, photo)


def _forms_off(painting: Tensor, photo: Tensor) -> Tensor:
    """How far the forms at each place are from the photo's: (h, w), whatever the colours."""
    found = []
    for image in (painting, photo):
        features = tiny_encoder()(image, ["relu3_3"])["relu3_3"]
        found.append(features - features.mean((2, 3), keepdim=True))
    return 1 - torch.cosine_similarity(*found)[0]


def test_what_is_to_be_kept_keeps_the_photo_s_forms() -> None:
    photo, style = _scene(), _pool(_stripes())
    keep = torch.zeros(1, 1, *FINE)
    keep[..., :48] = 1
    recipe = replace(RECIPE, structure=0.1, kept_structure=5, kept_share=1)
    scales = _scales(style, steps=15, last_pass=0)
    freely, kept = (
        _forms_off(_paint(photo, scales, recipe, options)[-1].image, photo)
        for options in (PaintOptions(), PaintOptions(keep=keep))
    )
    left, right = slice(0, 10), slice(14, 24)
    assert kept[:, left].mean() < 0.7 * freely[:, left].mean()
    assert kept[:, right].mean() > 0.8 * freely[:, right].mean()


def test_what_is_to_be_kept_keeps_some_of_the_photo_s_colours() -> None:
    photo, style = _scene(), _pool(_stripes())
    keep = torch.ones(1, 1, *FINE)
    options = {1.0: PaintOptions(), 0.8: PaintOptions(keep=keep), 0.4: PaintOptions(keep=keep)}
    distances = []
    for share, wish in options.items():
        recipe = replace(RECIPE, kept_share=share)
        steps = _paint(photo, _scales(style, steps=10), recipe, wish)
        distances.append(_difference(steps[-1].image, photo))
    assert distances == sorted(distances, reverse=True)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_what_lies_across_tiles_is_kept_like_in_the_whole(share: float) -> None:
    size, kept_px = (64, 520), slice(176, 272)
    photo, style = _scene(*size), _pool(_stripes())
    keep = torch.zeros(1, 1, *size)
    keep[..., kept_px] = 1
    scales = [Scale(size, 5, style)]
    # More than are kept from step to step, and a border in the middle of what is kept.
    tiles = tiles_for(size, tile_pixels=64 * 64)
    assert [tile.columns.core_stop for tile in tiles] == [112, 224, 336, 448, 520]
    recipe = replace(RECIPE, kept_share=0.3)

    def distance(kept: Tensor | None, tile_pixels: int) -> float:
        options = PaintOptions(keep=kept, share=share)
        painting = _paint(photo, scales, recipe, options, tile_pixels=tile_pixels)[-1].image
        return _difference(painting[..., 184:264], photo[..., 184:264])

    tiled, freely = (distance(kept, 64 * 64) for kept in (keep, None))
    whole = distance(keep, 10**9)
    assert tiled < 0.6 * freely
    assert tiled == pytest.approx(whole, rel=0.5)


def test_to_keep_nothing_is_to_paint_freely() -> None:
    photo, scales = _scene(), _scales(_pool(_stripes()))
    nothing = PaintOptions(keep=torch.zeros(1, 1, *FINE))
    freely, kept = (_paint(photo, scales, options=options) for options in (PaintOptions(), nothing))
    torch.testing.assert_close(freely[-1].image, kept[-1].image, atol=1e-3, rtol=0)


def test_a_mixture_shows_its_styles_by_their_weights() -> None:
    """A light one and a dark one: the mean light says who painted how much."""
    light, dark = 0.7 + 0.3 * random_image(64, 64), 0.3 * random_image(64, 64, seed=1)

    def brightness(*weights: float) -> float:
        scales = _scales(_pool(light, dark, weights=weights))
        return float(_paint(_scene(), scales, replace(RECIPE, gram=0))[-1].image.mean())

    found = [brightness(9, 1), brightness(1, 1), brightness(1, 9)]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(0.9 * 0.85 + 0.1 * 0.15, abs=0.12)
    assert found[1] == pytest.approx(0.5, abs=0.12)
    assert found[2] == pytest.approx(0.1 * 0.85 + 0.9 * 0.15, abs=0.12)


PLAIN = torch.full((1, 3, 64, 64), 0.4)
PHOTOS = {
    "scene": _scene(),
    "one colour": torch.full((1, 3, 72, 96), 0.7),
    "black": torch.zeros(1, 3, 72, 96),
    "noise": random_image(72, 96, seed=7),
}
STYLES = {
    "stripes": _stripes(),
    "one colour": PLAIN,
    "white": torch.ones(1, 3, 64, 64),
    "16 px": _stripes(16, 16),
    "20:1": _stripes(16, 320),
    "noise": random_image(64, 64, seed=8),
}


@pytest.mark.parametrize("columns", [1.0, 0.0])
@pytest.mark.parametrize(
    ("photo", "style"),
    [(p, "stripes") for p in PHOTOS] + [("scene", s) for s in STYLES] + [("black", "white")],
)
def test_odd_photos_and_styles_are_painted(photo: str, style: str, columns: float) -> None:
    recipe = replace(RECIPE, columns=columns, completeness=0.3)
    scales = _scales(_pool(STYLES[style]), steps=4, last_pass=3)
    for step in _paint(PHOTOS[photo], scales, recipe):
        assert step.image.isfinite().all()
        assert 0 <= step.image.min() <= step.image.max() <= 1
        assert abs(step.loss) < 1e4


@pytest.mark.parametrize("size", [(16, 16), (17, 33), (16, 320), (101, 67)])
def test_photos_of_any_size(size: Size) -> None:
    style = _pool(_stripes(), PLAIN, weights=(1, 2))
    keep = random_image(*size)[:, :1]
    steps = _paint(_scene(*size), [Scale(size, 2, style, 2)], options=PaintOptions(keep=keep))
    assert len(steps) == 4
    assert all(image_size(s.image) == size and s.image.isfinite().all() for s in steps)


def test_a_plain_style_makes_a_plain_picture() -> None:
    """The vote has its colour already; steps of full size would shake it off again."""
    painted = _paint(_scene(), _scales(_pool(PLAIN), steps=6), replace(RECIPE, structure=0))
    assert _difference(painted[-1].image, torch.full((1, 3, *FINE), 0.4)) < 0.07


def test_scales_and_passes_of_no_steps_are_gone_through() -> None:
    style = _pool(_stripes())
    steps = _paint(_scene(), [Scale(COARSE, 0, style), Scale(FINE, 0, style, 2)])
    assert [step.share_done for step in steps] == [0.5, 1]


def test_an_encoder_that_breaks_on_the_way_is_told() -> None:
    encoder = tiny_encoder()
    walk = paint(encoder, _scene(), _scales(_pool(_stripes())), RECIPE, PaintOptions())
    good = [next(walk), next(walk)]
    encoder.get_parameter("stack.conv1_1.weight").data.fill_(float("nan"))
    with pytest.raises(DivergedError):
        list(walk)
    assert all(step.image.isfinite().all() for step in good)
