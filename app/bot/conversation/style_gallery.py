"""The pictures of /style: one a page, drawn and uploaded once per language and set of presets."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiogram.types import BufferedInputFile, Message

from app.bot.ui.pages import page_of
from models.pictures.encoding import encode_jpeg
from styles.catalog import Catalog, Preset
from styles.gallery import gallery_sheet

FILE_NAME: Final = "styles.jpg"
PATIENCE_S: Final = 10.0
"""Somebody else's upload is waited for so long: Telegram may have told their chat to be silent."""

SendPicture = Callable[[str | BufferedInputFile], Awaitable[Message]]


@dataclass(slots=True)
class _Sheet:
    """What there is of one page in one language, and the presets that it shows."""

    presets: tuple[Preset, ...] = ()
    file_id: str | None = None
    drawn: bytes | None = None
    """Until it has an id."""
    upload: asyncio.Event | None = None
    """While somebody uploads it; set when that has come to an end."""


class StyleGallery:
    """Remembers Telegram's own copy of a picture for as long as its presets stay the same.

    Where there is none yet, one person's picture is uploaded and the others wait for its id: else
    a crowd that comes at once uploads the same large file again and again.
    """

    def __init__(self, catalog: Catalog, *, patience_s: float = PATIENCE_S) -> None:
        self._catalog = catalog
        self._patience_s = patience_s
        self._sheets: defaultdict[tuple[str, int], _Sheet] = defaultdict(_Sheet)

    async def show(self, language: str, send: SendPicture, *, page: int = 0) -> Message:
        """Have the picture of a page sent by `send`; what that raises is raised here."""
        page = page_of(self._catalog.presets(), page).number
        sheet = self._sheets[language, page]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                # Again and again: where the upload failed, the next one who waits tries it.
                while self._file_id(sheet, page) is None and sheet.upload is not None:
                    await sheet.upload.wait()
        if (file_id := self._file_id(sheet, page)) is not None:
            return await send(file_id)
        return await self._upload(sheet, language, page, send)

    def _presets(self, page: int) -> tuple[Preset, ...]:
        return page_of(self._catalog.presets(), page).items

    def _file_id(self, sheet: _Sheet, page: int) -> str | None:
        return sheet.file_id if sheet.presets == self._presets(page) else None

    async def _upload(self, sheet: _Sheet, language: str, page: int, send: SendPicture) -> Message:
        sheet.upload = mine = asyncio.Event()
        try:
            presets = self._presets(page)
            if sheet.drawn is None or sheet.presets != presets:
                drawn = await asyncio.to_thread(_draw, presets, language)
                sheet.presets, sheet.file_id, sheet.drawn = presets, None, drawn
            sent = await send(BufferedInputFile(sheet.drawn, FILE_NAME))
            # An admin may have changed the presets meanwhile: this is a picture of the old ones.
            if sent.photo and sheet.presets == presets == self._presets(page):
                sheet.file_id, sheet.drawn = sent.photo[-1].file_id, None
            return sent
        finally:
            mine.set()
            if sheet.upload is mine:
                sheet.upload = None


def _draw(presets: Sequence[Preset], language: str) -> bytes:
    return encode_jpeg(gallery_sheet(presets, language))
