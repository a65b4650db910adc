"""The picture of /style: drawn and uploaded once per language and set of presets."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiogram.types import BufferedInputFile, Message

from models.pictures import encode_jpeg
from styles.catalog import Catalog, Preset
from styles.gallery import gallery_sheet

FILE_NAME: Final = "styles.jpg"
PATIENCE_S: Final = 10.0
"""Somebody else's upload is waited for so long: Telegram may have told their chat to be silent."""

SendPicture = Callable[[str | BufferedInputFile], Awaitable[Message]]


@dataclass(slots=True)
class _Sheet:
    """What there is in one language, and the presets that it shows."""

    presets: tuple[Preset, ...] = ()
    file_id: str | None = None
    drawn: bytes | None = None
    """Until it has an id."""
    upload: asyncio.Event | None = None
    """While somebody uploads it; set when that has come to an end."""


class StyleGallery:
    """Remembers Telegram's own copy of the picture for as long as the presets stay the same.

    Where there is none yet, one person's picture is uploaded and the others wait for its id: else
    a crowd that comes at once uploads the same large file again and again.
    """

    def __init__(self, catalog: Catalog, *, patience_s: float = PATIENCE_S) -> None:
        self._catalog = catalog
        self._patience_s = patience_s
        self._sheets: defaultdict[str, _Sheet] = defaultdict(_Sheet)

    async def show(self, language: str, send: SendPicture) -> Message:
        """Have the picture sent by `send`; what that raises is raised here."""
        sheet = self._sheets[language]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s):
                # Again and again: where the upload failed, the next one who waits tries it.
                while self._file_id(sheet) is None and sheet.upload is not None:
                    await sheet.upload.wait()
        if (file_id := self._file_id(sheet)) is not None:
            return await send(file_id)
        return await self._upload(sheet, language, send)

    def _file_id(self, sheet: _Sheet) -> str | None:
        return sheet.file_id if sheet.presets == self._catalog.presets() else None

    async def _upload(self, sheet: _Sheet, language: str, send: SendPicture) -> Message:
        sheet.upload = mine = asyncio.Event()
        try:
            presets = self._catalog.presets()
            if sheet.drawn is None or sheet.presets != presets:
                drawn = await asyncio.to_thread(self._draw, language)
                sheet.presets, sheet.file_id, sheet.drawn = presets, None, drawn
            sent = await send(BufferedInputFile(sheet.drawn, FILE_NAME))
            # An admin may have changed the presets meanwhile: this is a picture of the old ones.
            if sent.photo and sheet.presets == presets == self._catalog.presets():
                sheet.file_id, sheet.drawn = sent.photo[-1].file_id, None
            return sent
        finally:
            mine.set()
            if sheet.upload is mine:
                sheet.upload = None

    def _draw(self, language: str) -> bytes:
        return encode_jpeg(gallery_sheet(self._catalog, language))
