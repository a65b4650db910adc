"""The bot's VGG16 is sent once, if it has it; `tests/app/test_engine.py` sends it for real."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from models.remote.messages import SentWeights
from models.remote.vgg16 import Vgg16
from models.weights_cache import WeightsError, write_vgg16


def test_it_is_put_there_once(tmp_path: Path) -> None:
    write_vgg16(tmp_path, b"convolutions")
    sent: list[SentWeights] = []

    def put(weights: SentWeights) -> str:
        sent.append(weights)
        return "a reference"

    vgg16 = Vgg16(tmp_path, put=put)
    assert [vgg16.reference(), vgg16.reference()] == ["a reference"] * 2
    assert sent == [SentWeights(b"convolutions", hashlib.sha256(b"convolutions").hexdigest())]


def test_where_the_bot_has_none_it_is_downloaded_once_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[Path] = []

    def fetch(cache_dir: Path) -> None:
        fetched.append(cache_dir)
        write_vgg16(cache_dir, b"convolutions")

    monkeypatch.setattr("models.weight_files.fetch_vgg16", fetch)
    vgg16 = Vgg16(tmp_path, put=lambda weights: weights.content)
    assert [vgg16.reference(), vgg16.reference()] == [b"convolutions"] * 2
    assert fetched == [tmp_path]


def test_where_it_can_not_be_had_each_machine_is_left_to_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_: Path) -> None:
        raise WeightsError("no network")

    monkeypatch.setattr("models.weight_files.fetch_vgg16", fetch)
    assert Vgg16(tmp_path, put=lambda weights: weights).reference() is None
