"""What holds the project together besides its code: targets, versions, workflows."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CALLERS = [
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    ROOT / ".ci" / "run",
    ROOT / ".pre-commit-config.yaml",
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
]


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    return set(phony.split())


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
def test_make_help_shows_every_target() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {line.split()[0] for line in done.stdout.splitlines()} == targets()


@pytest.mark.parametrize("path", CALLERS, ids=lambda path: path.name)
def test_whoever_calls_make_calls_a_target_that_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    called = re.findall(r"(?:^|`|run: |entry: |&& )(?:sudo )?make ([a-z-]+)", text, re.MULTILINE)
    assert called
    assert set(called) <= targets()


def test_what_the_quick_tests_leave_out_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    (slow,) = re.findall(r"^SLOW := (.+)$", makefile, re.MULTILINE)
    assert not [name for name in slow.split() if not (ROOT / "tests" / name).exists()]


def test_the_newest_version_in_the_changelog_is_the_project_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased, newest, *_ = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    assert unreleased == "Unreleased"
    assert re.fullmatch(re.escape(project["version"]) + r" - \d{4}-\d\d-\d\d", newest)
