"""`python -m tests.e2e.fast_bot`: the real bot with an engine that only pretends to think.

A frame of a clip takes it FAST_FRAME_S seconds.
For what is about many jobs, killed processes and bad networks rather than about painting. It takes
FAST_STEPS steps of FAST_STEP_S seconds, shows a draft and milestones, stops when told to, and
starts without torch, in a moment, with a worker for each of FAST_DEVICES. FAST_ACCIDENT says what
befalls it, FAST_ACCIDENTS times, at a photo of `DEADLY_SIZE`, and not before there is a file named
FAST_ACCIDENT_AFTER, if that is set. FAST_MISSING is a device that the
machine doesn't have.
FAST_DIES_AFTER (`package.module:Class.method`) kills the process when that has been done.
"""

from __future__ import annotations

import ctypes
import importlib
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps, ImageStat

from app import process as app_process
from app.monitoring.stall_guard import STALLED_AFTER_S
from app.settings import Settings
from models.interface import (
    DeviceLostError,
    DeviceSettingError,
    Note,
    OnStep,
    Painting,
    Quality,
    StepReport,
    Style,
    StyleOptions,
    ignore_step,
)
from models.pictures.reading import open_picture
from tests.app.jobs.stub_clips import ClipInverter

DEADLY_SIZE = (123, 77)
SOON_S = 12.0
"""A few beats."""


def have_accident(kind: str) -> None:
    """What a GPU, or a picture, may do to the process."""
    match kind:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "lose":
            raise DeviceLostError("device-side assert triggered")
        case "hang":
            time.sleep(3600)
        case "stall":
            # Unlike time.sleep this keeps the interpreter's lock: every other thread waits, too.
            ctypes.PyDLL(None).sleep(3600)


@dataclass
class FastStylizer(ClipInverter):
    """Paints the negative with the style's mean colour laid over it."""

    steps: int = 10
    step_s: float = 0.05
    accident: str = ""
    accidents: Iterator[None] = field(default_factory=lambda: itertools.repeat(None))
    """As many as there will be, whoever paints."""
    accident_after: Path | None = None
    """Until this file is there the painting goes on without an accident, and without an end."""

    def stylize(
        self,
        content: Path,
        styles: Sequence[Style],
        options: StyleOptions,
        *,
        on_step: OnStep = ignore_step,
        stop: threading.Event | None = None,
    ) -> Painting:
        began = time.monotonic()
        photo = open_picture(content, long_side_px=options.size_px)
        if open_picture(content).size == DEADLY_SIZE and next(self.accidents, self) is None:
            while self.accident_after is not None and not self.accident_after.exists():
                on_step(
                    StepReport(
                        step=0,
                        steps=self.steps,
                        seconds_spent=time.monotonic() - began,
                        seconds_left=None,
                    )
                )
                time.sleep(self.step_s)
            have_accident(self.accident)
        tint = Image.new("RGB", photo.size, _mean_color(styles[0].picture))
        picture = Image.blend(ImageOps.invert(photo), tint, options.strength / 200)
        steps = 1 if options.quality is Quality.DRAFT else self.steps
        milestones = {0, steps // 4, steps // 2, steps * 3 // 4}
        done = 0
        while not (stop is not None and stop.is_set()):
            on_step(
                StepReport(
                    step=done,
                    steps=steps,
                    seconds_spent=time.monotonic() - began,
                    seconds_left=(steps - done) * self.step_s,
                    picture=picture.copy() if done in milestones else None,
                )
            )
            if done == steps:
                break
            time.sleep(self.step_s)
            done += 1
        notes = frozenset[Note]() if done == steps else frozenset({Note.STOPPED})
        seconds = time.monotonic() - began
        return Painting(picture=picture, options=options, steps=done, seconds=seconds, notes=notes)


def _mean_color(style: Path) -> tuple[int, int, int]:
    red, green, blue = ImageStat.Stat(open_picture(style, long_side_px=64)).mean
    return round(red), round(green), round(blue)


def die_after(spot: str) -> None:
    """Have the process killed in the moment in which an asynchronous method has done its work."""
    module_name, _, name = spot.partition(":")
    class_name, _, method_name = name.partition(".")
    owner = getattr(importlib.import_module(module_name), class_name)
    method = getattr(owner, method_name)

    async def do_and_die(*args: Any, **kwargs: Any) -> None:
        await method(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, method_name, do_and_die)


def main() -> int:
    """Run the bot with the engine above."""
    if spot := os.environ.get("FAST_DIES_AFTER"):
        die_after(spot)
    accident = os.environ.get("FAST_ACCIDENT", "")
    stylizer = FastStylizer(
        steps=int(os.environ["FAST_STEPS"]),
        step_s=float(os.environ["FAST_STEP_S"]),
        accident=accident,
        accidents=itertools.repeat(None, int(os.environ.get("FAST_ACCIDENTS", "1000"))),
        accident_after=Path(after) if (after := os.environ.get("FAST_ACCIDENT_AFTER")) else None,
        frame_s=float(os.environ.get("FAST_FRAME_S", "0")),
    )
    devices = os.environ.get("FAST_DEVICES", "cuda:0").split(",")
    missing = os.environ.get("FAST_MISSING")

    def load(_: Settings) -> dict[str, FastStylizer]:
        if missing:
            raise DeviceSettingError(f"There is no {missing}; torch can use {', '.join(devices)}.")
        return dict.fromkeys(devices, stylizer)

    if accident == "hang" and len(devices) == 1:
        app_process.gpu_memory = hanging_gpu_memory
    return app_process.run_bot(
        Settings(),
        load_stylizers=load,
        stalled_after_s=SOON_S if accident == "stall" else STALLED_AFTER_S,
    )


def hanging_gpu_memory(device: str) -> tuple[int, int] | None:
    """A hanging GPU takes everyone along who asks it something."""
    have_accident("hang")
    return None


if __name__ == "__main__":
    sys.exit(main())
