"""The picture of /style: drawn once per language and set of presets, uploaded once."""

from __future__ import annotations

import asyncio
from typing import Final

from aiogram.types import BufferedInputFile, Message

from models.pictures import encode_jpeg
from styles.catalog import Catalog, Preset
from styles.gallery import gallery_sheet

FILE_NAME: Final = "styles.jpg"


class Gallery:
    """Remembers Telegram's own copy of the picture for as long as the presets stay the same."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._presets: tuple[Preset, ...] = ()
        self._file_ids: dict[str, str] = {}
        self._drawing = asyncio.Lock()
        self._drawn: dict[str, bytes] = {}

    async def picture(self, language: str) -> str | BufferedInputFile:
        """What to send: a file id where there is one, else the picture itself."""
        async with self._drawing:
            presets = self._catalog.presets()
            if presets != self._presets:
                self._presets = presets
                self._file_ids.clear()
                self._drawn.clear()
            if language in self._file_ids:
                return self._file_ids[language]
            if language not in self._drawn:
                self._drawn[language] = await asyncio.to_thread(self._draw, language)
            return BufferedInputFile(self._drawn[language], FILE_NAME)

    def was_sent(self, language: str, message: Message) -> None:
        """Learn the file id of the picture that was just sent."""
        if message.photo:
            self._file_ids[language] = message.photo[-1].file_id
            self._drawn.pop(language, None)

    def _draw(self, language: str) -> bytes:
        return encode_jpeg(gallery_sheet(self._catalog, language))
