"""Every bound on the jobs, each with its unit; those that owners set have their defaults in
`app.settings`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from models.clips.interface import ClipLimits

KEEP_ROWS_HOURS: Final = 30 * 24.0
"""What a finished job was: for `/stats`, and to know an update that comes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """What one machine bears."""

    max_jobs: int
    """Waiting jobs in all."""
    max_jobs_per_user: int
    """Waiting or running jobs of one person; an album of ten photos is ten jobs."""
    max_daily_per_user: int | None
    """Pictures of one person in 24 hours; None for as many as they like."""
    watchdog_s: float
    """Without a step for so long, the painter hangs."""
    keep_pictures_hours: float
    disk_quota_mb: float
    """For all that lies in the data folder; 1 MB is a million bytes."""

    clips: ClipLimits = field(default_factory=ClipLimits)
    """Of a painted clip."""
    clip_turn_s: float = 5.0
    """So long, or as long as the photo before took, a clip is painted before it lets the next
    photo in: a crowd of photos slows a clip down and never stops it."""
    max_file_mb: float = 45.0
    """A larger PNG is written as a JPEG, and no print is larger."""
    max_attempts: int = 3
    """A job that was running so often when the process went down is set aside."""
    first_retry_s: float = 1.0
    """Pause before a delivery is tried again; it doubles from try to try..."""
    longest_retry_s: float = 300.0
    """...up to this."""
    keep_rows_hours: float = KEEP_ROWS_HOURS
    sweep_every_s: float = 600.0
