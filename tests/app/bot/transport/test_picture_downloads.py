"""Downloads that stall, lie or break, and files that are no pictures."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Document
from PIL import Image, ImageChops, ImageOps, ImageStat

from app.bot.transport import picture_downloads as module
from app.bot.transport.picture_downloads import DownloadError, DownloadProblem, PictureDownloads
from app.decoding.pool import DecoderPool
from app.storage.disk_room import DiskRoom
from models.pictures.problems import PictureError, PictureProblem
from models.pictures.reading import open_picture
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.pictures import encoded, hills, huge_png, photo, sideways_jpeg

USER = 5
QUOTA_BYTES = 30_000_000


async def delete_nothing(size_bytes: int) -> int:
    return 0


@dataclass
class DownloadHarness:
    """A way for files to come in."""

    sandbox: FaultySandbox
    downloads: PictureDownloads
    folder: Path

    async def receive(
        self, data: bytes, *, claimed_size: int | None = None, user_id: int = USER
    ) -> Path:
        stored = self.sandbox.world.files.add_document(data, name="x.jpg", mime_type="image/jpeg")[
            "document"
        ]
        size = len(data) if claimed_size is None else claimed_size
        document = Document.model_validate(stored | {"file_size": size})
        return (await self.downloads.keep(document, user_id, may_move=False)).path

    @property
    def left(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[DownloadHarness]:
    async with FaultySandbox(port=0) as sandbox:
        session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.api_url))
        async with Bot(sandbox.token, session=session) as bot:
            decoders = DecoderPool()
            downloads = PictureDownloads(
                bot,
                tmp_path,
                decoders=decoders,
                room=DiskRoom(
                    tmp_path, quota_bytes=QUOTA_BYTES, promised=lambda: 0, make_room=delete_nothing
                ),
                max_mb_per_person=1,
                total_timeout_s=5,
                stall_timeout_s=0.2,
            )
            yield DownloadHarness(sandbox, downloads, tmp_path)
            await decoders.close()


async def test_a_picture_is_written_anew(harness: DownloadHarness) -> None:
    """The same to look at, and not one byte of the stranger's: no EXIF, no place."""
    data = sideways_jpeg()
    path = await harness.receive(data)
    assert path.suffix == ".jpg"
    with Image.open(path) as kept, Image.open(io.BytesIO(data)) as sent:
        assert not kept.getexif()
        upright = ImageOps.exif_transpose(sent).convert("RGB")
        difference = ImageStat.Stat(ImageChops.difference(kept, upright))
        assert max(difference.mean) < 3
    assert harness.left == [path]
    assert path.parent == harness.folder / str(USER)
    await harness.downloads.forget(USER)
    assert not harness.left


async def test_a_picture_is_on_the_disk_before_anybody_hears_of_it(
    harness: DownloadHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: set[int] = set()
    fsync = os.fsync

    def note(descriptor: int) -> None:
        flushed.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    path = await harness.receive(photo(1))
    names = [path, path.parent, harness.folder]
    assert {name.stat().st_ino for name in names} <= flushed, "a power cut would take it away"


async def test_a_picture_that_goes_while_the_room_is_measured_is_no_failure(
    harness: DownloadHarness,
) -> None:
    """One of the same album that gets its final name, in the moment in which it is looked at."""
    await harness.receive(photo(1))
    (harness.folder / str(USER) / "gone.part").symlink_to("nowhere")
    assert (await harness.receive(photo(2))).exists()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"no picture", PictureProblem.NOT_A_PICTURE),
        (b"", PictureProblem.NOT_A_PICTURE),
        (photo(1)[:-400], PictureProblem.DAMAGED),
        (encoded(hills(1, (3, 3)), "PNG"), PictureProblem.TOO_SMALL),
        (encoded(hills(1, (900, 20)), "PNG"), PictureProblem.TOO_LONG),
        (huge_png(9_000), PictureProblem.TOO_MANY_PIXELS),
        (
            encoded(hills(1), "GIF", save_all=True, append_images=[hills(2)]),
            PictureProblem.ANIMATED,
        ),
    ],
    ids=lambda value: value.value if isinstance(value, PictureProblem) else "",
)
async def test_what_can_t_be_used_is_refused_and_not_kept(
    harness: DownloadHarness, data: bytes, problem: PictureProblem
) -> None:
    with pytest.raises(PictureError) as caught:
        await harness.receive(data)
    assert caught.value.problem is problem
    assert not harness.left


