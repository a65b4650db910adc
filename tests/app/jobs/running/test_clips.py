"""Clips in the GPU thread: turns with photos, Stop, Cancel, and a process that ends."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from app.jobs.limits import JobLimits
from app.jobs.model import Clip, Failure, JobRequest, JobState
from app.jobs.running.endings import PainterHung
from app.jobs.running.estimates import WaitEstimates
from app.jobs.service import LocalJobService
from models.clips.interface import ClipError, ClipKind, ClipNote, ClipProblem
from models.interface import DeviceLostError
from tests import clip_files
from tests.app.bot.reporter_harness import eventually
from tests.app.jobs.data_folder import DataFolder
from tests.app.jobs.job_limits import make_limits
from tests.app.jobs.manual_clock import ManualClock
from tests.app.jobs.recording_reporter import RecordingReporter
from tests.app.jobs.stub_clips import ClipAndPhotoInverter
from tests.app.jobs.stub_stylizers import Breaker, Inverter, Sleeper

FRAMES = 6
pytestmark = pytest.mark.asyncio


@dataclass
class Bench:
    """A job service with such a stylizer on it."""

    folder: DataFolder
    stylizer: ClipAndPhotoInverter
    reporter: RecordingReporter
    service: LocalJobService

    def clip(self, user_id: int = 1, kind: ClipKind = ClipKind.VIDEO) -> JobRequest:
        content = self.folder.folders.originals / f"{user_id}.mp4"
        content.write_bytes(clip_files.mp4(FRAMES))
        clip = Clip(kind=kind, frames=FRAMES, seconds=0.6, width_px=96, height_px=72)
        return dataclasses.replace(self.folder.request(user_id, content=content), clip=clip)

    def cue(self, frames: int = 1) -> None:
        assert self.stylizer.gate is not None
        self.stylizer.gate.release(frames)

    def frames_of(self, job_id: int) -> int:
        return max(self.reporter.steps[job_id], default=0)


def gated(photos: Inverter | Breaker | Sleeper) -> ClipAndPhotoInverter:
    """Paints clips at the pace of cues."""
    return ClipAndPhotoInverter(gate=threading.Semaphore(0), photos=photos)


@asynccontextmanager
async def bench(
    root: Path,
    stylizer: ClipAndPhotoInverter | None = None,
    limits: JobLimits | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Bench]:
    folder, reporter, stylizer = (
        DataFolder(root),
        RecordingReporter(),
        stylizer or gated(Inverter()),
    )
    async with folder.job_service(reporter, stylizer, limits=limits, clock=clock) as service:
        yield Bench(folder, stylizer, reporter, service)


def frames_in(path: Path) -> int:
    with av.open(path) as container:
        return sum(1 for _ in container.decode(video=0))


async def test_a_clip_is_painted_and_delivered(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        (job,) = await b.service.submit(b.clip())
        b.cue(FRAMES)
        await b.reporter.until_heard("delivered", job)
        done = await b.service.get(job.id)
        assert done is not None
        assert done.result == tmp_path / "results" / f"{job.id}.mp4"
        assert frames_in(done.result) == FRAMES
        assert done.request.clip == job.request.clip
        assert b.reporter.steps[job.id] == list(range(1, FRAMES + 1))


async def test_a_photo_of_somebody_else_is_painted_between_two_frames(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        (clip,) = await b.service.submit(b.clip(1))
        b.cue(2)
        await b.reporter.until(lambda: b.frames_of(clip.id) == 2)
        (photo,) = await b.service.submit(b.folder.request(2))
        b.cue()
        await b.reporter.until_heard("delivered", photo)
        assert b.frames_of(clip.id) < FRAMES
        b.cue(FRAMES)
        await b.reporter.until_heard("delivered", clip)
        done = await b.service.get(clip.id)
        assert done is not None
        assert done.attempts == 1


async def test_ones_own_photo_and_others_clips_wait_for_their_turn(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        (clip,) = await b.service.submit(b.clip(1))
        b.cue()
        await b.reporter.until(lambda: b.frames_of(clip.id) == 1)
        own, other = await b.service.submit(b.folder.request(1), b.clip(2))
        b.cue(FRAMES - 2)
        await b.reporter.until(lambda: b.frames_of(clip.id) == FRAMES - 1)
        assert {own.id, other.id}.isdisjoint(b.reporter.of("started"))
        b.cue(2 * FRAMES)
        await b.reporter.until_heard("delivered", clip, own, other)


async def test_after_a_photo_the_clip_has_its_turn_before_the_next_one(tmp_path: Path) -> None:
    limits = make_limits(clip_turn_s=1000.0)
    slow = Inverter(gate=threading.Semaphore(0))
    async with bench(tmp_path, gated(slow), limits) as b:
        (clip,) = await b.service.submit(b.clip(1))
        b.cue()
        await b.reporter.until(lambda: b.frames_of(clip.id) == 1)
        first, second = await b.service.submit(b.folder.request(2), b.folder.request(3))
        b.cue()
        await b.reporter.until_heard("started", first)
        threading.Timer(0.5, slow.gate.release, (99,)).start()  # type: ignore[union-attr]
        await b.reporter.until_heard("delivered", first)
        b.cue()
        await b.reporter.until(lambda: b.frames_of(clip.id) >= 2)
        assert second.id not in b.reporter.of("started")
        b.cue(FRAMES)
        await b.reporter.until_heard("delivered", clip, second)


async def test_stop_keeps_what_is_painted_as_a_shorter_clip(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        (job,) = await b.service.submit(b.clip())
        b.cue(3)
        await b.reporter.until(lambda: b.frames_of(job.id) == 3)
        assert await b.service.stop(job.id, 1)
        await b.reporter.until_heard("delivered", job)
        done = await b.service.get(job.id)
        assert done is not None
        assert done.result is not None
        assert frames_in(done.result) == 3
        assert ClipNote.STOPPED in done.notes


@pytest.mark.parametrize("deed", ["cancel", "forget"])
async def test_what_is_thrown_away_leaves_no_file(tmp_path: Path, deed: str) -> None:
    async with bench(tmp_path) as b:
        (job,) = await b.service.submit(b.clip())
        b.cue(3)
        await b.reporter.until(lambda: b.frames_of(job.id) == 3)
        if deed == "cancel":
            assert await b.service.cancel(job.id, 1)
        else:
            await b.service.forget(1)
        (photo,) = await b.service.submit(b.folder.request(2))
        await b.reporter.until_heard("delivered", photo)
        names = [path.name for path in (tmp_path / "results").iterdir()]
        assert not [name for name in names if name.startswith(f"{job.id}.")]
        assert job.id not in b.reporter.of("delivered")


async def test_stop_and_cancel_reach_a_photo_that_is_let_in(tmp_path: Path) -> None:
    photos = Inverter(gate=threading.Semaphore(0))
    async with bench(tmp_path, gated(photos)) as b:
        (clip,) = await b.service.submit(b.clip(1))
        b.cue()
        await b.reporter.until(lambda: b.frames_of(clip.id) == 1)
        (photo,) = await b.service.submit(b.folder.request(2))
        b.cue()
        await b.reporter.until_heard("started", photo)
        views = await b.service.views(2)
        assert [(view.job.id, view.place) for view in views] == [(photo.id, None)]
        assert await b.service.stop(photo.id, 2)
        await b.reporter.until_heard("delivered", photo)
        b.cue(FRAMES)
        await b.reporter.until_heard("delivered", clip)


async def test_the_end_of_the_process_puts_a_clip_and_its_guest_back(tmp_path: Path) -> None:
    photos = Inverter(gate=threading.Semaphore(0))
    async with bench(tmp_path, gated(photos)) as b:
        (clip,) = await b.service.submit(b.clip(1))
        b.cue()
        await b.reporter.until(lambda: b.frames_of(clip.id) == 1)
        (photo,) = await b.service.submit(b.folder.request(2))
        b.cue()
        await b.reporter.until_heard("started", photo)
        assert await b.service.drain(5)
        for job in (clip, photo):
            left = await b.service.get(job.id)
            assert left is not None
            assert (left.state, left.attempts) == (JobState.WAITING, 0)
    async with bench(tmp_path) as b:
        b.cue(FRAMES)
        await b.reporter.until_heard("delivered", clip, photo)
        assert sorted(b.reporter.of("delivered")) == [clip.id, photo.id]


async def test_a_photo_that_loses_the_device_costs_the_clip_no_attempt(tmp_path: Path) -> None:
    photos = Breaker(DeviceLostError("gone"), set())
    async with bench(tmp_path, gated(photos)) as b:
        (clip,) = await b.service.submit(b.clip(1))
        b.cue()
        await b.reporter.until(lambda: b.frames_of(clip.id) == 1)
        request = b.folder.request(2)
        photos.victims.add(request.content)
        await b.service.submit(request)
        b.cue()
        with pytest.raises(Exception, match="gone"):
            await b.service.ended()
        left = await b.service.get(clip.id)
        assert left is not None
        assert (left.state, left.attempts) == (JobState.RUNNING, 0)


async def test_a_photo_that_hangs_between_two_frames_is_what_hung(tmp_path: Path) -> None:
    photos, clock = Sleeper(), ManualClock()
    async with bench(tmp_path, gated(photos), make_limits(watchdog_s=0.05), clock) as b:
        (clip,) = await b.service.submit(b.clip(1))
        b.cue(2)
        (photo,) = await b.service.submit(b.folder.request(2))
        await eventually(photos.taken.is_set)
        clock.move(0.06)
        with pytest.raises(PainterHung):
            await b.service.ended()
        hung, innocent = await b.service.get(photo.id), await b.service.get(clip.id)
        assert hung is not None
        assert innocent is not None
        assert hung.failure is Failure.HUNG
        assert innocent.failure is None
        photos.release.set()


async def test_a_long_photo_is_no_silence_of_the_clips(tmp_path: Path) -> None:
    gate, clock = threading.Semaphore(0), ManualClock()
    photos = gated(Inverter(steps=8, gate=gate))
    async with bench(tmp_path, photos, make_limits(watchdog_s=0.05), clock) as b:
        (clip,) = await b.service.submit(b.clip(1))
        b.cue(2)
        (photo,) = await b.service.submit(b.folder.request(2))
        await b.reporter.until_heard("started", photo)
        for step in range(1, 9):
            await clock.move_and_be_read(0.04)
            gate.release()
            await b.reporter.until_step(photo, step)
        await b.reporter.until_heard("delivered", photo)
        b.cue(FRAMES)
        await b.reporter.until_heard("delivered", clip)


async def test_others_photos_do_not_count_the_clip_in_their_time(tmp_path: Path) -> None:
    async with bench(tmp_path) as b:
        (clip,) = await b.service.submit(b.clip(1))
        b.cue()
        await b.reporter.until(lambda: b.frames_of(clip.id) == 1)
        service = b.service
        estimates: WaitEstimates = service._estimates
        service._timings.record(clip.request.options, 600.0, FRAMES)
        own, other, second = await service.submit(
            b.folder.request(1), b.folder.request(2), b.clip(3)
        )
        left = {view.job.id: view.seconds_left for view in estimates.waiting([None])}
        with_clip = {
            view.job.id: view.seconds_left for view in estimates.waiting(service._workers.runs)
        }
        assert left[other.id] < left[second.id]
        assert left[second.id] >= 600
        assert with_clip[other.id] <= left[other.id] + 1
        assert with_clip[own.id] > left[own.id] - 1
        b.cue(3 * FRAMES)
        await eventually(lambda: len(b.reporter.of("delivered")) == 4)


async def test_what_a_killed_painter_left_is_swept(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    left = folder.folders.results / ".7.mp4-abcdef"
    left.mkdir()
    (left / "silent.mp4").write_bytes(b"half a clip")
    async with bench(tmp_path):
        assert not left.exists()


async def test_a_clip_that_turns_out_bad_fails_with_a_word_and_takes_no_other_down(
    tmp_path: Path,
) -> None:
    stylizer = ClipAndPhotoInverter(error=ClipError(ClipProblem.DAMAGED))
    async with bench(tmp_path, stylizer) as b:
        clip, photo = await b.service.submit(b.clip(1), b.folder.request(2))
        await b.reporter.until_heard("failed", clip)
        await b.reporter.until_heard("delivered", photo)
        assert b.reporter.failures == {clip.id: Failure.BAD_CLIP}


async def test_what_frames_took_is_known_after_a_restart(tmp_path: Path) -> None:
    async with bench(tmp_path, ClipAndPhotoInverter(frame_s=0.02)) as b:
        (clip,) = await b.service.submit(b.clip(1))
        await b.reporter.until_heard("delivered", clip)
        done = await b.service.get(clip.id)
    assert done is not None
    assert done.seconds is not None
    async with bench(tmp_path) as b:
        options = clip.request.options
        assert b.service._timings.estimate_s(options, FRAMES) == pytest.approx(done.seconds)
        assert b.service._timings.estimate_s(options, 10 * FRAMES) == pytest.approx(
            10 * done.seconds
        )


async def test_a_clip_and_its_guest_go_to_another_worker_when_theirs_is_lost(
    tmp_path: Path,
) -> None:
    folder, reporter = DataFolder(tmp_path), RecordingReporter()
    photos = Breaker(DeviceLostError("gone"), set())
    lost = ClipAndPhotoInverter(frame_s=0.05, photos=photos)
    held = Inverter(gate=threading.Semaphore(0))
    other = ClipAndPhotoInverter(photos=held)
    engines = {"cuda:0": lost, "cuda:1": other}
    async with folder.job_service(reporter, engines) as service:
        b = Bench(folder, lost, reporter, service)
        busy, clip = b.folder.request(9), b.clip(1)
        first, second = await service.submit(clip, busy)
        await reporter.until_heard("started", first, second)
        request = b.folder.request(2)
        photos.victims.add(request.content)
        (photo,) = await service.submit(request)
        await reporter.until_heard("worker ended", photo)
        held.gate.release(99)  # type: ignore[union-attr]
        await reporter.until_heard("delivered", first, second, photo)
        done = await service.get(first.id)
        assert done is not None
        assert done.attempts == 1
