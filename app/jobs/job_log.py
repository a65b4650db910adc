"""One log line for each transition of a job: what, seconds.

Not who: the database tells whose job it is, and whom it has forgotten the log has never known.
"""

from __future__ import annotations

import logging
from typing import Any

from app.jobs.model import Job

logger = logging.getLogger("app.jobs")


def log_job(
    event: str,
    job: Job,
    level: int = logging.INFO,
    *,
    error: Exception | None = None,
    device: str | None = None,
) -> None:
    """`event` is what happened, in a word or two; the facts go along as fields of the record.

    An error is one of the facts; from level ERROR on its traceback is logged too.
    """
    facts = _facts(job)
    if error is not None:
        facts["error"] = str(error)
    if device is not None:
        facts["device"] = device
    exc_info = error if level >= logging.ERROR else None
    logger.log(level, "job %s", event, exc_info=exc_info, extra=facts)


def _facts(job: Job) -> dict[str, Any]:
    options = job.request.options
    facts: dict[str, Any] = {
        "job": job.id,
        "attempt": job.attempts,
        "quality": options.quality.value,
        "size_px": options.size_px,
        "style": "+".join(style.preset or "own" for style in job.request.styles),
    }
    if (clip := job.request.clip) is not None:
        facts |= {"clip": clip.kind.value, "frames": clip.frames}
    if job.started_at is not None:
        facts["waited_s"] = round(job.started_at - job.created_at, 2)
    if (seconds := _seconds(job)) is not None:
        facts["seconds"] = round(seconds, 2)
    if job.notes:
        facts["notes"] = sorted(note.value for note in job.notes)
    if job.failure is not None:
        facts["failure"] = job.failure.value
    return facts


def _seconds(job: Job) -> float | None:
    """What painting took, or how long it was tried in vain."""
    if job.seconds is not None or job.started_at is None or job.finished_at is None:
        return job.seconds
    return job.finished_at - job.started_at
