"""One process to a folder, and a sentence of its own for each thing that is in the way."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from app.storage.folders import Folders, UnusableFolderError
from app.storage.lock import FolderInUseError, FolderLock


def fail(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_a_second_lock_is_refused(tmp_path: Path) -> None:
    lock = FolderLock.acquire(tmp_path / "lock")
    with pytest.raises(FolderInUseError, match="Another process"):
        FolderLock.acquire(tmp_path / "lock")
    lock.release()
    FolderLock.acquire(tmp_path / "lock").release()


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "may not write"),
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "can only be read"),
        (errno.ENOLCK, "can't be used"),
    ],
)
@pytest.mark.parametrize("where", ["open", "flock"])
def test_what_else_is_wrong_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str, where: str
) -> None:
    def broken(*_: object) -> None:
        raise fail(number)

    if where == "open":
        monkeypatch.setattr(Path, "open", broken)
    else:
        monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(UnusableFolderError, match=reason) as refused:
        FolderLock.acquire(tmp_path / "lock")
    assert str(tmp_path / "lock") in str(refused.value)
    assert "Another process" not in str(refused.value)


@pytest.mark.parametrize("part", ["", "originals", "results"])
def test_a_file_in_the_way_of_a_folder_is_said(tmp_path: Path, part: str) -> None:
    root = tmp_path / "data"
    (root / part).parent.mkdir(exist_ok=True)
    (root / part).write_text("in the way")
    with pytest.raises(UnusableFolderError, match=r"can't be used: a file .* in the way"):
        Folders(root).make()


def test_what_is_inside_is_for_the_bots_own_account(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    for folder in (tmp_path, folders.originals, folders.results):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    folders.make()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o700}
