"""The bench of a GPU, on a processor at a size that takes a moment; nobody asserts speed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.benchmarks.gpu import (
    Budget,
    Measurable,
    describe,
    encoder_at_hand,
    find_gpu,
    measure_sizes,
    measure_variants,
    sizes_table,
    variants_table,
)
from models.devices.gpu_options import GpuOptions
from models.engine.stylizer import TorchStylizer
from models.interface import Quality
from tests.models.tiny_encoder import photo_file, style_file, tiny_encoder

CPU = torch.device("cpu")


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, Path]:
    return photo_file(tmp_path / "photo.png"), style_file(tmp_path / "style.png")


def test_every_size_and_quality_is_measured(pictures: tuple[Path, Path]) -> None:
    stylizer = TorchStylizer(tiny_encoder(), device=CPU, drafter=None)
    qualities = (Quality.DRAFT, Quality.STANDARD)
    timings = list(
        measure_sizes(stylizer, *pictures, Budget(60), sizes_px=(64, 80), qualities=qualities)
    )
    assert [(t.size_px, t.quality) for t in timings] == [
        (size, quality) for size in (64, 80) for quality in qualities
    ]
    assert all(0 < timing.first_draft_s <= timing.seconds for timing in timings)
    assert len(sizes_table(timings).splitlines()) == 2 + len(timings)


def test_what_the_budget_has_no_room_for_is_left_out(pictures: tuple[Path, Path]) -> None:
    stylizer = TorchStylizer(tiny_encoder(), device=CPU, drafter=None)
    assert list(measure_sizes(stylizer, *pictures, Budget(0), sizes_px=(64,))) == []
    measurable = Measurable(device=CPU)
    variants = measure_variants(
        measurable, [pictures], Budget(0), encoder="slim", cache_dir=pictures[0].parent
    )
    assert list(variants) == []


def test_variants_are_timed_and_judged_side_by_side(
    pictures: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.training.evaluation.pairs.LONG_SIDE_PX", 64)  # of what is judged
    measurable = Measurable(device=CPU, variants=(GpuOptions(),), variant_px=64)
    (figures,) = measure_variants(
        measurable, [pictures], Budget(60), encoder="slim", cache_dir=tmp_path
    )
    assert (figures.name, figures.size_px, figures.pairs) == ("TF32", 64, 1)
    assert figures.seconds > 0
    assert -1 <= figures.gram_gap_closed <= 1
    assert "| TF32, 64 px |" in variants_table([figures])


def test_variants_have_names_of_their_own() -> None:
    names = [variant.name for variant in Measurable(device=CPU).variants]
    assert names == ["fp32", "TF32", "bf16", "TF32, channels first", "TF32, graphs", "bf16, graphs"]


def test_what_was_measured_on_is_said() -> None:
    assert describe(CPU)["device"] == "processor"


def test_nothing_is_downloaded_for_a_measurement(tmp_path: Path) -> None:
    assert encoder_at_hand("auto", tmp_path) == "slim"
    assert encoder_at_hand("vgg16", tmp_path) == "vgg16"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_there_is_none() -> None:
    assert find_gpu() is None
