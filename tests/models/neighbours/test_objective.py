"""The loss by hand, and its gradient against differences and of pieces against the whole."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest
import torch
from torch import Tensor

from models.encoders import Encoder
from models.neighbours.columns import COLUMN_LAYERS, Statistics, TiledFeatures
from models.neighbours.groups import column_group, fine_groups
from models.neighbours.losses import Target, matched_loss, structure_loss
from models.neighbours.objective import DivergedError, Objective, Photo
from models.neighbours.recipe import Recipe
from models.neighbours.style import GRAM_LAYERS, pool, sample_style
from models.tensors.gram import gram_matrix, style_loss
from models.tensors.tiles import layer_stride, tiles_for
from tests.models.tiny_encoder import random_image, tiny_encoder

NO_GRAM = Recipe(gram=0)


def _one_position(*channels: float) -> list[Tensor]:
    """A vector as maps of two layers: its first channel, and the others."""
    return [
        torch.tensor(part, dtype=torch.float).view(1, -1, 1, 1)
        for part in (channels[:1], channels[1:])
    ]


def _target(wanted: list[Tensor], mean: list[Tensor]) -> Target:
    return Target([w - m for w, m in zip(wanted, mean, strict=True)], mean)


def _loss(found: list[Tensor], wanted: list[Tensor], mean: list[Tensor], energy: float) -> float:
    return float(matched_loss(found, _target(wanted, mean), energy))


def test_matched_loss_of_one_position_by_hand() -> None:
    found, wanted = _one_position(4, 3), _one_position(3, 4)
    # The cosine is 24 / 25; the square of the distance 2.
    loss = _loss(found, wanted, _one_position(0, 0), 25)
    assert loss == pytest.approx(1 / 25 + 0.5 * 2 / 25, rel=1e-4)
    # About (1, 0) the vectors are (3, 3) and (2, 4).
    loss = _loss(found, wanted, _one_position(1, 0), 10)
    assert loss == pytest.approx(1 - 18 / (18**0.5 * 20**0.5) + 0.5 * 2 / 10, rel=1e-4)
    # About (3, 3) they are at right angles.
    assert _loss(found, wanted, _one_position(3, 3), 1) == pytest.approx(1 + 1, rel=1e-4)


def test_matched_loss_sums_over_positions_and_layers() -> None:
    random = torch.Generator().manual_seed(0)
    shapes = ((1, 3, 4, 5), (1, 2, 4, 5))
    found, wanted = ([torch.randn(s, generator=random) for s in shapes] for _ in range(2))
    mean = [torch.randn(1, s[1], 1, 1, generator=random) for s in shapes]
    one, two, middle = (torch.cat(maps, 1) for maps in (found, wanted, mean))
    cosine = torch.cosine_similarity(one - middle, two - middle)
    expected = (1 - cosine).sum() + 0.5 * (one - two).square().sum() / 7
    assert _loss(found, wanted, mean, 7) == pytest.approx(float(expected), rel=1e-4)


def test_gradients_of_both_losses_agree_with_finite_differences() -> None:
    random = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random, dtype=torch.double)

    found = [drawn(1, 3, 2, 4).requires_grad_(), drawn(1, 2, 2, 4).requires_grad_()]
    wanted, mean = ([drawn(*f.shape) for f in found], [drawn(1, f.shape[1], 1, 1) for f in found])
    target, form = _target(wanted, mean), _target(wanted[:1], mean[:1])
    weight = drawn(1, 2, 4).abs()
    assert torch.autograd.gradcheck(lambda *maps: matched_loss(maps, target, 7), found)
    assert torch.autograd.gradcheck(lambda maps: structure_loss(maps, form, weight), found[:1])


def test_matched_loss_is_nothing_where_everything_is_as_wanted() -> None:
    wanted = [random_image(8, 9), random_image(8, 9, seed=1)]
    mean = [each.mean((2, 3), keepdim=True) for each in wanted]
    assert _loss(wanted, wanted, mean, 1) / 72 == pytest.approx(0, abs=1e-5)


def test_matched_loss_of_a_plain_style_is_finite_to_its_gradient() -> None:
    """All the style's vectors are its mean: there are no directions."""
    mean = _one_position(1, 2)
    found = [each.clone().requires_grad_() for each in mean]
    loss = matched_loss(found, _target(mean, mean), 1)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.isfinite()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in found)


def test_structure_loss_by_hand() -> None:
    photo = torch.tensor([[[[1.0, 0.0, 3.0]], [[0.0, 2.0, 4.0]]]])
    found = torch.tensor([[[[5.0, 0.0, 4.0]], [[5.0, -1.0, 3.0]]]])  # 45 degrees, 180, 24 / 25
    weight = torch.tensor([[[2.0, 0.5, 10.0]]])
    expected = 2 * (1 - 0.5**0.5) + 0.5 * 2 + 10 * (1 / 25)
    for middle in (torch.zeros(1, 2, 1, 1), torch.tensor([[[[0.5]], [[-2.0]]]])):
        target = Target([photo], [middle])
        loss = structure_loss(found + middle, target, weight)
        assert float(loss) == pytest.approx(expected, rel=1e-4)
        assert float(structure_loss(3 * photo + middle, target, weight)) == pytest.approx(
            0, abs=1e-5
        )


