"""Which version of the bot this is."""

from __future__ import annotations

import tomllib
from pathlib import Path

_PROJECT_FILE = Path(__file__).parents[1] / "pyproject.toml"


def app_version() -> str:
    """The version that pyproject.toml gives; nothing is installed that could be asked.

    Raises OSError where that file is missing.
    """
    project = tomllib.loads(_PROJECT_FILE.read_text(encoding="utf-8"))
    return str(project["project"]["version"])
