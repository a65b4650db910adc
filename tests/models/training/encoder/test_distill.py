"""The slim encoder's training from beginning to end, on a tiny set."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.encoders import slim_encoder
from models.training.encoder.distill import (
    CHECKPOINT,
    FIGURES,
    WEIGHTS,
    Recipe,
    begin,
    distill,
    main,
    resume,
    train,
)
from models.training.encoder.distillation_set import Examples
from models.training.encoder.student import DISTILLED_LAYERS, Teacher
from tests.models.training.training_set import write_training_set

RECIPE = Recipe(
    steps=30,
    batch=4,
    size_px=48,
    learning_rate_peak=1e-4,
    warm_up_steps=5,
    crops=24,
    fit_crops=12,
    fit_positions=600,
    validation_crops=8,
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_training_set(tmp_path_factory.mktemp("data"))


class InterruptedTrainingError(Exception):
    """Somebody pulled the plug."""


class MortalBank:
    """A bank that falls silent after so many batches."""

    def __init__(self, bank: Examples, batches: int) -> None:
        self.bank = bank
        self.left = batches

    def batch(self, count: int) -> tuple[Tensor, dict[str, Tensor]]:
        if self.left == 0:
            raise InterruptedTrainingError
        self.left -= 1
        return self.bank.batch(count)

    def state(self) -> Sequence[Tensor]:
        return self.bank.state()

    def restore(self, states: Sequence[Tensor]) -> None:
        self.bank.restore(states)


def test_a_training_leaves_weights_that_explain_more_than_its_start(
    data: Path, tmp_path: Path
) -> None:
    distill(data, tmp_path, RECIPE, device=CPU)
    figures = json.loads((tmp_path / FIGURES).read_text())
    assert figures["steps"] == RECIPE.steps
    start, end = figures["unexplained_at_start"], figures["unexplained_at_end"]
    assert set(start) == set(end) == set(DISTILLED_LAYERS)
    assert sum(end.values()) < 0.9 * sum(start.values())
    encoder = slim_encoder()
    encoder.load_convolutions(load_file(tmp_path / WEIGHTS))
    assert encoder(torch.rand(1, 3, 32, 32), ["relu5_1"])["relu5_1"].isfinite().all()


def test_a_training_begins_with_a_former_encoder_as_far_as_its_channels_fit(data: Path) -> None:
    """Stage 4 of the former one is narrower, so what follows it isn't taken over either."""
    torch.manual_seed(1)
    former = {name: torch.rand_like(t) for name, t in slim_encoder().stack.state_dict().items()}
    former["conv4_1.weight"], former["conv4_1.bias"] = torch.rand(64, 128, 3, 3), torch.rand(64)
    recipe = replace(RECIPE, crops=6, fit_crops=4, validation_crops=2)
    run = begin(data, Teacher(data), recipe, torch.rand(2, 3, 48, 48), weights=former)
    for name, tensor in run.student.encoder.stack.state_dict().items():
        taken_over = name[len("conv")] in "123"
        assert (name[:7] != "conv4_1" and torch.equal(tensor, former[name])) == taken_over, name


def test_a_training_goes_on_from_a_file(data: Path, tmp_path: Path) -> None:
    """With no step at all the encoder is the former one but for the size of its channels."""
    former, out = tmp_path / "former.safetensors", tmp_path / "out"
    save_file(dict(slim_encoder().stack.state_dict()), former)
    distill(data, out, replace(RECIPE, steps=0), device=CPU, start=former)
    assert json.loads((out / FIGURES).read_text())["steps"] == 0
    weights, started = load_file(out / WEIGHTS), load_file(former)
    ours, theirs = (tensors["conv1_1.weight"].float().flatten(1) for tensors in (weights, started))
    torch.testing.assert_close(
        F.cosine_similarity(ours, theirs), torch.ones(len(ours)), rtol=0, atol=1e-3
    )


def test_an_interrupted_training_ends_as_if_nothing_had_been(data: Path, tmp_path: Path) -> None:
    recipe = replace(
        RECIPE, steps=4, batch=2, crops=6, fit_crops=4, validation_crops=2, checkpoint_every_s=0
    )
    held_out = torch.rand(2, 3, 48, 48)
    teacher = Teacher(data)
    whole = begin(data, teacher, recipe, held_out)
    train(whole, recipe, tmp_path / "whole")

    broken = begin(data, teacher, recipe, held_out)
    broken.examples = MortalBank(broken.examples, 2)
    with pytest.raises(InterruptedTrainingError):
        train(broken, recipe, tmp_path / CHECKPOINT)
    mended = resume(data, tmp_path / CHECKPOINT, teacher, recipe, CPU)
    assert mended.step == 2
    train(mended, recipe, tmp_path / CHECKPOINT)
    assert mended.step == whole.step == 4
    assert mended.start == whole.start
    expected = whole.student.state_dict()
    for name, tensor in mended.student.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-5, atol=1e-6)


def test_fresh_crops_are_new_in_every_batch_and_resumable(data: Path) -> None:
    recipe = replace(RECIPE, steps=2, crops=None)
    held_out = torch.rand(2, 3, 48, 48)
    run = begin(data, Teacher(data), recipe, held_out)
    state = run.examples.state()
    batches = [run.examples.batch(4) for _ in range(2)]
    assert not torch.equal(batches[0][0], batches[1][0])
    assert set(batches[0][1]) == set(DISTILLED_LAYERS)
    run.examples.restore(state)
    assert torch.equal(run.examples.batch(4)[0], batches[0][0])


def test_the_rate_warms_up_and_then_falls_to_nothing() -> None:
    recipe = Recipe(warm_up_steps=10, learning_rate_peak=1.0, steps=100)
    rates = [recipe.learning_rate(step, recipe.spent(step, 0)) for step in range(101)]
    assert rates[0] < 0.11
    assert max(rates) == max(rates[8:12])
    assert rates[100] == pytest.approx(0)


def test_minutes_are_the_other_way_to_end() -> None:
    recipe = Recipe(minutes=2)
    assert recipe.spent(step=1_000_000, seconds=60) == 0.5


def test_the_command_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["distill"])
    with pytest.raises(SystemExit):
        main()
    assert "--data" in capsys.readouterr().err
