"""Buttons under a job's status message and under its result, and what they carry."""

from __future__ import annotations

import enum

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from app.bot.job_message.variations import Variation, possible_variations
from app.bot.ui.callback_data import JobId
from app.jobs.model import Job
from models.interface import StyleOptions


class JobAction(enum.StrEnum):
    """What can be done to an open job."""

    STOP = "stop"
    CANCEL = "cancel"


class JobCallback(CallbackData, prefix="job"):
    """A button of an open job; whether it is one's own is checked when it is pressed."""

    action: JobAction
    job_id: JobId


class AgainCallback(CallbackData, prefix="again"):
    """A button under a result: paint the original photo once more, otherwise."""

    variation: Variation
    job_id: JobId


class TrialCallback(CallbackData, prefix="trial"):
    """A button under a new style's first painting; only admins get that far."""

    keep: bool
    job_id: JobId


ROWS = (
    (Variation.WEAKER, Variation.STRONGER),
    (Variation.FINER, Variation.BROADER),
    (Variation.COLORS, Variation.HD),
    (Variation.FACES,),
    (Variation.OTHER_STYLE, Variation.OTHER_PHOTO),
    (Variation.SWAP,),
)
"""What belongs together stands together, also where one of the two is at its bound."""


def open_job_keyboard(job_id: int, *, stop: bool) -> InlineKeyboardMarkup:
    """Cancel, and Stop once there is something to keep."""
    actions = [JobAction.STOP, JobAction.CANCEL] if stop else [JobAction.CANCEL]
    texts = {JobAction.STOP: _("⏹ Stop"), JobAction.CANCEL: _("✖️ Cancel")}
    row = [
        InlineKeyboardButton(
            text=texts[action], callback_data=JobCallback(action=action, job_id=job_id).pack()
        )
        for action in actions
    ]
    return InlineKeyboardMarkup(inline_keyboard=[row])


def result_keyboard(job: Job, *, has_faces: bool) -> InlineKeyboardMarkup:
    """All variations that make sense for this job; for a style on trial the verdict.

    `has_faces` is of the photo, or of any in the album that `job` stands for.
    """
    if job.request.is_trial:
        return _trial_keyboard(job.id)
    possible = possible_variations(job.request, has_faces=has_faces)
    rows = [
        [_again_button(variation, job) for variation in row if variation in possible]
        for row in ROWS
    ]
    return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])


def _again_button(variation: Variation, job: Job) -> InlineKeyboardButton:
    return InlineKeyboardButton(
        text=_label(variation, job.request.options),
        callback_data=AgainCallback(variation=variation, job_id=job.id).pack(),
    )


def _trial_keyboard(job_id: int) -> InlineKeyboardMarkup:
    verdicts = {_("✅ Keep the style"): True, _("🗑 Drop it"): False}
    row = [
        InlineKeyboardButton(
            text=text, callback_data=TrialCallback(keep=keep, job_id=job_id).pack()
        )
        for text, keep in verdicts.items()
    ]
    return InlineKeyboardMarkup(inline_keyboard=[row])


def _label(variation: Variation, options: StyleOptions) -> str:
    match variation:
        case Variation.COLORS if options.keep_colors:
            return _("🎨 Painting's colours")
        case Variation.FACES if options.keep_faces:
            return _("🎭 Faces as painted")
    labels = {
        Variation.WEAKER: _("➖ Weaker"),
        Variation.STRONGER: _("➕ Stronger"),
        Variation.FINER: _("🖌 Smaller brush"),
        Variation.BROADER: _("🖌 Larger brush"),
        Variation.COLORS: _("🌈 Photo's colours"),
        Variation.HD: _("🔍 HD as a file"),
        Variation.FACES: _("🙂 Natural faces"),
        Variation.OTHER_STYLE: _("🖼 Other style"),
        Variation.OTHER_PHOTO: _("📷 Other photo"),
        Variation.SWAP: _("🔄 Swap photo and style"),
    }
    return labels[variation]
