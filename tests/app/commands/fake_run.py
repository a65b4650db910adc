"""`python -m tests.app.commands.fake_run`: run.py with an engine that only pretends to think.

It paints the negative in FAKE_STEPS steps of FAKE_STEP_S seconds, and starts without torch. Of the
photo named FAKE_ENDLESS each step takes minutes.
"""

from __future__ import annotations

import os
import time

import app.engine
from app.settings import Settings
from models.interface import OnStep, Painting, StepReport, ignore_step
from tests.app.jobs.stub_stylizers import Inverter

MINUTES_S = 600.0


class SlowInverter(Inverter):
    """Takes its time over each step."""

    def stylize(  # type: ignore[no-untyped-def]
        self, content, styles, options, *, on_step: OnStep = ignore_step, stop=None
    ) -> Painting:
        def step(report: StepReport) -> None:
            is_endless = content.name == os.environ.get("FAKE_ENDLESS")
            time.sleep(MINUTES_S if is_endless else float(os.environ.get("FAKE_STEP_S", "0")))
            on_step(report)

        return super().stylize(content, styles, options, on_step=step, stop=stop)


def load_engine(_: Settings) -> Inverter:
    """In place of the real one."""
    return SlowInverter(steps=int(os.environ.get("FAKE_STEPS", "3")))


if __name__ == "__main__":
    app.engine.load_engine = load_engine  # type: ignore[assignment]
    from app.cli import main

    raise SystemExit(main())
