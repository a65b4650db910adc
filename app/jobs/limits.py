"""Every bound on the jobs, each with its unit; the bot's settings fill them in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """What one machine bears."""

    max_jobs: int = 200
    """Waiting jobs in all."""
    max_jobs_per_user: int = 20
    """Waiting or running jobs of one person; an album of ten photos is ten jobs."""
    max_attempts: int = 3
    """A job that was running so often when the process went down is set aside."""
    watchdog_s: float = 300.0
    """Without a step for so long, the painter hangs."""
    first_retry_s: float = 1.0
    """Pause before a delivery is tried again; it doubles from try to try..."""
    longest_retry_s: float = 300.0
    """...up to this."""
    keep_pictures_hours: float = 24.0
    keep_rows_hours: float = 30 * 24.0
    """What a finished job was: for `/stats`, and to know an update that comes again."""
    disk_quota_mb: float = 2000.0
    """For all pictures; 1 MB is a million bytes."""
    sweep_every_s: float = 600.0
