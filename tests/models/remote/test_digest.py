"""Two machines have the same engine, or they don't."""

from __future__ import annotations

from pathlib import Path

from models.remote.digest import project_digest


def test_sources_and_weights_count_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "draft").mkdir()
    (tmp_path / "draft" / "paint.py").write_text("steps = 20\n")
    (tmp_path / "slim.safetensors").write_bytes(b"weights")
    before = project_digest(tmp_path)
    (tmp_path / "README.md").write_text("other words")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "paint.pyc").write_bytes(b"compiled")
    assert project_digest(tmp_path) == before

    (tmp_path / "slim.safetensors").write_bytes(b"weightS")
    other_weights = project_digest(tmp_path)
    (tmp_path / "draft" / "paint.py").rename(tmp_path / "paint.py")
    assert len({before, other_weights, project_digest(tmp_path)}) == 3


def test_the_project_s_own_is_always_the_same() -> None:
    assert project_digest() == project_digest()
    assert len(project_digest()) == 12
