"""Pictures and clips that people send: kept, or answered with what to send instead."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiogram.types import Message

from app.bot.conversation.draft_order import SentClip
from app.bot.transport.borrowed_pictures import BorrowedPictures, owner_of
from app.bot.transport.picture_downloads import DownloadError, KeptFile, PictureDownloads
from app.bot.transport.sent_files import picture_in
from app.bot.ui import texts
from models.clips.interface import ClipError
from models.pictures.problems import PictureError


@dataclass(frozen=True, slots=True)
class Received:
    """What came and can be used."""

    photos: tuple[Path, ...] = ()
    clips: tuple[SentClip, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.photos or self.clips)


@dataclass(frozen=True, slots=True)
class IncomingPictures:
    """Fetches the pictures of messages for the person who sent or pointed at them."""

    downloads: PictureDownloads
    borrowed: BorrowedPictures

    async def keep(
        self, picture_messages: Iterable[Message], asked: Message, *, may_move: bool = True
    ) -> Received:
        """Keep what can be used of `picture_messages`, in their order; clips only if it `may_move`.

        For the others `asked` is answered, with one sentence for each kind of problem.
        """
        outcomes = await asyncio.gather(
            *(
                self._keep(picture_message, asked, may_move=may_move)
                for picture_message in picture_messages
            )
        )
        for sentence in dict.fromkeys(each for each in outcomes if isinstance(each, str)):
            await asked.reply(sentence, allow_sending_without_reply=True)
        kept = [each for each in outcomes if isinstance(each, KeptFile)]
        return Received(
            photos=tuple(each.path for each in kept if each.clip is None),
            clips=tuple(SentClip(each.path, each.clip) for each in kept if each.clip is not None),
        )

    async def _keep(
        self, picture_message: Message, asked: Message, *, may_move: bool
    ) -> KeptFile | str:
        """The kept picture or clip, or the sentence that says why it can't be."""
        sent = picture_in(picture_message)
        if sent is None or asked.from_user is None:
            raise ValueError("a message with a picture, from a person, was expected")
        holder_id, owner_id, name = asked.from_user.id, owner_of(picture_message), uuid.uuid4().hex
        if owner_id is not None and owner_id != holder_id:
            await self.borrowed.note(name, holder_id=holder_id, owner_id=owner_id)
        try:
            return await self.downloads.keep(sent, holder_id, name=name, may_move=may_move)
        except PictureError as error:
            return texts.picture_problem(error.problem, max_pixels=error.max_pixels)
        except ClipError as error:
            return texts.clip_problem(error.problem, limit_s=error.limit)
        except DownloadError as error:
            return texts.download_problem(error.problem, max_bytes=error.max_bytes)


def messages_with_pictures(album: Sequence[Message]) -> list[Message]:
    """The messages that have a picture or clip."""
    return [message for message in album if picture_in(message)]
