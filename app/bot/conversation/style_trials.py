"""New styles on trial: painted on the sample photo, then kept or dropped by who sent them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from aiogram.fsm.context import FSMContext

from app.bot.preferences import PreferencesRepository
from app.bot.requester import Requester
from app.jobs.interface import JobService
from app.jobs.model import Job, JobRequest, StyleChoice
from styles.catalog import Catalog, NameTakenError, Preset
from styles.names import tidy_name


@dataclass(frozen=True, slots=True)
class StyleTrials:
    """Knows what a style on trial is to be called, over restarts."""

    job_service: JobService
    catalog: Catalog
    preferences: PreferencesRepository

    async def begin(self, requester: Requester, name: str, picture: Path, state: FSMContext) -> Job:
        """Paint the sample photo in the new style. Raises what `JobService.submit` raises."""
        request = JobRequest(
            origin=f"trial:{requester.origin}",
            user_id=requester.user_id,
            chat_id=requester.chat_id,
            language=requester.language,
            content=self.catalog.sample,
            styles=(StyleChoice(picture),),
            is_trial=True,
            options=await self.preferences.options(requester.user_id),
            thread_id=requester.thread_id,
            reply_to=requester.reply_to,
        )
        (job,) = await self.job_service.submit(request)
        await _notes(state).update_data({str(job.id): name})
        return job

    async def keep(self, job: Job, state: FSMContext) -> Preset | None:
        """Make it a preset, for everyone and at once; None if that was decided before.

        Raises `CatalogError`; then it is on trial still.
        """
        name = (await _notes(state).get_data()).get(str(job.id))
        if name is None:
            return None
        preset = await asyncio.to_thread(self.catalog.add, name, job.request.styles[0].picture)
        await self.drop(job, state)
        return preset

    async def drop(self, job: Job, state: FSMContext) -> None:
        """Forget about it; the picture goes with the job's."""
        names = await _notes(state).get_data()
        names.pop(str(job.id), None)
        await _notes(state).set_data(names)


def free_name(text: str, catalog: Catalog) -> str:
    """A name for a new style. Raises ValueError if none can be so, NameTakenError if one is."""
    name = tidy_name(text)
    if (taken := catalog.find(name)) is not None:
        raise NameTakenError(name, taken.slug)
    return name


def _notes(state: FSMContext) -> FSMContext:
    """Apart from the conversation, which may end while a style is on trial."""
    return FSMContext(state.storage, replace(state.key, destiny="trials"))
