"""The heartbeat file: it comes back when its folder does, and only the present counts."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from app.monitoring.heartbeat import beat, is_alive, keep_touching
from tests.app.bot.reporter_harness import eventually


@asynccontextmanager
async def touching(path: Path) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(keep_touching(path, every_s=0.01))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_heartbeat_goes_on_when_its_folder_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heartbeat = tmp_path / "data" / "heartbeat"
    heartbeat.parent.mkdir()
    async with touching(heartbeat):
        await eventually(heartbeat.exists)
        shutil.rmtree(heartbeat.parent)
        await eventually(lambda: "can't be written" in caplog.text)
        await asyncio.sleep(0.1)
        heartbeat.parent.mkdir()
        await eventually(heartbeat.exists)
    assert caplog.text.count("can't be written") == 1


async def test_a_sign_that_fails_is_given_again(caplog: pytest.LogCaptureFixture) -> None:
    given = 0

    def sign() -> None:
        nonlocal given
        given += 1
        if given == 1:
            raise OSError("no room")

    task = asyncio.create_task(beat(sign, every_s=0.01))
    await eventually(lambda: given > 2)
    task.cancel()
    assert caplog.text.count("the sign of life failed") == 1


@pytest.mark.parametrize(("age_s", "alive"), [(0, True), (20, True), (40, False), (-3600, False)])
def test_only_a_time_near_the_present_is_a_sign_of_life(
    tmp_path: Path, age_s: float, *, alive: bool
) -> None:
    heartbeat = tmp_path / "heartbeat"
    heartbeat.touch()
    moment = time.time() - age_s
    os.utime(heartbeat, (moment, moment))
    assert is_alive(heartbeat) is alive


def test_no_file_is_no_sign_of_life(tmp_path: Path) -> None:
    assert not is_alive(tmp_path / "heartbeat")
