"""The message of /queue: a person's own jobs, their places, and when each will be ready."""

from __future__ import annotations

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _
from aiogram.utils.keyboard import InlineKeyboardBuilder

from app.bot.ui import texts
from app.bot.ui.callback_data import JobId, OwnedCallback, Paged
from app.bot.ui.durations import in_words
from app.bot.ui.pages import Page, turning_buttons
from app.jobs.interface import JobView

BUTTONS_A_ROW = 4


class QueueCallback(OwnedCallback, prefix="queue"):
    """Cancel a job from the list."""

    job_id: JobId


def queue_text(page: Page[JobView], *, is_paused: bool = False) -> str:
    """A line for each job, in the order in which they will be painted; `is_paused` while nobody is
    there to paint.
    """
    paused = [texts.painting_is_paused()] if is_paused else []
    if not page.items:
        return "\n\n".join([_("Nothing of yours is waiting. Send me a photo!"), *paused])
    numbered = enumerate(page.items, start=page.first + 1)
    lines = [f"{number}. {_line(view, is_paused=is_paused)}" for number, view in numbered]
    return "\n\n".join(["\n".join([_("Your pictures:"), *lines]), *paused])


def queue_keyboard(page: Page[JobView], owner: int) -> InlineKeyboardMarkup | None:
    """A Cancel button for each, by its number."""
    buttons = [
        InlineKeyboardButton(
            text=f"✖️ {number}",
            callback_data=QueueCallback(owner=owner, job_id=view.job.id).pack(),
        )
        for number, view in enumerate(page.items, start=page.first + 1)
    ]
    if not buttons:
        return None
    builder = InlineKeyboardBuilder()
    builder.row(*buttons, width=BUTTONS_A_ROW)
    builder.row(*turning_buttons(page, Paged.QUEUE, owner))
    return builder.as_markup()


def _line(view: JobView, *, is_paused: bool) -> str:
    if view.place is not None:
        text = _("place in the queue: {place}").format(place=view.place)
    elif view.job.result is not None:
        return _("ready, on its way to you")
    else:
        text = _("being painted")
    if is_paused:
        return text
    return _("{what}, ready in ~{time}").format(what=text, time=in_words(view.seconds_left))
