"""What a status message says about a job, in the current language."""

from __future__ import annotations

from aiogram.utils.i18n import gettext as _

from app.bot.ui import texts
from app.bot.ui.durations import in_words
from app.bot.ui.numbers import number
from app.jobs.interface import WorkerState
from app.jobs.model import Clip, Failure, Job
from models.interface import StepReport
from models.pictures.problems import PictureProblem

BAR_CELLS = 12
FULL_CELL, EMPTY_CELL = "▰", "▱"


def bar(done: int, total: int) -> str:
    """A bar of `BAR_CELLS` cells; full only when everything is done."""
    full = BAR_CELLS * min(done, total) // max(total, 1)
    return FULL_CELL * full + EMPTY_CELL * (BAR_CELLS - full)


def waiting(place: int, seconds_left: float | None, *, is_paused: bool = False) -> str:
    """The place among the waiting, and when the picture will likely be ready."""
    lines = [_("Please wait… Your place in the queue: {place}").format(place=place)]
    if is_paused:
        lines.append(texts.painting_is_paused())
    elif seconds_left is not None:
        lines.append(_("Ready in: ~{time}").format(time=in_words(seconds_left)))
    return "\n".join(lines)


def painting(report: StepReport | None, clip: Clip | None = None) -> str:
    """The bar, the steps and the time left; of a clip the frames, and its own seconds too."""
    if report is None:
        return _("Please wait… I am starting to paint 🎨")
    lines = [f"{bar(report.step, report.steps)} {report.step} / {report.steps}"]
    if clip is not None:
        painted_s = clip.seconds * min(report.step / max(report.steps, 1), 1)
        seconds = {"done": number(painted_s), "all": number(clip.seconds)}
        lines.append(_("Painted: {done} of {all} s").format(**seconds))
    if report.step >= report.steps:
        lines.append(_("The last touches…"))
    elif report.seconds_left is not None:
        lines.append(_("Left: ~{time}").format(time=in_words(report.seconds_left)))
    return "\n".join(lines)


def of_album(number: int, size: int, text: str) -> str:
    """The same for one photo of several."""
    return _("Photo {number} of {size}").format(number=number, size=size) + "\n" + text


def style_line(style: str) -> str:
    """What it is painted in, and how that is changed; `style` is empty where it has no name."""
    if not style:
        return _("In a style of your own. A ready one: /style")
    return _("Style: {style}. Another one: /style").format(style=style)


def cancelled() -> str:
    return _("Cancelled. Send me another photo whenever you like.")


def set_aside(job: Job) -> str:
    """For admins."""
    return _("Job {id} took the bot down {count} times and was set aside; see the log.").format(
        id=job.id, count=job.attempts
    )


def painting_paused() -> str:
    """For admins."""
    return _(
        "All machines that paint are away; see the log. Orders are taken and wait, and painting "
        "goes on by itself as soon as one is back."
    )


def painting_resumed(device: str) -> str:
    """For admins."""
    return _("{device} is there: painting goes on.").format(device=device)


def worker_ended(
    job: Job, device: str, state: WorkerState, workers_left: int, *, returns: bool
) -> str:
    """For admins; `returns` where it paints again without a restart."""
    if returns:
        if state is WorkerState.HUNG:
            text = _(
                "{device} hangs in job {id} and is started anew by itself; devices left: {count}. "
                "See the log."
            )
        else:
            text = _(
                "{device} was lost in job {id} and paints again, by itself, as soon as it is back; "
                "devices left: {count}. See the log."
            )
    elif state is WorkerState.HUNG:
        text = _(
            "{device} hangs in job {id} and paints no more until the bot is restarted; devices "
            "left: {count}. See the log."
        )
    else:
        text = _(
            "{device} was lost in job {id} and paints no more until the bot is restarted; devices "
            "left: {count}. See the log."
        )
    return text.format(device=device, id=job.id, count=workers_left)


def under_album() -> str:
    """Above the buttons that an album can't have itself."""
    return _("All of them once more, otherwise?")


def failure(reason: Failure) -> str:
    """One friendly sentence: why there is no picture, and what to do."""
    match reason:
        case Failure.BAD_PICTURE:
            return _("I could not read one of the pictures. Please send another one.")
        case Failure.BAD_CLIP:
            return _(
                "I could not read the clip to its end. Please save it as an ordinary MP4,"
                " and send it once more."
            )
        case Failure.PICTURE_GONE:
            return texts.picture_problem(PictureProblem.MISSING)
        case Failure.OUT_OF_MEMORY:
            return _("This picture is too large for me. Please choose a smaller size: /settings")
        case Failure.STYLE_GONE:
            return texts.style_is_gone()
        case Failure.CRASHED_TOO_OFTEN | Failure.HUNG:
            return _("I tried several times and could not paint this one. Another photo, please?")
        case Failure.INTERNAL:
            return texts.something_went_wrong()
