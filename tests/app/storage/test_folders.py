from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.storage.folders import write_whole


@pytest.mark.parametrize("error", [OSError("the disk is full"), KeyboardInterrupt()])
def test_a_file_is_written_whole_or_not_at_all(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    write_whole(b"old", path)

    def fail(_: int) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(type(error)):
            write_whole(b"new", path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"
    write_whole(b"new", path)
    assert path.read_bytes() == b"new"
