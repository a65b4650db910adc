"""New styles on trial: painted on the sample photo, then kept or dropped by who sent them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from aiogram.fsm.context import FSMContext

from app.bot.intake import Asker
from app.bot.job_buttons import TRIAL_ORIGIN
from app.bot.preferences import Preferences
from app.jobs.job import Job, JobRequest, StylePick
from app.jobs.ports import Studio
from styles.catalog import Catalog, NameTakenError, Preset
from styles.names import tidy_name


@dataclass(frozen=True, slots=True)
class Trials:
    """Knows what a style on trial is to be called, over restarts."""

    studio: Studio
    catalog: Catalog
    preferences: Preferences

    async def begin(self, asker: Asker, name: str, picture: Path, state: FSMContext) -> Job:
        """Paint the sample photo in the new style. Raises what `Studio.submit` raises."""
        request = JobRequest(
            origin=f"{TRIAL_ORIGIN}{asker.origin}",
            user_id=asker.user_id,
            chat_id=asker.chat_id,
            language=asker.language,
            content=self.catalog.sample,
            styles=(StylePick(picture),),
            options=await self.preferences.options(asker.user_id),
            thread_id=asker.thread_id,
            reply_to=asker.reply_to,
        )
        (job,) = await self.studio.submit(request)
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
