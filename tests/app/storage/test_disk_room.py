"""Room is given away once."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.storage.disk_room import DiskRoom, NoRoomError, tree_bytes


class Keeper:
    """Deletes what it has, as far as it has something."""

    def __init__(self, *files: Path) -> None:
        self.files = list(files)
        self.promised = 0

    async def make_room(self, size_bytes: int) -> int:
        freed = 0
        while self.files and freed < size_bytes:
            file = self.files.pop(0)
            freed += file.stat().st_size
            file.unlink()
        return freed

    def room(self, root: Path, quota_bytes: int) -> DiskRoom:
        return DiskRoom(
            root,
            quota_bytes=quota_bytes,
            promised=lambda: self.promised,
            make_room=self.make_room,
        )


def fill(path: Path, size_bytes: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size_bytes))
    return path


async def test_what_is_reserved_is_nobody_else_s(tmp_path: Path) -> None:
    room = Keeper().room(tmp_path, 1_000_000)
    async with room.reserve(500_000):
        with pytest.raises(NoRoomError):
            async with room.reserve(500_000):
                pass
    async with room.reserve(900_000):
        pass


async def test_what_was_kept_is_counted_before_anybody_looks(tmp_path: Path) -> None:
    room = Keeper().room(tmp_path, 1_000_000)
    async with room.reserve(500_000) as reservation:
        fill(tmp_path / "a" / "b", 500_000)
        reservation.kept_bytes = 500_000
    with pytest.raises(NoRoomError):
        async with room.reserve(500_000):
            pass


async def test_everything_counts_and_what_is_promised_too(tmp_path: Path) -> None:
    fill(tmp_path / "jobs.sqlite3-wal", 400_000)
    fill(tmp_path / "cache" / "weights", 100_000)
    keeper = Keeper()
    keeper.promised = 300_000
    room = keeper.room(tmp_path, 1_000_000)
    with pytest.raises(NoRoomError):
        async with room.reserve(200_000):
            pass
    keeper.promised = 0
    async with room.reserve(200_000):
        pass


async def test_only_as_much_as_is_needed_is_deleted_before_anybody_is_refused(
    tmp_path: Path,
) -> None:
    files = [fill(tmp_path / str(n), 300_000) for n in range(3)]
    room = Keeper(*files).room(tmp_path, 1_000_000)
    async with room.reserve(250_000):
        assert [file.exists() for file in files] == [False, True, True]


async def test_a_reservation_grows_only_into_free_room(tmp_path: Path) -> None:
    room = Keeper().room(tmp_path, 1_000_000)
    async with room.reserve(100_000) as reservation:
        await room.grow(reservation, 800_000)
        with pytest.raises(NoRoomError):
            await room.grow(reservation, 1_000_000)
        assert reservation.size_bytes == 800_000


def test_a_tree_is_what_its_files_take_on_the_disk(tmp_path: Path) -> None:
    fill(tmp_path / "a" / "b" / "c", 10_000)
    (tmp_path / "link").symlink_to("nowhere")
    assert 10_000 <= tree_bytes(tmp_path) < 30_000
