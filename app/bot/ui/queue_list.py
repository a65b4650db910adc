"""The message of /queue: a person's own jobs, their places, and when each will be ready."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from app.bot.ui.callback_data import JobId, OwnedCallback
from app.bot.ui.durations import in_words
from app.jobs.interface import JobView

BUTTONS_A_ROW = 4


class QueueCallback(OwnedCallback, prefix="queue"):
    """Cancel a job from the list."""

    job_id: JobId


def queue_text(views: Sequence[JobView]) -> str:
    """A line for each job, in the order in which they will be painted."""
    if not views:
        return _("Nothing of yours is waiting. Send me a photo!")
    lines = [f"{number}. {_line(view)}" for number, view in enumerate(views, start=1)]
    return "\n".join([_("Your pictures:"), *lines])


def queue_keyboard(views: Sequence[JobView], owner: int) -> InlineKeyboardMarkup | None:
    """A Cancel button for each, by its number."""
    buttons = [
        InlineKeyboardButton(
            text=f"✖️ {number}",
            callback_data=QueueCallback(owner=owner, job_id=view.job.id).pack(),
        )
        for number, view in enumerate(views, start=1)
    ]
    if not buttons:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            buttons[start : start + BUTTONS_A_ROW]
            for start in range(0, len(buttons), BUTTONS_A_ROW)
        ]
    )


def _line(view: JobView) -> str:
    if view.place is not None:
        text = _("place in the queue: {place}").format(place=view.place)
    elif view.job.result is not None:
        return _("ready, on its way to you")
    else:
        text = _("being painted")
    return _("{what}, ready in ~{time}").format(what=text, time=in_words(view.seconds_left))
