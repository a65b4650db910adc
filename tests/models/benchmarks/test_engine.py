"""The benchmark runs and its figures are of the right kind; nobody asserts speed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from models.benchmarks.engine import measure_engine, measure_faces
from models.engine.stylizer import TorchStylizer
from models.faces import load_face_finder
from models.interface import Quality
from tests.models.tiny_encoder import photo_file, style_file, tiny_encoder

CPU = torch.device("cpu")


def test_every_quality_and_size_is_measured(tmp_path: Path) -> None:
    photo, style = photo_file(tmp_path / "photo.png"), style_file(tmp_path / "style.png")
    stylizer = TorchStylizer(tiny_encoder(), device=CPU, drafter=None)
    qualities = (Quality.DRAFT, Quality.STANDARD)
    timings = list(measure_engine(stylizer, photo, style, sizes_px=(64, 80), qualities=qualities))
    assert [(t.quality, t.columns, t.size_px) for t in timings] == [
        (quality, columns, size_px)
        for quality, columns in [*((each, 1) for each in qualities), (Quality.STANDARD, 0)]
        for size_px in (64, 80)
    ]
    for timing in timings:
        assert timing.seconds > 0
        assert timing.steps_per_second == timing.steps / timing.seconds
        assert set(asdict(timing)) >= {"seconds", "peak_memory_mb"}


def test_what_faces_cost_is_measured_on_a_face(tmp_path: Path) -> None:
    photo = Path(__file__).parents[3] / "styles" / "samples" / "face.jpg"
    style, finder = style_file(tmp_path / "style.png"), load_face_finder()
    assert finder is not None
    stylizer = TorchStylizer(tiny_encoder(), device=CPU, drafter=None, face_finder=finder)
    timing = measure_faces(stylizer, finder, photo, style, size_px=96)
    assert 0 < timing.find_s < timing.painted_s
    without = timing.painted_s - timing.find_s
    assert timing.share == (timing.natural_s - without) / without
