"""Engines on other machines: they come and go while the bot runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Final, Protocol

from app.jobs.running.clips import Engine
from app.jobs.service import LocalJobService

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
LOOK_AWAY_EVERY_S: Final = 5.0
"""While any is there, and while none is."""


class EngineChanges(Protocol):
    """What is different since the last look; see `models.remote.engines.EngineChanges`."""

    @property
    def joined(self) -> Mapping[str, Engine]:
        """By device."""
        ...

    @property
    def gone(self) -> frozenset[str]: ...

    @property
    def is_loading(self) -> bool:
        """More will join."""
        ...

    @property
    def why_none(self) -> str | None:
        """One sentence, where none can be had."""
        ...


class RemoteEngines(Protocol):
    """See `models.remote.engines.RemoteEngines`."""

    def look(self, ended: Collection[str] = ()) -> EngineChanges:
        """Blocking, for seconds; `ended` are the devices whose workers have ended."""
        ...

    def close(self) -> None:
        """End them all; a look that is under way ends as well."""
        ...


Look = Callable[[], EngineChanges]


async def follow_engines(
    engines: RemoteEngines,
    job_service: LocalJobService,
    in_thread: Callable[[Look], Awaitable[EngineChanges]],
) -> None:
    """Have those that are there paint, after `job_service.start`; ends when cancelled.

    Where there is none, that is told once, and waited for one to come.
    """
    why_none = None
    while True:
        states = {each.device: each.state for each in job_service.workers}  # the newest counts
        ended = [device for device, state in states.items() if not state.is_at_work]
        changes = await in_thread(partial(engines.look, ended))
        for device in changes.gone:
            logger.warning("%s is gone", device)
            job_service.remove_engine(device)
        for device, engine in changes.joined.items():
            logger.info("painting on %s", device)
            job_service.add_engine(device, engine)
        if not changes.is_loading:
            job_service.tell_of_absence()
        if changes.why_none is not None and changes.why_none != why_none:
            logger.error("%s", changes.why_none)
        why_none = changes.why_none
        await asyncio.sleep(LOOK_AWAY_EVERY_S if why_none else LOOK_EVERY_S)
