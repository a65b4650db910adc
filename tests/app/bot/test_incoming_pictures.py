"""Downloads that stall, lie or break, and files that are no pictures."""

from __future__ import annotations

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
from PIL import Image

from app.bot import pictures as module
from app.bot.pictures import DownloadError, DownloadProblem, Pictures
from app.sandbox.server import Sandbox
from models.pictures import PictureError, PictureProblem, open_picture
from tests.e2e.pictures import encoded, hills, huge_png, photo

USER = 5


@dataclass
class Post:
    """A way for files to come in."""

    sandbox: Sandbox
    pictures: Pictures
    folder: Path

    async def bring(self, data: bytes, *, claimed_size: int | None = None) -> Path:
        stored = self.sandbox.world.files.add_document(data, name="x.jpg", mime_type="image/jpeg")[
            "document"
        ]
        size = len(data) if claimed_size is None else claimed_size
        document = Document.model_validate(stored | {"file_size": size})
        return await self.pictures.keep(document, USER)

    @property
    def left(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest_asyncio.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with Sandbox(port=0) as sandbox:
        session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.api_url))
        async with Bot(sandbox.token, session=session) as bot:
            pictures = Pictures(
                bot, tmp_path, max_mb_per_person=1, total_timeout_s=5, stall_timeout_s=0.2
            )
            yield Post(sandbox, pictures, tmp_path)


async def test_a_picture_is_kept_as_it_came(post: Post) -> None:
    data = photo(1)
    path = await post.bring(data)
    assert path.read_bytes() == data
    assert post.left == [path]
    assert path.parent == post.folder / str(USER)
    await post.pictures.forget(USER)
    assert not post.left


async def test_a_picture_is_on_the_disk_before_anybody_hears_of_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: set[int] = set()
    fsync = os.fsync

    def note(descriptor: int) -> None:
        flushed.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    path = await post.bring(photo(1))
    names = [path, path.parent, post.folder]
    assert {name.stat().st_ino for name in names} <= flushed, "a power cut would take it away"


async def test_a_picture_that_goes_while_the_room_is_measured_is_no_failure(post: Post) -> None:
    """One of the same album that gets its final name, in the moment in which it is looked at."""
    await post.bring(photo(1))
    (post.folder / str(USER) / "gone.part").symlink_to("nowhere")
    assert (await post.bring(photo(2))).exists()


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
    post: Post, data: bytes, problem: PictureProblem
) -> None:
    with pytest.raises(PictureError) as caught:
        await post.bring(data)
    assert caught.value.problem is problem
    assert not post.left


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
async def test_unusual_pictures_are_welcome(post: Post, data: bytes) -> None:
    assert open_picture(await post.bring(data)).mode == "RGB"


@pytest.mark.parametrize("trouble", ["stall", "short", "server error"])
async def test_a_download_that_breaks_once_is_tried_again(post: Post, trouble: str) -> None:
    make_trouble(post, trouble, times=1)
    assert open_picture(await post.bring(photo(1)))
    first, second = (each.at for each in post.sandbox.world.calls if each.method == "getFile")
    assert second - first > 0.9 * module.RETRY_PAUSE_S, "there was no pause"


@pytest.mark.parametrize("trouble", ["stall", "short", "server error"])
async def test_a_download_that_goes_on_breaking_is_given_up_without_the_token(
    post: Post, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    make_trouble(post, trouble, times=None)
    with pytest.raises(DownloadError) as caught:
        await post.bring(photo(1))
    assert caught.value.problem is DownloadProblem.FAILED
    assert caught.value.__suppress_context__
    assert post.sandbox.token not in str(caught.value) + caplog.text
    assert not post.left


async def test_a_download_that_lies_about_its_size_is_cut_off(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 300_000)
    post.sandbox.faults.lying_download(size=5_000_000, times=None)
    with pytest.raises(DownloadError) as caught:
        await post.bring(photo(1))
    assert caught.value.problem is DownloadProblem.TOO_LARGE
    assert not post.left


async def test_a_person_has_a_share_of_the_disk(post: Post) -> None:
    first = await post.bring(encoded(Image.effect_noise((1400, 1400), 120), "PNG"))
    assert first.stat().st_size > 1_000_000
    with pytest.raises(DownloadError) as caught:
        await post.bring(photo(1))
    assert caught.value.problem is DownloadProblem.NO_ROOM
    assert post.left == [first]


async def test_what_says_that_it_is_too_large_is_not_even_asked_for(post: Post) -> None:
    with pytest.raises(DownloadError) as caught:
        await post.bring(photo(1), claimed_size=module.MAX_BYTES + 1)
    assert caught.value.problem is DownloadProblem.TOO_LARGE
    assert not post.sandbox.world.calls


def make_trouble(post: Post, trouble: str, *, times: int | None) -> None:
    faults = post.sandbox.faults
    match trouble:
        case "stall":
            faults.stall("download", seconds=2, times=times)
        case "short":
            faults.short_download(times=times)
        case _:
            faults.server_error("download", code=500, times=times)
