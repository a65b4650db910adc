"""What a status message says about a job, in the current language."""

from __future__ import annotations

from aiogram.utils.i18n import gettext as _

from app.bot.ui import texts
from app.bot.ui.durations import in_words
from app.bot.ui.numbers import number
from app.jobs.model import Clip, Failure, Job, JobNote, PrintSize
from app.pictures.prints import DPI
from models.clips.interface import ClipNote
from models.interface import Note, StepReport
from models.pictures import PictureProblem

BAR_CELLS = 12
FULL_CELL, EMPTY_CELL = "▰", "▱"


def bar(done: int, total: int) -> str:
    """A bar of `BAR_CELLS` cells; full only when everything is done."""
    full = BAR_CELLS * min(done, total) // max(total, 1)
    return FULL_CELL * full + EMPTY_CELL * (BAR_CELLS - full)


def waiting(place: int, seconds_left: float | None) -> str:
    """The place among the waiting, and when the picture will likely be ready."""
    lines = [_("Please wait… Your place in the queue: {place}").format(place=place)]
    if seconds_left is not None:
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


def ready(style: str, notes: frozenset[JobNote], sheet: PrintSize | None = None) -> str:
    """The caption of a result; `style` is empty where it has no name."""
    lines = [_("Ready ✨ {style}").format(style=style) if style else _("Ready ✨")]
    if sheet is not None and Note.NOT_FOR_PRINT not in notes:
        lines.append(_("For {sheet} at {dpi} dpi.").format(sheet=sheet.upper(), dpi=DPI))
    return "\n".join([*lines, *(_note(note) for note in sorted(notes))])


def shared(style: str) -> str:
    """The caption in another chat; `style` is empty where it has no name."""
    return _("Painted in the style “{style}”").format(style=style) if style else _("A painting")


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


def _note(note: JobNote) -> str:
    match note:
        case Note.STOPPED | ClipNote.STOPPED:
            return _("Stopped where you liked it.")
        case Note.SHRUNK | ClipNote.SHRUNK:
            return _("It is a little smaller than asked for: the larger one did not fit.")
        case Note.DIVERGED:
            return _("The paint began to run, so this is the last good moment.")
        case Note.ENLARGED:
            return _("Painted as large as I can, and enlarged from there.")
        case Note.NOT_FOR_PRINT:
            return _("I could not enlarge it for print; this is the painting as it is.")
        case _:
            return _clip_note(note)


def _clip_note(note: ClipNote) -> str:
    match note:
        case ClipNote.SIZE_REDUCED:
            return _("It is a little smaller than asked for: Telegram takes no larger file.")
        case ClipNote.SOUND_LEFT_OUT:
            return _("Without its sound: that would not fit into an MP4.")
        case _:
            return _("It ends where the clip that you sent could not be read any further.")
