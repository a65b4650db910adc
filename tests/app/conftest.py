"""What every start of the bot reads out of its own package is read once for all tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from app.bot.ui.i18n import load_i18n
from styles.preset import Preset, read_folder

read_sentences = cache(load_i18n)
read_packaged = cache(read_folder)


def read_presets(folder: Path, *, own: bool = False) -> tuple[list[Preset], list[str]]:
    """Of the owner's folder each time anew."""
    return read_folder(folder, own=own) if own else read_packaged(folder)


@pytest.fixture(autouse=True)
def _package_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty pictures and five languages, for hundreds of bots that start in these processes."""
    monkeypatch.setattr("styles.catalog.read_folder", read_presets)
    for reader in ("app.application", "tests.app.bot.reporter_harness"):
        monkeypatch.setattr(f"{reader}.load_i18n", read_sentences)
