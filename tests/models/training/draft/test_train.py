"""The draft network's training on a tiny made-up set: it learns, repeats itself and resumes."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import pytest
import torch
from torch import Tensor

from models.draft.feedforward import FeedForward
from models.draft.model import DraftModel
from models.draft.network import draft_encoder
from models.draft.packaged import DRAFT_ENCODER
from models.draft.style_code import Moments
from models.encoders import Encoder
from models.training.data import CropSampler
from models.training.draft import preset_codes
from models.training.draft.context import StepContext
from models.training.draft.loss_networks import WHOLE, LossNetworks
from models.training.draft.losses import ContentWeight, draft_losses, neighbour_loss
from models.training.draft.recipe import Recipe
from models.training.draft.style_bank import Shares, StyleBank, build_bank, measure
from models.training.draft.train import Run, export, train_step
from models.weight_files import load_packaged

TINY = Recipe(warm_up_steps=5, variants=2, learning_rate=5e-4)
PLACES = 96
"""Of each style: enough for stripes."""


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The draft's own encoder; here it serves as all of the loss's networks as well."""
    encoder = draft_encoder()
    encoder.load_convolutions(load_packaged(DRAFT_ENCODER))
    return encoder.eval().requires_grad_(False)


def stripes(seed: int) -> Tensor:
    """A picture of coloured stripes: (3, 96, 96) uint8."""
    random = torch.Generator().manual_seed(seed)
    period = 4 + 5 * seed
    wave = (torch.arange(96) % period < period // 2).float()
    one, other = torch.rand(2, 3, 1, 1, generator=random)
    picture: Tensor = one + (other - one) * (wave[:, None] if seed % 2 else wave)
    return (picture.expand(3, 96, 96) * 255).to(torch.uint8)


def blobs(seed: int) -> Tensor:
    """A smooth picture: (3, 96, 96) uint8."""
    random = torch.Generator().manual_seed(seed)
    small = torch.rand(1, 3, 6, 6, generator=random)
    smooth = torch.nn.functional.interpolate(small, 96, mode="bilinear")[0]
    return (smooth * 255).to(torch.uint8)


@pytest.fixture(scope="module")
def loss_networks(encoder: Encoder) -> LossNetworks:
    return LossNetworks((encoder, encoder, encoder))


@pytest.fixture(scope="module")
def context(encoder: Encoder, loss_networks: LossNetworks) -> StepContext:
    paintings, photos = [stripes(seed) for seed in range(3)], [blobs(7)]
    bank = build_bank(
        paintings,
        photos,
        encoder,
        loss_networks,
        variants=TINY.variants,
        seed=0,
        presets=[stripes(4)[None].float() / 255],
        places=PLACES,
    )
    return StepContext(encoder, loss_networks, bank)


@pytest.fixture(scope="module")
def bank(context: StepContext) -> StyleBank:
    return context.bank


def grain() -> torch.Generator:
    return torch.Generator().manual_seed(11)


def crops(seed: int = 0) -> CropSampler:
    return CropSampler([blobs(seed) for seed in range(4)], size_px=64, seed=seed)


def new_run(bank: StyleBank, *, seed: int = 0) -> Run:
    torch.manual_seed(seed)
    model = DraftModel()
    model.coder.fit(bank.styles.seen)
    return Run(model, replace(TINY, seed=seed), presets=bank.presets)


def little_content() -> ContentWeight:
    """Else its weight grows until the photos' forms come back, and the style goes."""
    return ContentWeight(keep=0, value=0.05)


def steps(
    run: Run, photos: CropSampler, context: StepContext, count: int, *, batch: int = 2
) -> list[float]:
    """The losses of `count` steps, the content's weight aside."""
    losses = [train_step(run, photos.batch(batch), context) for _ in range(count)]
    return [each["style"] + each["moments"] + each["content"] for each in losses]


def test_the_loss_falls(context: StepContext) -> None:
    """Step for step of the same two photos in the same style, where little is left to chance."""
    run, photos = new_run(context.bank), crops(3).batch(2)
    run.recipe = replace(run.recipe, learning_rate=2e-4, shares=Shares(presets=1, mixed=0))
    run.content_weight = little_content()
    losses = [train_step(run, photos, context)["style"] for _ in range(20)]
    means = [fmean(losses[first : first + 4]) for first in (0, 8, 16)]
    assert means[2] < means[1] < means[0]
    assert means[2] < 0.9 * means[0]


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_loss_falls_for_photos_and_styles_of_all_kinds(context: StepContext) -> None:
    run, photos = new_run(context.bank), crops(3).batch(8)
    run.content_weight = little_content()
    drawn = context.bank.draw(8, Shares(), torch.Generator().manual_seed(0))

    def loss() -> float:
        with torch.no_grad():
            paintings = run.model(context.encoder, photos, run.codes(drawn), grain())
            losses = draft_losses(context.loss_networks, paintings, photos, drawn.styles, turn=0)
            return float(losses.style)

    before = loss()
    steps(run, crops(), context, 120, batch=4)
    assert loss() < 0.8 * before


def test_several_passes_are_trained_as_well(context: StepContext) -> None:
    run = new_run(context.bank)
    before = run.model.network.enter_deep.weight.detach().clone()
    train_step(run, crops().batch(2), context)  # the last layer starts at zero
    losses = train_step(run, crops().batch(2), context, passes=2)
    assert all(math.isfinite(value) for value in losses.values())
    assert not torch.equal(run.model.network.enter_deep.weight, before)


def test_the_same_seed_trains_the_same(context: StepContext) -> None:
    first, again = (steps(new_run(context.bank), crops(), context, 3) for _ in range(2))
    assert first == again
    assert steps(new_run(context.bank, seed=1), crops(), context, 3) != first


def test_a_resumed_training_goes_on_where_it_was(context: StepContext, tmp_path: Path) -> None:
    run = new_run(context.bank)
    steps(run, crops(), context, 3)
    run.save(tmp_path / "draft.checkpoint")
    resumed = new_run(context.bank, seed=5)
    resumed.restore(tmp_path / "draft.checkpoint")
    assert resumed.step == 3
    onwards = [steps(each, crops(9), context, 2) for each in (run, resumed)]
    assert onwards[0] == pytest.approx(onwards[1], rel=1e-4)


def test_exported_weights_paint_the_same(context: StepContext, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    run, encoder = new_run(context.bank), context.encoder
    steps(run, crops(), context, 3)
    export(run.model, tmp_path / "draft.safetensors")
    model = DraftModel()
    stored = load_file(tmp_path / "draft.safetensors")
    model.load_state_dict({name: tensor.float() for name, tensor in stored.items()})
    photo, style = blobs(1)[None].float() / 255, stripes(1)[None].float() / 255
    trained, loaded = FeedForward(run.model, encoder), FeedForward(model, encoder)
    torch.testing.assert_close(
        loaded.paint(photo, loaded.style_code(style)),
        trained.paint(photo, trained.style_code(style)),
        rtol=0,
        atol=0.01,
    )


def test_a_tuned_preset_code_comes_closer(encoder: Encoder, loss_networks: LossNetworks) -> None:
    torch.manual_seed(0)
    model = DraftModel().requires_grad_(False)
    torch.nn.init.normal_(model.network.last.weight, std=0.02)
    style = stripes(1)[None].float() / 255
    code = FeedForward(model, encoder).style_code(style).clone()
    recipe = preset_codes.Recipe(steps=12, size_px=64, learning_rate=0.05)
    tuned = preset_codes.tune(model, code, [style], crops(), encoder, loss_networks, recipe)
    photos, measured = crops(3).batch(4), measure(style, encoder, loss_networks, places=PLACES)

    def loss(of: Tensor) -> float:
        with torch.no_grad():
            paintings = model(encoder, photos, of, grain())
            return float(
                draft_losses(loss_networks, paintings, photos, measured, turn=0).total(0.5)
            )

    assert loss(tuned) < loss(code)
    changed = (tuned != code)[0].nonzero()[:, 0]
    assert model.conditioned.start <= int(changed.min())
    assert int(changed.max()) < model.conditioned.stop


@pytest.mark.parametrize("turn", [0, 1])
def test_the_photo_itself_keeps_all_and_the_style_itself_lacks_nothing(
    encoder: Encoder, loss_networks: LossNetworks, turn: int
) -> None:
    photos = torch.stack([blobs(0), blobs(1)]).float() / 255
    own = draft_losses(
        loss_networks,
        photos,
        photos,
        measure(photos, encoder, loss_networks, places=PLACES),
        turn=turn,
    )
    assert float(own.style) == pytest.approx(0, abs=1e-6)
    assert float(own.content) == pytest.approx(0, abs=1e-5)
    assert float(own.kept) == pytest.approx(1, abs=1e-5)


def test_a_photo_in_another_style_lacks_something_at_every_size(
    encoder: Encoder, loss_networks: LossNetworks
) -> None:
    photos, style = blobs(0)[None].float() / 255, stripes(1)[None].float() / 255
    own = measure(photos, encoder, loss_networks, places=PLACES)
    wanted = measure(style, encoder, loss_networks, places=PLACES).wanted
    seen_in = dict.fromkeys(loss_networks.views, 0)
    for view in seen_in:
        other = {view.key(name): wanted[view.key(name)] for name in view.layers}
        only_here = replace(own, wanted=own.wanted | other)
        for turn in range(2):
            losses = draft_losses(loss_networks, photos, photos, only_here, turn=turn)
            seen_in[view] += float(losses.style) > 0.01
    # The first network looks in every turn, each of the others at each size in one of two.
    assert list(seen_in.values()) == [2, 2] + [1] * 6


def test_places_are_near_to_themselves_and_far_from_another_style(
    loss_networks: LossNetworks,
) -> None:
    one, other = (stripes(seed)[None].float() / 255 for seed in (1, 2))
    maps = loss_networks.look(WHOLE, one)
    own, others = (loss_networks.columns(image, 96 * 96) for image in (one, other))
    at_home = float(neighbour_loss(maps, own, seed=0))
    assert at_home < 0.01
    assert float(neighbour_loss(maps, others, seed=0)) > 10 * at_home


def test_of_a_mixture_each_style_has_its_share_of_places(bank: StyleBank) -> None:
    one, other = bank.styles.pick(torch.tensor([0])), bank.styles.pick(torch.tensor([2]))
    mixed = one.mixed(other, torch.tensor([0.25])).columns
    for name, columns in mixed.items():
        theirs = (columns == other.columns[name]).all(2).float().mean()
        assert float(theirs) == pytest.approx(0.25, abs=0.02)


def test_colours_out_of_range_cost_something(encoder: Encoder, loss_networks: LossNetworks) -> None:
    photos = blobs(0)[None].float() / 255
    own = measure(photos, encoder, loss_networks, places=PLACES)
    assert float(draft_losses(loss_networks, photos, photos, own, turn=0).excess) == 0
    assert float(draft_losses(loss_networks, photos + 2, photos, own, turn=0).excess) > 1


def test_the_content_weight_follows_what_is_kept() -> None:
    weight = ContentWeight(0.6)
    values = [weight.value]
    for kept in (0.4, 0.4, 0.9, 0.9):
        weight.follow(kept)
        values.append(weight.value)
    rising = [later > earlier for earlier, later in pairwise(values)]
    assert rising == [True, True, False, False]


def test_a_mixture_is_one_picture_made_of_two(bank: StyleBank) -> None:
    one, other = bank.styles.pick(torch.tensor([0])), bank.styles.pick(torch.tensor([2]))
    half = one.mixed(other, torch.tensor([0.5]))
    torch.testing.assert_close(half.colors.mean, (one.colors.mean + other.colors.mean) / 2)
    side_by_side = torch.cat([torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)], -1)
    parts = [Moments.of(part) for part in torch.split(side_by_side, 8, -1)]
    whole = Moments.of(side_by_side)
    torch.testing.assert_close(whole.product, (parts[0].product + parts[1].product) / 2)


def test_styles_are_drawn_by_the_seed_alone(bank: StyleBank) -> None:
    shares = Shares(mixed=0.5)
    drawn = [
        bank.draw(6, shares, torch.Generator().manual_seed(3)).styles.colors.mean for _ in range(2)
    ]
    assert torch.equal(*drawn)


def test_shares_say_what_is_drawn(bank: StyleBank) -> None:
    random = torch.Generator().manual_seed(0)
    means = bank.styles.colors.mean

    def rows(shares: Shares) -> set[int]:
        drawn = bank.draw(40, shares, random).styles.colors.mean
        return {int((means - each).abs().sum(1).argmin()) for each in drawn}

    assert len(bank.styles) == 2 * 3 + 1 + 1
    assert rows(Shares(presets=1, mixed=0)) == {7}
    assert rows(Shares(presets=0, plain=1, mixed=0)) == {0, 1, 2}
    assert len(rows(Shares(presets=0, plain=0, mixed=0))) == 8


def test_a_preset_has_an_offset_of_its_own(bank: StyleBank) -> None:
    run = new_run(bank)
    with torch.no_grad():
        run.offsets.fill_(1)
    drawn = bank.draw(8, Shares(presets=0.5, mixed=0), torch.Generator().manual_seed(1))
    plain = run.model.code(drawn.styles.colors, drawn.styles.seen)
    added = (run.codes(drawn) - plain).detach()
    is_preset = drawn.preset >= 0
    assert 0 < int(is_preset.sum()) < 8
    expected = torch.zeros_like(added)
    expected[is_preset, run.model.conditioned] = 1
    torch.testing.assert_close(added, expected, rtol=0, atol=1e-5)