class _Case:
    """A photo, a style, and for each position one of the style's vectors, drawn by lot."""

    def __init__(
        self, photo: Tensor, recipe: Recipe, *, encoder: Encoder | None = None, fine: bool = False
    ) -> None:
        self.photo, self.recipe = photo, recipe
        self.encoder = encoder or tiny_encoder()
        self.size = photo.shape[-2], photo.shape[-1]
        image = random_image(80, 80, seed=9)
        self.style = pool([sample_style(tiny_encoder(), image, samples=200, seed=0)], [1])
        self.groups = fine_groups(self.style) if fine else [column_group(self.style)]
        random = torch.Generator().manual_seed(0)
        self.maps = []
        for group in self.groups:
            stride = 4 if len(group.layers) > 1 else layer_stride(group.layers[0])
            shape = self.size[0] // stride, self.size[1] // stride
            drawn = torch.randint(len(group.keys), shape, generator=random)
            self.maps.append((stride, drawn))

    def objective(
        self,
        *,
        tile_pixels: int = 10**9,
        grams: Mapping[str, Tensor] | None = None,
        share: Tensor | float = 1,
        weight: Tensor | None = None,
    ) -> Objective:
        tiles = tiles_for(self.size, tile_pixels=tile_pixels)
        features = TiledFeatures(self.encoder, self.photo, COLUMN_LAYERS, tiles)
        means = Statistics.of(features).layer_means
        if weight is None:
            grid = self.size[0] // 4, self.size[1] // 4
            weight = torch.full((1, 1, *grid), float(self.recipe.structure))
        chosen = [
            [
                drawn[
                    tile.rows.core_start // stride : tile.rows.core_stop // stride,
                    tile.columns.core_start // stride : tile.columns.core_stop // stride,
                ].flatten()
                for stride, drawn in self.maps
            ]
            for tile in tiles
        ]
        return Objective(
            self.encoder,
            Photo(features, means, weight),
            self.groups,
            chosen,
            self.recipe,
            means=means,
            grams=grams,
            share=share,
        )


def _gradient(objective: Objective, image: Tensor) -> tuple[float, Tensor]:
    pixels = image.clone().requires_grad_()
    loss = objective.backward(pixels)
    assert pixels.grad is not None
    return loss, pixels.grad


def test_the_photo_itself_has_the_photo_s_structure() -> None:
    case = _Case(random_image(50, 67), Recipe(columns=0, gram=0, structure=1))
    objective = case.objective()
    assert objective.backward(case.photo.clone().requires_grad_()) == pytest.approx(0, abs=1e-5)
    other = random_image(50, 67, seed=5).requires_grad_()
    assert objective.backward(other) > 0.3


def test_structure_counts_only_where_it_weighs() -> None:
    case = _Case(random_image(64, 96), Recipe(columns=0, gram=0))
    left = torch.zeros(1, 1, 16, 24)
    left[..., :12] = 1
    changed = case.photo.clone()
    changed[..., 70:] = random_image(64, 26, seed=1)  # far enough from the weight
    whole, part = (case.objective(weight=weight) for weight in (torch.ones_like(left), left))
    assert _gradient(whole, changed)[0] > 0.05
    assert _gradient(part, changed)[0] == pytest.approx(0, abs=1e-5)
    changed[..., :20] = random_image(64, 20, seed=2)
    assert _gradient(part, changed)[0] > 0.05


@pytest.mark.parametrize("fine", [False, True])
def test_the_loss_is_the_sum_of_its_terms(fine: bool) -> None:
    """Each by itself, with its weight."""
    photo, image = random_image(50, 67), random_image(50, 67, seed=5)
    recipes = [
        Recipe(columns=1, gram=0, structure=0),
        Recipe(columns=0, gram=0.5, structure=0),
        Recipe(columns=0, gram=0, structure=0.3),
    ]
    case = partial(_Case, photo, fine=fine)
    grams = case(NO_GRAM).style.grams
    losses = [
        _gradient(case(r).objective(grams=grams if r.gram else None), image)[0] for r in recipes
    ]
    assert all(loss > 1e-3 for loss in losses)
    together = Recipe(columns=2, gram=1.5, structure=0.6)
    loss = _gradient(case(together).objective(grams=grams), image)[0]
    assert loss == pytest.approx(2 * losses[0] + 3 * losses[1] + 2 * losses[2], rel=1e-4)


def test_in_pieces_gram_matrices_are_those_of_the_step_before() -> None:
    """Measured once before the first step, then while the pieces are gone through."""
    case = _Case(random_image(330, 410), Recipe(columns=0, gram=2, structure=0))
    first, second = (random_image(330, 410, seed=seed) for seed in (5, 6))
    whole = [_gradient(case.objective(grams=case.style.grams), i)[0] for i in (first, second)]
    in_pieces = case.objective(grams=case.style.grams, tile_pixels=200 * 200)
    losses = [_gradient(in_pieces, image)[0] for image in (first, second, second)]
    assert losses == pytest.approx([whole[0], whole[0], whole[1]], rel=1e-3)
    assert whole[0] != pytest.approx(whole[1], rel=1e-2)


