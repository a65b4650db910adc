"""The quota holds for the whole data folder, and somebody hears of it in a sentence."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from app.storage.disk_room import tree_bytes
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.actor import Actor
from tests.e2e.bot_process import FAST, STEPS, BotProcess
from tests.e2e.pictures import encoded, painting, photo

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

QUOTA_MB = 100
NO_ROOM = "no room for more pictures"
HOUR_S = 3600


def heavy() -> bytes:
    """A picture of about 8 MB."""
    return encoded(Image.effect_noise((2900, 2900), 120).convert("L"), "PNG")


@asynccontextmanager
async def largest(folder: Path) -> AsyncIterator[list[int]]:
    """What the folder takes, looked at again and again during the block."""
    sizes = [0]

    async def look() -> None:
        while True:
            sizes.append(await asyncio.to_thread(tree_bytes, folder))
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    try:
        yield sizes
    finally:
        looking.cancel()


async def test_what_comes_in_is_bounded_and_what_is_old_makes_room(tmp_path: Path) -> None:
    data = heavy()
    async with FaultySandbox(port=0) as sandbox:
        bot = BotProcess(
            sandbox, tmp_path, settings={**STEPS, "DISK_QUOTA_MB": str(QUOTA_MB)}, command=FAST
        )
        await bot.start()
        people = [
            Actor(sandbox, sandbox.add_person(610_001 + n, f"P{n}", f"p{n}", "en"))
            for n in range(7)
        ]
        async with largest(tmp_path) as sizes:
            for person in people:
                await person.sends_files(data, data)
            await people[0].until(
                lambda: any(NO_ROOM in m.text for each in people for m in each.received),
                awaited="a refusal",
            )
            for person in people:
                await person.sees(f"Which one gives the style|second one|{NO_ROOM}")
        assert 20_000_000 < max(sizes) <= QUOTA_MB * 1_000_000
        await asyncio.to_thread(grow_old, tmp_path / "originals")
        late = people[-1]
        await late.sends("/cancel")
        await late.sends_photos(photo(1), painting(1))
        await late.presses("2")
        await late.sees_result()
        assert tree_bytes(tmp_path) <= QUOTA_MB * 1_000_000
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log


def grow_old(folder: Path) -> None:
    """Blocking: no conversation waits for these pictures any more."""
    then = time.time() - 2 * HOUR_S
    for path in folder.rglob("*.*"):
        os.utime(path, (then, then))
