from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.jobs.limits import JobLimits

ROOMY = JobLimits(
    max_jobs=200,
    max_jobs_per_user=20,
    max_daily_per_user=None,
    watchdog_s=300.0,
    keep_pictures_hours=24.0,
    disk_quota_mb=2000.0,
)


def make_limits(**changes: Any) -> JobLimits:
    """Limits that are in nobody's way but for the `changes`."""
    return replace(ROOMY, **changes)
