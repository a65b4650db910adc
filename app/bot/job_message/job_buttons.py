"""Buttons under a job's status message and under its result, and what they carry."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from app.bot.job_message.clip_media import kind_of
from app.bot.job_message.extras import Extra, ExtraCallback
from app.bot.job_message.sharing import share_button
from app.bot.job_message.variations import Variation, possible_variations
from app.bot.ui.callback_data import JobId
from app.jobs.model import Job
from app.pictures.frames import MIN_FRAMES
from models.clips.interface import ClipKind
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


class MoreCallback(CallbackData, prefix="more"):
    """A button under a result: show all the others, or the few again."""

    is_open: bool
    """How the keyboard is to be."""
    job_id: JobId


class DeleteCallback(CallbackData, prefix="delete"):
    """A button under a result: it and its files go."""

    job_id: JobId


class TrialCallback(CallbackData, prefix="trial"):
    """A button under a new style's first painting; only admins get that far."""

    keep: bool
    job_id: JobId


FIRST_ROW = (Variation.WEAKER, Variation.STRONGER)
"""What is pressed most: one more look at the same picture costs one touch."""
MORE_ROWS = (
    (Variation.FINER, Variation.BROADER),
    (Variation.COLORS, Variation.FACES),
    (Variation.OTHER_PHOTO, Variation.SWAP),
    (Variation.HD, Variation.PRINT_A4, Variation.PRINT_A3),
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


def result_keyboard(
    jobs: Sequence[Job], *, can_share: bool, is_open: bool = False
) -> InlineKeyboardMarkup:
    """Two rows, and if `is_open` all else that makes sense; for a style on trial the verdict.

    `jobs` are what the buttons are about: one job, or all of an album; then the first one says how
    the others were painted, too. What stands in the two rows keeps its place. `can_share` is
    whether inline mode is on.
    """
    job = jobs[0]
    if job.request.is_trial:
        return _trial_keyboard(job.id)
    has_faces = any(each.faces for each in jobs)
    possible = possible_variations(job.request, has_faces=has_faces)

    def row_of(variations: Sequence[Variation]) -> list[InlineKeyboardButton]:
        return [_again_button(each, job) for each in variations if each in possible]

    second = row_of([Variation.OTHER_STYLE])
    # Telegram sends no video note again by inline mode.
    if can_share and kind_of(job) is not ClipKind.VIDEO_NOTE:
        second.append(share_button(job))
    rows = [row_of(FIRST_ROW), [*second, _more_button(job, is_open)]]
    if is_open:
        extras = _extra_buttons(jobs) if job.request.clip is None else []
        rows += [*map(row_of, MORE_ROWS), extras, [_delete_button(job)]]
    return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])


def _more_button(job: Job, is_open: bool) -> InlineKeyboardButton:
    return InlineKeyboardButton(
        text=_("‹ Less") if is_open else _("⋯ More"),
        callback_data=MoreCallback(is_open=not is_open, job_id=job.id).pack(),
    )


def _again_button(variation: Variation, job: Job) -> InlineKeyboardButton:
    return InlineKeyboardButton(
        text=_label(variation, job.request.options),
        callback_data=AgainCallback(variation=variation, job_id=job.id).pack(),
    )


def _extra_buttons(jobs: Sequence[Job]) -> list[InlineKeyboardButton]:
    job = jobs[0]
    labels = {Extra.COMPARISON: _("🌓 Before / after")}
    if any(each.frames >= MIN_FRAMES for each in jobs):
        labels[Extra.FILM] = _("🎞 Film")
    return [
        InlineKeyboardButton(
            text=text, callback_data=ExtraCallback(extra=extra, job_id=job.id).pack()
        )
        for extra, text in labels.items()
    ]


def _delete_button(job: Job) -> InlineKeyboardButton:
    return InlineKeyboardButton(
        text=_("🗑 Delete"), callback_data=DeleteCallback(job_id=job.id).pack()
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
        Variation.HD: _("🔍 HD file"),
        Variation.PRINT_A4: _("🖨 A4"),
        Variation.PRINT_A3: _("🖨 A3"),
        Variation.FACES: _("🙂 Natural faces"),
        Variation.OTHER_STYLE: _("🖼 Other style"),
        Variation.OTHER_PHOTO: _("📷 Other photo"),
        Variation.SWAP: _("🔄 Swap photo and style"),
    }
    return labels[variation]
