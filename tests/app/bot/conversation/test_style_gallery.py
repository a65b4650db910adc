"""The picture of /style goes up once, whoever and however many ask for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiogram.types import BufferedInputFile, Message

from app.bot.conversation.style_gallery import StyleGallery
from styles.catalog import Catalog, default_catalog
from tests.app.bot.reporter_harness import eventually
from tests.e2e.pictures import photo


class Line:
    """Notes what is sent; an upload takes until `arrive`, and fails where it is told to."""

    def __init__(self) -> None:
        self.sent: list[str | BufferedInputFile] = []
        self.arrive = asyncio.Event()
        self.fails = 0

    @property
    def uploads(self) -> int:
        return sum(isinstance(each, BufferedInputFile) for each in self.sent)

    async def send(self, picture: str | BufferedInputFile) -> Message:
        self.sent.append(picture)
        number = len(self.sent)
        if isinstance(picture, BufferedInputFile):
            await self.arrive.wait()
            if self.fails:
                self.fails -= 1
                raise ConnectionError
        size = {"file_id": f"id{number}", "file_unique_id": "u", "width": 9, "height": 9}
        chat = {"id": 1, "type": "private"}
        about = {"message_id": number, "date": 0, "chat": chat, "photo": [size]}
        return Message.model_validate(about)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return default_catalog(tmp_path)


@pytest.fixture
def line() -> Line:
    return Line()


async def crowd(gallery: StyleGallery, line: Line, people: int = 5) -> list[asyncio.Task[Message]]:
    """All of them have asked, and one is uploading."""
    tasks = [asyncio.create_task(gallery.show("en", line.send)) for _ in range(people)]
    await eventually(lambda: line.sent)
    return tasks


async def test_a_crowd_uploads_it_once(catalog: Catalog, line: Line) -> None:
    tasks = await crowd(gallery := StyleGallery(catalog), line)
    await asyncio.sleep(0.05)
    assert len(line.sent) == 1
    line.arrive.set()
    await asyncio.gather(*tasks)
    await gallery.show("en", line.send)
    assert line.sent[1:] == ["id1"] * 5


async def test_each_language_has_its_own(catalog: Catalog, line: Line) -> None:
    gallery = StyleGallery(catalog)
    line.arrive.set()
    for language in ("en", "ru", "en", "ru"):
        await gallery.show(language, line.send)
    assert line.sent[2:] == ["id1", "id2"]


async def test_after_an_upload_that_failed_the_next_one_uploads(
    catalog: Catalog, line: Line
) -> None:
    line.fails = 2
    tasks = await crowd(StyleGallery(catalog), line)
    line.arrive.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [ConnectionError] * 2 + [Message] * 3
    assert line.uploads == 3
    assert line.sent[3:] == ["id3"] * 2


async def test_an_upload_that_takes_too_long_is_waited_for_by_nobody(
    catalog: Catalog, line: Line
) -> None:
    tasks = await crowd(StyleGallery(catalog, patience_s=0.05), line, people=2)
    await eventually(lambda: line.uploads == 2)
    line.arrive.set()
    await asyncio.gather(*tasks)


async def test_an_upload_given_up_holds_nobody_up(catalog: Catalog, line: Line) -> None:
    first, *others = await crowd(StyleGallery(catalog), line, people=3)
    first.cancel()
    line.arrive.set()
    await asyncio.gather(*others)
    assert line.uploads == 2


async def test_presets_that_change_during_an_upload_are_shown_next(
    catalog: Catalog, line: Line, tmp_path: Path
) -> None:
    tasks = await crowd(gallery := StyleGallery(catalog), line, people=1)
    (tmp_path / "new.jpg").write_bytes(photo(1))
    catalog.add("Brand new", tmp_path / "new.jpg")
    line.arrive.set()
    await asyncio.gather(*tasks)
    await gallery.show("en", line.send)
    await gallery.show("en", line.send)
    assert line.uploads == 2
    assert line.sent[2] == "id2"
