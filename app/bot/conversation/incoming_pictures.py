"""Pictures that people send: kept, or answered with what to send instead."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiogram.types import Message

from app.bot.transport.borrowed_pictures import BorrowedPictures, owner_of
from app.bot.transport.picture_downloads import DownloadError, PictureDownloads, picture_in
from app.bot.ui import texts
from models.pictures import PictureError


@dataclass(frozen=True, slots=True)
class IncomingPictures:
    """Fetches the pictures of messages for the person who sent or pointed at them."""

    downloads: PictureDownloads
    borrowed: BorrowedPictures

    async def keep(self, picture_messages: Iterable[Message], asked: Message) -> tuple[Path, ...]:
        """Keep the pictures of `picture_messages` that can be used, in their order.

        For the others `asked` is answered, with one sentence for each kind of problem.
        """
        outcomes = await asyncio.gather(
            *(self._keep(picture_message, asked) for picture_message in picture_messages)
        )
        for sentence in dict.fromkeys(each for each in outcomes if isinstance(each, str)):
            await asked.reply(sentence, allow_sending_without_reply=True)
        return tuple(each for each in outcomes if isinstance(each, Path))

    async def _keep(self, picture_message: Message, asked: Message) -> Path | str:
        """The kept picture, or the sentence that says why it can't be."""
        sent = picture_in(picture_message)
        if sent is None or asked.from_user is None:
            raise ValueError("a message with a picture, from a person, was expected")
        holder_id, owner_id, name = asked.from_user.id, owner_of(picture_message), uuid.uuid4().hex
        if owner_id is not None and owner_id != holder_id:
            await self.borrowed.note(name, holder_id=holder_id, owner_id=owner_id)
        try:
            return await self.downloads.keep(sent, holder_id, name=name)
        except PictureError as error:
            return texts.picture_problem(error.problem, max_pixels=error.max_pixels)
        except DownloadError as error:
            return texts.download_problem(error.problem, max_bytes=error.max_bytes)


def messages_with_pictures(album: Sequence[Message]) -> list[Message]:
    """The messages that have a picture."""
    return [message for message in album if picture_in(message)]
