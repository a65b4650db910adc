"""Inline mode: a person's own paintings, in whatever chat they are writing."""

from __future__ import annotations

from typing import Final

from aiogram import Router
from aiogram.types import InlineQuery

from app.bot.job_message.captions import Captions
from app.bot.job_message.sharing import inline_results
from app.bot.ui.callback_data import MAX_JOB_ID
from app.jobs.interface import JobService
from app.jobs.model import Job, JobState

MAX_RESULTS: Final = 10


def make_router() -> Router:
    router = Router(name="share")
    router.inline_query.register(offer)
    return router


async def offer(query: InlineQuery, job_service: JobService, captions: Captions) -> None:
    """The result that the query names, with its album; without one the last results."""
    jobs = await asked_for(query.query.strip(), query.from_user.id, job_service)
    there = [job for job in jobs if job.state is JobState.DELIVERED]
    results = inline_results(there, captions)[:MAX_RESULTS]
    # Nobody else may be answered from Telegram's memory, and what is deleted is gone at once.
    await query.answer(list(results), cache_time=0, is_personal=True)


async def asked_for(text: str, user_id: int, job_service: JobService) -> list[Job]:
    """Nothing of anybody else's, whatever is asked for."""
    if not text:
        return await job_service.past_results(user_id, limit=MAX_RESULTS)
    if not text.isascii() or not text.isdigit() or int(text[:20]) > MAX_JOB_ID:
        return []
    job = await job_service.get(int(text))
    if job is None or not job.belongs_to(user_id):
        return []
    return await job_service.together(job)
