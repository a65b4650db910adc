"""What stands under a finished picture, and under all that is made of it: style and options.

Also for those who don't see the picture: a screen reader has nothing else to say about it.
"""

from __future__ import annotations

from typing import Final

from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from app.bot.ui.settings_menu import Field, line
from app.bot.ui.style_names import own_styles, style_names
from app.jobs.model import Job, JobNote
from app.pictures.prints import DPI
from models.clips.interface import ClipNote
from models.interface import Note, StyleOptions
from styles.catalog import Catalog

SEPARATOR: Final = " · "
_SAID: Final = (
    Field.STRENGTH,
    Field.BRUSH,
    Field.COLORS,
    Field.FACES,
    Field.QUALITY,
    Field.SIZE,
)
"""What a person changes most stands first."""


class Captions:
    """Plain text in the current language, never longer than Telegram's 1024 characters.

    Of the options only those are named that are not as usual: what `usual` says, or the style.
    """

    def __init__(self, catalog: Catalog, usual: StyleOptions) -> None:
        self._catalog = catalog
        self._usual = usual

    def style(self, job: Job) -> str:
        """The names of its styles; those without one are counted."""
        own = sum(choice.preset is None for choice in job.request.styles)
        return " + ".join([*self._names(job), *([own_styles(own)] if own else [])])

    def ready(self, job: Job) -> str:
        """Of a result."""
        first = _("Ready ✨ {style}").format(style=self.style(job))
        return "\n".join([first, *self._details(job), *map(_note, sorted(job.notes))])

    def numbered(self, number: int, job: Job) -> str:
        """Of a result among several."""
        return "\n".join([f"{number}. {self.style(job)}", *self._details(job)])

    def shared(self, job: Job) -> str:
        """Of a result in another chat, whose readers have no styles of their own."""
        names = " + ".join(self._names(job))
        first = _("Painted in the style “{style}”").format(style=names) if names else a_painting()
        return "\n".join([first, *self._details(job)])

    def compared(self, job: Job) -> str:
        """Of the photo and the result side by side."""
        first = _("Before and after: {style}").format(style=self.style(job))
        return "\n".join([first, *self._options(job)])

    def filmed(self, job: Job) -> str:
        """Of a film of how the result came about."""
        first = _("How it was painted: {style}").format(style=self.style(job))
        return "\n".join([first, *self._options(job)])

    def title(self, job: Job) -> str:
        """A few words."""
        return " + ".join(self._names(job)) or a_painting()

    def _names(self, job: Job) -> list[str]:
        return style_names(job.request.styles, self._catalog, get_i18n().current_locale)

    def _details(self, job: Job) -> list[str]:
        sheet = job.request.print_size
        if sheet is None or Note.NOT_FOR_PRINT in job.notes:
            return self._options(job)
        printed = _("For {sheet} at {dpi} dpi.").format(sheet=sheet.upper(), dpi=DPI)
        return [*self._options(job), printed]

    def _options(self, job: Job) -> list[str]:
        """One line, or none where all is as usual."""
        usual = self._usual_for(job)
        differing = [
            line(field, chosen)
            for field in _SAID
            if (chosen := getattr(job.request.options, field)) != getattr(usual, field)
            if _is_worth_saying(field, job)
        ]
        return [SEPARATOR.join(differing)] if differing else []

    def _usual_for(self, job: Job) -> StyleOptions:
        """A preset's hints are meant for it alone, not for a mixture."""
        slugs = [choice.preset for choice in job.request.styles]
        preset = self._catalog.get(slugs[0]) if len(slugs) == 1 and slugs[0] else None
        return preset.hinted(self._usual) if preset else self._usual


def a_painting() -> str:
    """What there is to say where nothing has a name."""
    return _("A painting")


def _is_worth_saying(field: Field, job: Job) -> bool:
    is_clip = job.request.clip is not None
    match field:
        case Field.QUALITY | Field.SIZE if is_clip:
            # The one plays no part in a clip, the other is what the owner grants.
            return False
        case Field.FACES:
            return job.faces > 0
        case Field.SIZE:
            # Enlarged for a sheet, or painted smaller than asked for, it has another one.
            return job.request.print_size is None and Note.SHRUNK not in job.notes
    return True


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
