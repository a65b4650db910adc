"""Notifies the reporter without depending on it: its errors are logged, painting goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec

from app.jobs.interface import Reporter
from app.jobs.queue import JobQueue

logger = logging.getLogger(__name__)
P = ParamSpec("P")


def notify_safely(call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call one of the reporter's methods that return at once and mustn't raise."""
    try:
        call(*args, **kwargs)
    except Exception:
        logger.exception("the reporter failed")


def notify_places(queue: JobQueue, reporter: Reporter) -> None:
    """Tell everyone whose place in the queue has changed."""
    for job, place in queue.changed_places():
        notify_safely(reporter.waiting, job, place)
