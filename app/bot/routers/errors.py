"""What went wrong, in words that help: the one place where a handler's exceptions end."""

from __future__ import annotations

import logging

from aiogram import Router
from aiogram.exceptions import AiogramError
from aiogram.filters import ExceptionTypeFilter
from aiogram.types import ErrorEvent, Update

from app.bot.transport.picture_downloads import DownloadProblem
from app.bot.transport.telegram_errors import is_not_modified, is_recipient_gone
from app.bot.ui import texts
from app.jobs.interface import DailyLimitReached, DiskFull, JobRefused, QueueFull, TooManyJobs
from app.storage.database import DamagedDatabaseError
from models.pictures.problems import PictureError

logger = logging.getLogger(__name__)


def make_router() -> Router:
    router = Router(name="errors")
    router.error.register(refuse, ExceptionTypeFilter(*JobRefused, PictureError))
    router.error.register(meet_telegram, ExceptionTypeFilter(AiogramError))
    # A damaged database ends the process, and the update is handled after the next start.
    router.error.register(apologise, ~ExceptionTypeFilter(DamagedDatabaseError))
    return router


async def refuse(event: ErrorEvent) -> None:
    await answer_safely(event.update, refusal(event.exception))


async def meet_telegram(event: ErrorEvent) -> None:
    error = event.exception
    if is_not_modified(error):
        return
    facts = {"update": event.update.update_id, "error": type(error).__name__}
    if is_recipient_gone(error):
        logger.info("nobody to answer to", extra=facts)
    else:
        # An apology would not arrive either: sending is what did not work.
        logger.error("an answer did not go out", extra=facts, exc_info=error)


async def apologise(event: ErrorEvent) -> None:
    facts = {"update": event.update.update_id}
    logger.error("a handler failed", extra=facts, exc_info=event.exception)
    await answer_safely(event.update, texts.something_went_wrong())


def refusal(error: Exception) -> str:
    """One friendly sentence."""
    match error:
        case QueueFull():
            return texts.queue_is_full(error.minutes)
        case TooManyJobs():
            return texts.too_many_jobs(error.limit)
        case DailyLimitReached():
            return texts.daily_limit_reached(error.limit, error.wait_s)
        case DiskFull():
            return texts.download_problem(DownloadProblem.NO_ROOM)
        case PictureError():
            return texts.picture_problem(error.problem, max_pixels=error.max_pixels)
        case _:
            return texts.closing_down()


async def answer_safely(update: Update, text: str) -> None:
    """Answer whatever it was; a failure of that is only logged."""
    query = update.callback_query
    message = query.message if query is not None else update.message or update.edited_message
    try:
        if message is not None:
            await message.answer(text)
        elif query is not None:
            await query.answer(text)  # there is no chat that it came from
    except AiogramError as error:
        logger.warning("an apology did not go out", extra={"error": type(error).__name__})
