"""What a status message shows in this moment: one job, or the jobs of one album."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from aiogram.types import BufferedInputFile, InlineKeyboardMarkup, InputMediaPhoto
from aiogram.utils.i18n import I18n
from PIL import Image

from app.bot.job_message import status_texts
from app.bot.job_message.job_buttons import open_job_keyboard
from app.bot.job_message.status_message import MessageContent
from app.bot.ui import texts
from app.bot.ui.style_names import style_names
from app.jobs.model import Job
from models.interface import StepReport
from models.pictures.encoding import encode_jpeg
from styles.catalog import Catalog

PREVIEW_JPEG_QUALITY = 85
"""Telegram compresses it once more anyway."""

FEW_LEFT = 3
"""From so few pictures in the day's allowance on, it is said how many there are."""

CLOSE_TO_THE_FRONT = 3
"""Up to this place in the queue every change is shown as soon as the pace allows."""


class StatusContent:
    """The latest state and nothing before it: the reporter writes it, the editor renders it."""

    def __init__(
        self,
        job: Job,
        *,
        i18n: I18n,
        catalog: Catalog,
        is_paused: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_paused` while nobody is there to paint."""
        self._job = job
        """The one in hand; of an album the one being painted, or else the next. Where several are
        painted side by side, the first of them to its end.
        """
        self._in_work: dict[int, Job] = {}
        self._reports: dict[int, StepReport] = {}
        """The last of each job in work."""
        self._i18n = i18n
        self._catalog = catalog
        self._is_paused = is_paused
        self._places: dict[int, int] = {}
        """Of all its jobs that wait, by id."""
        self._ready_at: dict[int, float] = {}
        """When each will likely be finished, by `time.monotonic`."""
        self._allowance_left: int | None = None
        self._report: StepReport | None = None
        self._is_painting = False
        self._fresh: Image.Image | None = None
        """A picture of the job in hand that has not been shown yet."""
        self._rendered: Image.Image | None = None

    def waiting(self, job: Job, place: int, seconds_left: float) -> None:
        self._places[job.id] = place
        if job.allowance_left is not None and job.allowance_left <= FEW_LEFT:
            self._allowance_left = job.allowance_left
        self._ready_at[job.id] = time.monotonic() + seconds_left
        if job.id == self._job.id or (self._is_painted and len(self._in_work) < 2):
            self._is_painting = False
        if not self._is_painting and place == min(self._places.values()):
            self._job = job

    def started(self, job: Job) -> None:
        self._places.pop(job.id, None)
        is_beside = self._is_painting and self._job.id in self._in_work
        self._reports.pop(job.id, None)
        self._in_work[job.id] = job
        if not is_beside or job.id == self._job.id:
            self._show(job)

    def stepped(self, job: Job, report: StepReport) -> None:
        self._reports[job.id] = report
        if job.id != self._job.id and self._is_painting and self._job.id in self._in_work:
            return
        self._job, self._report = job, report
        if report.picture is not None:
            self._fresh = report.picture

    def painting_ended(self, job: Job) -> bool:
        """Whether another one is shown from now on."""
        self._in_work.pop(job.id, None)
        self._reports.pop(job.id, None)
        if job.id != self._job.id or not self._in_work:
            return False
        self._show(next(iter(self._in_work.values())))
        return True

    def left(self, job: Job, others: Mapping[int, Job]) -> None:
        """One job of the album came to an end of its own; the others go on."""
        self._places.pop(job.id, None)
        if not self.painting_ended(job) and job.id == self._job.id and others:
            next_id = min(self._places, key=self._places.__getitem__, default=next(iter(others)))
            self._job, self._is_painting = others[next_id], False

    @property
    def is_urgent(self) -> bool:
        """Whether its owner looks at it now; far back in the queue nobody counts every place."""
        place = self._places.get(self._job.id, 1)
        return self._is_painting or place <= CLOSE_TO_THE_FRONT

    async def render(self) -> MessageContent:
        """The content of this moment; the picture is encoded off the loop."""
        picture = self._fresh
        media = await _preview(picture) if picture is not None else None
        self._rendered = picture
        with self._i18n.context(), self._i18n.use_locale(self._job.request.language):
            return MessageContent(self._text(), self._keyboard(), media)

    def was_shown(self) -> None:
        """What was rendered last has arrived: its picture need not be sent again."""
        if self._fresh is self._rendered:
            self._fresh = None
        self._rendered = None

    @property
    def _is_painted(self) -> bool:
        return self._report is not None and self._report.step >= self._report.steps

    def _show(self, job: Job) -> None:
        self._job, self._report, self._is_painting = job, self._reports.get(job.id), True
        self._fresh = None

    def _text(self) -> str:
        if self._is_painting:
            text = status_texts.painting(self._report, self._job.request.clip)
        else:
            text = status_texts.waiting(
                self._places.get(self._job.id, 1),
                self._seconds_left(),
                is_paused=self._is_paused(),
            )
        if not self._job.request.is_trial:
            text = f"{text}\n{self._style_line()}"
        if self._allowance_left is not None:
            text = f"{text}\n{texts.allowance_left(self._allowance_left)}"
        size = self._job.request.album_size
        if size == 1:
            return text
        # All that don't wait any more were painted or are: true after a restart as well.
        begun = list(self._in_work)
        after = len(begun) - 1 - begun.index(self._job.id) if self._job.id in begun else 0
        number = size - len(self._places) - after + (0 if self._is_painting else 1)
        return status_texts.of_album(number, size, text)

    def _style_line(self) -> str:
        request = self._job.request
        return status_texts.style_line(
            " + ".join(style_names(request.styles, self._catalog, request.language))
        )

    def _keyboard(self) -> InlineKeyboardMarkup:
        can_stop = self._is_painting and self._report is not None
        return open_job_keyboard(self._job.id, stop=can_stop)

    def _seconds_left(self) -> float | None:
        ready_at = self._ready_at.get(self._job.id)
        return None if ready_at is None else max(0.0, ready_at - time.monotonic())


async def _preview(picture: Image.Image) -> InputMediaPhoto:
    data = await asyncio.to_thread(encode_jpeg, picture, quality=PREVIEW_JPEG_QUALITY)
    return InputMediaPhoto(media=BufferedInputFile(data, "preview.jpg"))
