"""Time that passes when a test says so, however busy the machine is."""

from __future__ import annotations

from tests.app.bot.reporter_harness import eventually

_LOOKS = 6
"""Two watchers of one job, three times each."""


class ManualClock:
    """A clock in seconds that goes on only by `move`."""

    def __init__(self) -> None:
        self._now = 0.0
        self._reads = 0

    def __call__(self) -> float:
        self._reads += 1
        return self._now

    def move(self, seconds: float) -> None:
        self._now += seconds

    async def move_and_be_read(self, seconds: float) -> None:
        """Whoever watches it has seen what it says now when this returns."""
        self.move(seconds)
        wanted = self._reads + _LOOKS
        await eventually(lambda: self._reads >= wanted)
