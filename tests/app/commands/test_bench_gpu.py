"""`run.py bench --only gpu`: one sentence where there is no GPU, figures where there is one."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from app.cli import main
from app.commands.bench_gpu import NO_GPU, measure_gpu
from app.settings import Settings
from styles.catalog import default_catalog


def test_without_a_gpu_it_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("models.benchmarks.gpu.find_gpu", lambda: None)
    assert main(["bench", "--only", "gpu", "--json", "gpu.json", "--table", "gpu.md"]) == 0
    assert NO_GPU in capsys.readouterr().out
    assert json.loads(Path("gpu.json").read_text()) == {"gpu": None}
    assert Path("gpu.md").read_text() == f"{NO_GPU}\n"


def test_the_same_lines_run_on_a_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = importlib.import_module("models.benchmarks.gpu")
    torch = importlib.import_module("torch")
    small = gpu.Measurable(
        device=torch.device("cpu"),
        sizes_px=(64,),
        variants=gpu.VARIANTS[1:2],
        variant_px=64,
        pairs=1,
    )
    monkeypatch.setattr(gpu, "find_gpu", lambda: small)
    monkeypatch.setattr("models.training.evaluation.pairs.LONG_SIDE_PX", 64)  # of what is judged
    asked: list[dict[str, object]] = []

    def measure_throughput(_: Path, **wish: object) -> float:
        asked.append(wish)
        return 12.0

    monkeypatch.setattr("app.commands.bench_gpu.measure_throughput", measure_throughput)
    said: list[str] = []
    figures = measure_gpu(Settings(data_dir=tmp_path), default_catalog(), said.append)
    assert figures is not None
    assert (figures["device"], figures["encoder"]) == ("processor", "slim")
    assert len(figures["sizes"]) == 3  # type: ignore[arg-type]
    assert len(figures["variants"]) == 1  # type: ignore[arg-type]
    assert figures["bot_pictures_per_minute"] == {"draft": 12.0, "standard": 12.0}
    assert [wish["engine"] for wish in asked] == [{"DEVICE": "cpu", "ENCODER": "slim"}] * 2
    assert json.dumps(figures)
    assert any("| TF32, 64 px |" in text for text in said)
