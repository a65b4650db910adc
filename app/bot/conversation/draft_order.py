"""What a person has said so far, kept with the conversation's state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiogram.fsm.context import FSMContext

from app.jobs.model import StyleAdjustments, StyleChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOrder:
    """Pictures and styles that are not a job yet."""

    photos: tuple[Path, ...] = ()
    """Pictures as they came, the oldest first; what each of them is for may be open."""
    styles: tuple[StyleChoice, ...] = ()
    adjustments: StyleAdjustments | None = None
    """How the styles are to be painted, if it was settled by an earlier picture."""
    mixing: bool = False
    """Whether the next style joins the others instead of taking their place."""
    question: int | None = None
    """The message whose buttons belong to these pictures; those of older ones are out of date."""

    @property
    def presets(self) -> tuple[str, ...]:
        """The slugs of the ready styles among the chosen ones."""
        return tuple(choice.preset for choice in self.styles if choice.preset is not None)


async def load_order(state: FSMContext) -> DraftOrder:
    """The order of this conversation; pictures that were deleted meanwhile are left out."""
    data = await state.get_data()
    photos = [Path(name) for name in data.get("photos", ())]
    styles = [StyleChoice(Path(name), preset) for name, preset in data.get("styles", ())]
    adjustments = data.get("look")
    return DraftOrder(
        photos=await asyncio.to_thread(_existing, photos),
        styles=tuple(styles),
        adjustments=None if adjustments is None else StyleAdjustments(**adjustments),
        mixing=data.get("mixing", False),
        question=data.get("question"),
    )


async def save_order(state: FSMContext, order: DraftOrder) -> None:
    """Keep the order over restarts, until the conversation ends."""
    data: dict[str, Any] = {
        "photos": [str(path) for path in order.photos],
        "styles": [(str(choice.picture), choice.preset) for choice in order.styles],
        "look": None if order.adjustments is None else asdict(order.adjustments),
        "mixing": order.mixing,
        "question": order.question,
    }
    await state.set_data(data)


async def close_order(state: FSMContext, *, origin: str, question: int | None = None) -> None:
    """End the conversation, and remember by what: should its update come again, or a button of
    its question be pressed twice, nothing more is to happen.
    """
    await state.set_data({"closed_by": origin, "closed_question": question})
    await state.set_state(None)


async def was_closed_by(state: FSMContext, *, origin: str, question: int | None) -> bool:
    """Whether this update, or one on the same question, ended the last conversation."""
    data = await state.get_data()
    closed_question = data.get("closed_question")
    is_same_question = closed_question is not None and closed_question == question
    return is_same_question or data.get("closed_by") == origin


def _existing(paths: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(path for path in paths if path.is_file())
