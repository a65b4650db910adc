"""What the owner's settings mean: limits, and the usual options."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from app.bot.transport.rate_limiter import RateLimits
from app.jobs.limits import JobLimits
from app.jobs.service import LocalJobService
from app.settings import Settings
from models.clips.interface import ClipLimits
from models.interface import StyleOptions

UPLOAD_MB: Final = 45.0
LOCAL_UPLOAD_MB: Final = 2000.0
"""What a bot may send is 50 MB, or by a server of one's own 2 GB."""

CLIP_SIZE_PX_ON_GPU: Final = 720
CLIP_SIZE_PX: Final = 480
"""What a machine with a GPU, or without, paints in reasonable time."""


def job_limits(settings: Settings) -> JobLimits:
    return JobLimits(
        max_jobs=settings.queue_max_jobs,
        max_jobs_per_user=settings.queue_max_jobs_per_user,
        max_daily_per_user=settings.daily_pictures_per_user,
        watchdog_s=settings.step_timeout_s,
        keep_pictures_hours=settings.keep_pictures_hours,
        disk_quota_mb=settings.disk_quota_mb,
        clips=clip_limits(settings),
        max_file_mb=_upload_mb(settings),
    )


def clip_limits(settings: Settings) -> ClipLimits:
    out_bytes = round(_upload_mb(settings) * 1_000_000)
    return ClipLimits(seconds=settings.clip_max_seconds, out_bytes=out_bytes)


def clip_size_px(settings: Settings, job_service: LocalJobService) -> int:
    """The long side that clips are painted at: the owner's, or one for the machines at work."""
    if settings.clip_size_px is not None:
        return settings.clip_size_px
    has_gpu = any("cpu" not in worker.device for worker in job_service.workers)
    return CLIP_SIZE_PX_ON_GPU if has_gpu else CLIP_SIZE_PX


def rate_limits(settings: Settings) -> RateLimits:
    """How much may be sent to Telegram, and how fast."""
    everywhere = replace(RateLimits().everywhere, per_minute=60 * settings.messages_per_second)
    return RateLimits(everywhere=everywhere)


def usual_options(settings: Settings) -> StyleOptions:
    """For people who set none of their own, where the style has no hints either."""
    return StyleOptions(quality=settings.default_quality, size_px=settings.default_size_px)


def _upload_mb(settings: Settings) -> float:
    return LOCAL_UPLOAD_MB if settings.telegram_api_is_local else UPLOAD_MB