def test_the_gram_term_compares_the_whole_picture() -> None:
    case = _Case(random_image(50, 67), Recipe(columns=0, gram=2, structure=0))
    image = random_image(50, 67, seed=5)
    grams = case.style.grams
    features = case.encoder(image, GRAM_LAYERS)
    expected = sum(float(style_loss(gram_matrix(features[n]), grams[n])) for n in GRAM_LAYERS)
    loss, _ = _gradient(case.objective(grams=grams), image)
    assert loss == pytest.approx(2 * expected, rel=1e-4)


@pytest.mark.parametrize("fine", [False, True])
def test_the_gradient_points_uphill_as_steeply_as_it_says(fine: bool) -> None:
    case = _Case(random_image(50, 67), Recipe(), fine=fine)
    objective = case.objective(grams=case.style.grams)
    image = random_image(50, 67, seed=5)
    _, gradient = _gradient(objective, image)
    uphill = gradient / gradient.norm()
    step = 0.01
    above, below = (_gradient(objective, image + s * uphill)[0] for s in (step, -step))
    assert (above - below) / (2 * step) == pytest.approx(float(gradient.norm()), rel=0.02)


def test_the_gradient_goes_on_to_what_the_picture_was_made_of() -> None:
    case = _Case(random_image(48, 48), NO_GRAM)
    half = 0.5 * random_image(48, 48, seed=5)
    _, expected = _gradient(case.objective(), 2 * half)
    half.requires_grad_()
    case.objective().backward(2 * half)
    assert half.grad is not None
    torch.testing.assert_close(half.grad, 2 * expected)


@pytest.mark.parametrize(("fine", "alike"), [(False, 0.995), (True, 0.9999)])
def test_pieces_have_the_whole_s_gradient(fine: bool, alike: float) -> None:
    """Columns a little less: stage 4 is interpolated at the borders of pieces."""
    case = _Case(random_image(330, 410), Recipe(), fine=fine)
    grams = case.style.grams
    image = random_image(330, 410, seed=5)
    weight = 0.1 + torch.linspace(0, 1, 102).expand(1, 1, 82, 102)
    loss, gradient = _gradient(case.objective(weight=weight, grams=grams), image)
    in_pieces = case.objective(weight=weight, grams=grams, tile_pixels=200 * 200)
    for _ in range(2):  # the second time with what was kept, or not
        pieces_loss, pieces = _gradient(in_pieces, image)
        assert pieces_loss == pytest.approx(loss, rel=1e-3)
        assert torch.cosine_similarity(gradient.flatten(), pieces.flatten(), dim=0) > alike
        assert float(pieces.norm()) == pytest.approx(float(gradient.norm()), rel=0.01)


@pytest.mark.parametrize("fine", [False, True])
def test_with_no_share_of_the_style_the_photo_is_at_rest(fine: bool) -> None:
    case = _Case(random_image(50, 67), NO_GRAM, fine=fine)
    loss, still = _gradient(case.objective(share=0), case.photo)
    assert loss == pytest.approx(0, abs=1e-4)
    losses, gradients = zip(
        *(_gradient(case.objective(share=share), case.photo) for share in (0.3, 1)), strict=True
    )
    assert 0.01 < losses[0] < losses[1]
    assert still.norm() < 0.01 * gradients[1].norm()


@pytest.mark.parametrize("fine", [False, True])
@pytest.mark.parametrize("tile_pixels", [10**9, 200 * 200])
def test_the_share_may_differ_from_place_to_place(fine: bool, tile_pixels: int) -> None:
    case = _Case(random_image(270, 280), NO_GRAM, fine=fine)
    share = torch.ones(1, 1, 67, 70)
    _, everywhere = _gradient(case.objective(share=share, tile_pixels=tile_pixels), case.photo)
    _, plainly = _gradient(case.objective(tile_pixels=tile_pixels), case.photo)
    torch.testing.assert_close(everywhere, plainly, atol=1e-6, rtol=1e-3)
    share[..., :35] = 0
    _, half = _gradient(case.objective(share=share, tile_pixels=tile_pixels), case.photo)
    assert float(half[..., :100].norm()) < 0.01 * float(half[..., 180:].norm())


@pytest.mark.parametrize("tile_pixels", [10**9, 200 * 200])
def test_weights_that_are_no_numbers_are_told(tile_pixels: int) -> None:
    case = _Case(random_image(270, 280), NO_GRAM, encoder=tiny_encoder())
    objective = case.objective(tile_pixels=tile_pixels)
    image = random_image(270, 280, seed=5).requires_grad_()
    assert objective.backward(image) > 0
    before = image.grad.clone() if image.grad is not None else None
    case.encoder.get_parameter("stack.conv1_1.weight").fill_(float("nan"))
    with pytest.raises(DivergedError):
        objective.backward(image)
    assert before is not None
    assert image.grad is not None
    assert torch.equal(image.grad, before)
