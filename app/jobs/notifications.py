"""Notifies the reporter without depending on it: its errors are logged, painting goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec

from app.jobs.interface import Reporter
from app.jobs.queue import JobQueue
from app.jobs.running.estimates import Runs, WaitEstimates

logger = logging.getLogger(__name__)
P = ParamSpec("P")


def notify_safely(call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call one of the reporter's methods that return at once and mustn't raise."""
    try:
        call(*args, **kwargs)
    except Exception:
        logger.exception("the reporter failed")


class PlaceNotifier:
    """Tells everyone whose place in the queue has changed."""

    def __init__(self, queue: JobQueue, estimates: WaitEstimates, reporter: Reporter) -> None:
        self._queue = queue
        self._estimates = estimates
        self._reporter = reporter

    def skip(self) -> None:
        """Take the places as known: for those who wait nothing has happened."""
        self._queue.changed_places()

    def notify_all(self, runs: Runs) -> None:
        """What everyone waits for has changed."""
        self._queue.changed_places()
        for view in self._estimates.waiting(runs):
            if view.place is not None:
                notify_safely(self._reporter.waiting, view.job, view.place, view.seconds_left)

    def notify(self, runs: Runs) -> None:
        """`runs` is what each worker paints."""
        if changed := self._queue.changed_places():
            for view in self._estimates.waiting(runs):
                if view.job.id in changed and view.place is not None:
                    notify_safely(self._reporter.waiting, view.job, view.place, view.seconds_left)
