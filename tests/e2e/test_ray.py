"""The bot with engines in a Ray cluster: machines die, the cluster goes and comes back."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path

import pytest

from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.actor import ACCEPTED, Actor, is_result
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import BotHarness
from tests.e2e.pictures import painting, photo
from tests.patience import PATIENCE_S
from tests.ray_cluster import ENVIRONMENT, free_port, need_ray, ray_cluster

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(600),
]

ADMIN_ID = 1_000_010
CAN_NOT_RUN = 1


async def test_a_cluster_that_loses_its_machines_and_comes_back_costs_nobody_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    need_ray()
    port = free_port()
    settings = {**ENVIRONMENT, "RAY_ADDRESS": f"127.0.0.1:{port}", "ADMIN_IDS": str(ADMIN_ID)}
    async with FaultySandbox(port=0) as sandbox:
        bot = BotProcess(sandbox, tmp_path, settings=settings)
        harness = BotHarness(sandbox, bot, tmp_path)
        admin = Actor(sandbox, sandbox.add_person(ADMIN_ID, "Ada", "ada", "en"))
        people = [harness.new_person(name) for name in ("First", "Second", "Third")]
        with ray_cluster(port) as cluster:
            await bot.start()
            await admin.sends("/help")
            await asyncio.gather(*(order(person, n) for n, person in enumerate(people)))
            await asyncio.to_thread(cluster.kill_second)
            for person in people:
                await person.until(partial(has_result, person), awaited="a result")
            await admin.sees("was lost in job|devices left: 1")
            cluster.add_second()
            await until_said(bot, "painting on 127.0.0.1/cpu:", times=3)
            joined = [harness.new_person(name) for name in ("Fourth", "Fifth")]
            await asyncio.gather(*(order(person, 4 + n) for n, person in enumerate(joined)))
            for person in joined:
                await person.until(partial(has_result, person), awaited="a result")
            *_, newcomer = re.findall(r"painting on (127\.\S+)", bot.log)
            since = bot.log.rpartition(f"painting on {newcomer}")[2]
            assert re.search(f"job started .*device={newcomer}", since)
            late = harness.new_person("Late")
            await order(late, 9)
            await asyncio.to_thread(cluster.kill_first)
            assert await bot.ended(within_s=120) != 0
        await bot.start(wait=False)
        assert await bot.ended(within_s=60) == CAN_NOT_RUN
        assert f"No Ray cluster answers at 127.0.0.1:{port}" in bot.log
        with ray_cluster(port):
            await bot.start()
            await late.until(partial(has_result, late), awaited="a result")
            assert await bot.stop() == 0
    assert "SIGTERM" not in bot.log.replace("SIGTERM handler is not set", ""), "Ray's handler heard"
    assert "_ray_timestamp" not in bot.log


async def until_said(bot: BotProcess, words: str, *, times: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while bot.log.count(words) < times:
            assert not bot.has_ended, bot.log
            await asyncio.sleep(0.1)


async def order(person: Actor, seed: int) -> None:
    await person.sends_photos(photo(seed), painting(seed))
    await person.presses("2")
    await person.sees(ACCEPTED)


def has_result(person: Actor) -> bool:
    return any(map(is_result, person.received))
