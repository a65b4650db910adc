"""What a processor can't show: the engine on a GPU. Run by `make gpu`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.devices.gpu import gpu_memory
from models.devices.gpu_options import GpuOptions
from models.engine.loading import load_stylizer, load_stylizers
from models.interface import Note, Quality, Style, StyleOptions
from tests.models.tiny_encoder import photo_file, style_file

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch can use no GPU here"),
]

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "styles" / "samples" / "face.jpg"
OPTIONS = StyleOptions(size_px=256)
LOSES_ITS_DEVICE = """
import sys
from pathlib import Path
import torch
from models.engine.loading import load_stylizer
from models.interface import DeviceLostError, Style, StyleOptions

stylizer = load_stylizer(encoder="slim", device="cuda")
def poison(*_, **__):
    torch.zeros(4, device="cuda")[torch.tensor([9], device="cuda")].sum().item()
stylizer._drafter = type("Poison", (), {"draft": poison})()
try:
    stylizer.stylize(Path(sys.argv[1]), [Style(Path(sys.argv[2]))], StyleOptions(size_px=64))
except DeviceLostError:
    sys.exit(70)
"""


@pytest.fixture
def style(tmp_path: Path) -> list[Style]:
    return [Style(style_file(tmp_path / "style.png"))]


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


def painted(style: list[Style], gpu: GpuOptions | None = None, **changes: object) -> Image.Image:
    stylizer = load_stylizer(encoder="slim", device="cuda", gpu=gpu)
    options = StyleOptions(**({"size_px": 256} | changes))  # type: ignore[arg-type]
    return stylizer.stylize(SAMPLE, style, options).picture


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference in grey levels."""
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


def test_the_same_input_gives_the_same_picture(style: list[Style]) -> None:
    assert painted(style).tobytes() == painted(style).tobytes()


def test_a_draft_is_that_of_the_processor(style: list[Style]) -> None:
    there = painted(style, GpuOptions(tf32=False), quality=Quality.DRAFT)
    here = load_stylizer(encoder="slim", device="cpu").stylize(
        SAMPLE, style, StyleOptions(size_px=256, quality=Quality.DRAFT)
    )
    assert distance(there, here.picture) < 2


@pytest.mark.parametrize(
    "gpu",
    [GpuOptions(tf32=False), GpuOptions(half=True), GpuOptions(channels_last=False)],
    ids=lambda gpu: gpu.name,
)
def test_other_precisions_and_layouts_paint_nearly_the_same(
    style: list[Style], gpu: GpuOptions
) -> None:
    assert distance(painted(style), painted(style, gpu)) < 12


def test_recorded_steps_paint_the_same(
    style: list[Style], caplog: pytest.LogCaptureFixture
) -> None:
    assert distance(painted(style), painted(style, GpuOptions(graphs=True))) < 1
    assert "without CUDA graphs" not in caplog.text


def test_memory_that_runs_out_makes_a_smaller_picture(style: list[Style]) -> None:
    stylizer = load_stylizer(encoder="slim", device="cuda")
    stylizer.stylize(SAMPLE, style, StyleOptions(size_px=64))
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    room = torch.cuda.memory_reserved(0) + 300_000_000
    torch.cuda.set_per_process_memory_fraction(min(1.0, room / total))
    painting = stylizer.stylize(SAMPLE, style, StyleOptions(size_px=1024))
    assert Note.SHRUNK in painting.notes


def test_memory_is_known_of_the_gpu_in_use(style: list[Style]) -> None:
    painted(style, quality=Quality.DRAFT)
    memory = gpu_memory("cuda:0")
    assert memory is not None
    assert 0 < memory[0] <= memory[1]
    assert gpu_memory("cpu") is None


def test_every_gpu_has_an_engine(style: list[Style]) -> None:
    stylizers = load_stylizers(encoder="slim", device="auto")
    assert list(stylizers) == [f"cuda:{n}" for n in range(torch.cuda.device_count())]
    pictures = [each.stylize(SAMPLE, style, OPTIONS).picture for each in stylizers.values()]
    assert all(distance(pictures[0], picture) < 2 for picture in pictures)


def test_a_device_assert_is_a_lost_device(tmp_path: Path) -> None:
    photo, style = photo_file(tmp_path / "photo.png"), style_file(tmp_path / "style.png")
    done = subprocess.run(  # noqa: S603 - our own lines; this process must not be poisoned
        [sys.executable, "-c", LOSES_ITS_DEVICE, str(photo), str(style)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 70, done.stderr
