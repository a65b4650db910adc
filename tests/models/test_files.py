"""Files by their content, and whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from models.files import file_sha256, write_atomically


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"any bytes")
    other.write_bytes(b"any bytes")
    assert file_sha256(one) == file_sha256(other) == hashlib.sha256(b"any bytes").hexdigest()
    other.write_bytes(b"other bytes")
    assert file_sha256(one) != file_sha256(other)


def test_a_file_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content in (b"former", b"later"):
        write_atomically(file, content)
        assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [OSError("the disk is full"), KeyboardInterrupt()])
def test_a_file_is_written_whole_or_not_at_all(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    write_atomically(file, b"former")

    def fail(_: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        write_atomically(file, b"later")
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == b"former"


def test_what_fails_leaves_the_former_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomically(folder, b"later")
    assert list(tmp_path.iterdir()) == [folder]
