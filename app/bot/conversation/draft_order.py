"""What a person has said so far, kept with the conversation's state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from aiogram.fsm.context import FSMContext
from pydantic import BaseModel, ValidationError

from app.bot.conversation.fsm_storage import ConversationStorage
from app.jobs.model import Clip, JobRequest, StyleAdjustments, StyleChoice

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SentClip:
    """A moving picture that somebody sent; it may be painted, and never is a style."""

    path: Path
    clip: Clip


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOrder:
    """Pictures and styles that are not a job yet."""

    photos: tuple[Path, ...] = ()
    """Pictures as they came, the oldest first; what each of them is for may be open."""
    clips: tuple[SentClip, ...] = ()
    """What moves among what is to be painted."""
    styles: tuple[StyleChoice, ...] = ()
    adjustments: StyleAdjustments | None = None
    """How the styles are to be painted, if it was settled by an earlier picture."""
    mixing: bool = False
    """Whether the next style joins the others instead of taking their place."""
    page: int = 0
    """Which of the ready styles are shown, from 0."""

    @property
    def contents(self) -> tuple[Path | SentClip, ...]:
        """All that there is to paint."""
        return (*self.photos, *self.clips)

    @classmethod
    def again(cls, requests: Iterable[JobRequest]) -> Self:
        """The same photos and clips once more, for other styles."""
        asked = list(requests)
        return cls(
            photos=tuple(each.content for each in asked if each.clip is None),
            clips=tuple(SentClip(each.content, each.clip) for each in asked if each.clip),
        )

    @property
    def presets(self) -> tuple[str, ...]:
        """The slugs of the ready styles among the chosen ones."""
        return tuple(choice.preset for choice in self.styles if choice.preset is not None)


class _Stored(BaseModel):
    """As `save_order` writes it; what another version added is passed over."""

    photos: list[Path] = []
    clips: list[SentClip] = []
    styles: list[tuple[Path, str | None]] = []
    look: StyleAdjustments | None = None
    mixing: bool = False
    page: int = 0


async def load_order(state: FSMContext) -> DraftOrder:
    """The order of this conversation; pictures that were deleted meanwhile are left out."""
    stored = _stored(await state.get_data())
    styles = [StyleChoice(picture, preset) for picture, preset in stored.styles]
    pictures = [
        *stored.photos,
        *(sent.path for sent in stored.clips),
        *(style.picture for style in styles),
    ]
    there = await asyncio.to_thread(_existing, pictures)
    return DraftOrder(
        photos=tuple(photo for photo in stored.photos if photo in there),
        clips=tuple(sent for sent in stored.clips if sent.path in there),
        styles=tuple(style for style in styles if style.picture in there),
        adjustments=stored.look,
        mixing=stored.mixing,
        page=stored.page,
    )


async def save_order(state: FSMContext, order: DraftOrder, *, done_by: str | None = None) -> None:
    """Keep the order over restarts, until the conversation ends.

    `done_by` is what had an order painted: should its update come again, nothing more is to
    happen.
    """
    data: dict[str, Any] = {
        "photos": [str(path) for path in order.photos],
        "clips": [{"path": str(sent.path), "clip": asdict(sent.clip)} for sent in order.clips],
        "styles": [(str(choice.picture), choice.preset) for choice in order.styles],
        "look": None if order.adjustments is None else asdict(order.adjustments),
        "mixing": order.mixing,
        "page": order.page,
        "done_by": done_by,
    }
    await state.set_data(data)


async def pictures_in_orders(storage: ConversationStorage, user_id: int) -> set[Path]:
    """All that a person has sent for pictures that are no jobs yet, in any chat."""
    pictures: set[Path] = set()
    for stored in map(_stored, await storage.data_of(user_id)):
        pictures.update(stored.photos, (picture for picture, _ in stored.styles))
        pictures.update(sent.path for sent in stored.clips)
    return pictures


async def was_done_by(state: FSMContext, *, origin: str) -> bool:
    """Whether this update had the last order painted."""
    return (await state.get_data()).get("done_by") == origin


def _stored(data: dict[str, Any]) -> _Stored:
    try:
        return _Stored.model_validate(data)
    except ValidationError:
        logger.error("an order can't be read, and begins anew")
        return _Stored()


def _existing(paths: Sequence[Path]) -> set[Path]:
    return {path for path in paths if path.is_file()}
