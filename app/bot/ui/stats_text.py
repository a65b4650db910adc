"""What /stats says."""

from __future__ import annotations

from collections.abc import Mapping

from aiogram import html
from aiogram.utils.i18n import gettext as _

from app.bot.ui import texts
from app.bot.ui.durations import in_words
from app.bot.ui.numbers import number
from app.jobs.interface import WorkerView
from app.monitoring.health import Report

_MB, _GB = 1_000_000, 1_000_000_000


def stats_text(report: Report) -> str:
    """All figures, a line each."""
    stats = report.stats
    seconds = {key: in_words(value) for key, value in stats.seconds_by_quality.items()}
    lines = [
        _("Jobs: {list}").format(list=_listed(stats.by_state)),
        _("Waiting: {count}").format(count=stats.waiting),
        *([texts.painting_is_paused()] if stats.is_paused else []),
        _("Painting takes: {list}").format(list=_listed(seconds)),
        _("Errors: {list}").format(list=_listed(stats.failures)),
        _("Pictures on the disk: {size} MB").format(size=_whole(stats.disk_bytes / _MB)),
        _("Free on the disk: {size} GB").format(size=_whole(report.disk_free_bytes / _GB)),
        *(_worker(worker, report.gpu_memory.get(worker.device)) for worker in stats.workers),
    ]
    return "\n".join(lines)


def _whole(size: float) -> str:
    return number(size, decimals=0)


def _worker(worker: WorkerView, memory: tuple[int, int] | None) -> str:
    line = _("{device}: {state}, pictures since the start: {count}").format(
        device=worker.device, state=worker.state, count=worker.painted
    )
    if memory is None:
        return line
    used, total = (number(size / _GB) for size in memory)
    return f"{line}, " + _("memory: {used} of {total} GB").format(used=used, total=total)


def _listed(values: Mapping[str, object]) -> str:
    return html.quote(", ".join(f"{key} {value}" for key, value in values.items())) or "–"