@pytest.mark.parametrize(
    "data",
    [
        encoded(hills(1).convert("CMYK"), "JPEG"),
        encoded(Image.new("I;16", (64, 48), 30_000), "PNG"),
        encoded(hills(1).convert("RGBA"), "PNG"),
        encoded(hills(1), "WEBP"),
    ],
    ids=["cmyk", "16 bit", "rgba", "webp"],
)
async def test_unusual_pictures_are_welcome(harness: DownloadHarness, data: bytes) -> None:
    assert open_picture(await harness.receive(data)).mode == "RGB"


@pytest.mark.parametrize("trouble", ["stall", "short", "server error"])
async def test_a_download_that_breaks_once_is_tried_again(
    harness: DownloadHarness, trouble: str
) -> None:
    make_trouble(harness, trouble, times=1)
    assert open_picture(await harness.receive(photo(1)))
    first, second = (each.at for each in harness.sandbox.world.calls if each.method == "getFile")
    assert second - first > 0.9 * module.RETRY_PAUSE_S, "there was no pause"


@pytest.mark.parametrize("trouble", ["stall", "short", "server error"])
async def test_a_download_that_goes_on_breaking_is_given_up_without_the_token(
    harness: DownloadHarness, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    make_trouble(harness, trouble, times=None)
    with pytest.raises(DownloadError) as caught:
        await harness.receive(photo(1))
    assert caught.value.problem is DownloadProblem.FAILED
    assert caught.value.__suppress_context__
    assert harness.sandbox.token not in str(caught.value) + caplog.text
    assert not harness.left


async def test_a_download_that_lies_about_its_size_is_cut_off(
    harness: DownloadHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 300_000)
    harness.sandbox.faults.lying_download(size=5_000_000, times=None)
    with pytest.raises(DownloadError) as caught:
        await harness.receive(photo(1))
    assert caught.value.problem is DownloadProblem.TOO_LARGE
    assert not harness.left


async def test_a_person_has_a_share_of_the_disk(harness: DownloadHarness) -> None:
    first = await harness.receive(encoded(Image.effect_noise((1400, 1400), 120), "PNG"))
    assert first.stat().st_size > 1_000_000
    with pytest.raises(DownloadError) as caught:
        await harness.receive(photo(1))
    assert caught.value.problem is DownloadProblem.NO_ROOM
    assert harness.left == [first]


async def test_what_comes_in_is_counted_before_it_is_here(harness: DownloadHarness) -> None:
    """Three at once, each within the quota, and not all of them together."""
    taken = await asyncio.gather(
        *(harness.receive(photo(n), claimed_size=12_000_000, user_id=n) for n in range(3)),
        return_exceptions=True,
    )
    refused = [each for each in taken if isinstance(each, DownloadError)]
    assert [each.problem for each in refused] == [DownloadProblem.NO_ROOM]
    assert len(harness.left) == 2
    assert await harness.receive(photo(4)), "what was reserved and not needed is free again"


async def test_a_file_that_is_larger_than_it_said_stops_at_the_quota(
    harness: DownloadHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100_000_000)
    harness.sandbox.faults.lying_download(size=40_000_000, times=None)
    with pytest.raises(DownloadError) as caught:
        await harness.receive(photo(1), claimed_size=1000)
    assert caught.value.problem is DownloadProblem.NO_ROOM
    assert not harness.left


async def test_what_says_that_it_is_too_large_is_not_even_asked_for(
    harness: DownloadHarness,
) -> None:
    with pytest.raises(DownloadError) as caught:
        await harness.receive(photo(1), claimed_size=module.MAX_BYTES + 1)
    assert caught.value.problem is DownloadProblem.TOO_LARGE
    assert not harness.sandbox.world.calls


def make_trouble(harness: DownloadHarness, trouble: str, *, times: int | None) -> None:
    faults = harness.sandbox.faults
    match trouble:
        case "stall":
            faults.stall("download", seconds=2, times=times)
        case "short":
            faults.short_download(times=times)
        case _:
            faults.server_error("download", code=500, times=times)
