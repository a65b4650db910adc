"""What the documents promise can be looked up."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_test_that_the_table_of_faults_names_is_there() -> None:
    table = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    file = ROOT
    for path, name in re.findall(r"`(?:([\w/]+\.py))?(?:::(\w+))?`", table):
        if path:
            file = ROOT / "tests" / path
        if path or name:
            assert file.is_file(), path
            assert f"def {name}" in file.read_text(encoding="utf-8"), f"{path}::{name}"


def test_every_file_that_contributing_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:app|models|styles|tests)/[\w/.]*)`", text)
    assert len(named) > 30
    assert not [name for name in named if not (ROOT / name).exists()]
