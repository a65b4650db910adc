"""The bot with engines in a Ray cluster: it is away, machines die, it goes and comes back."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path

import pytest

from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.clip_files import facts_of, mp4
from tests.e2e.actor import ACCEPTED, Actor, is_result
from tests.e2e.bot_process import START_S, BotProcess
from tests.e2e.conftest import BotHarness
from tests.e2e.pictures import painting, photo
from tests.e2e.test_clips import choose_a_style
from tests.ray_cluster import ENVIRONMENT, free_port, need_ray, ray_cluster

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(600),
]

ADMIN_ID = 1_000_010
ALL_AWAY = "All machines that paint are away"
AWAY = "The machines that paint are away right now"


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
        await bot.start()
        await admin.sends("/help")
        await admin.sees("two ways to a painting")
        await admin.sees(ALL_AWAY)
        early = harness.new_person("Early")
        await order(early, 8)
        await early.until(partial(is_shown, early, AWAY), awaited="that it waits")
        await early.sends("/queue")
        assert "ready in" not in (await early.sees(f"place in the queue: 1[\\s\\S]*{AWAY}")).text
        await admin.sends("/stats")
        await admin.sees(f"Waiting: 1\n{AWAY}")
        with ray_cluster(port) as cluster:
            await admin.sees("is there: painting goes on", within_s=START_S)
            await early.until(partial(has_result, early), awaited="a result")
            await until_said(bot, "painting on 127.0.0.1/cpu:", times=2)
            await asyncio.gather(*(order(person, n) for n, person in enumerate(people)))
            await asyncio.to_thread(cluster.kill_second)
            for person in people:
                await person.until(partial(has_result, person), awaited="a result")
            await admin.sees("was lost in job|devices left: 1")
            lost = next(m.text for m in admin.received if "was lost in job" in m.text)
            assert "by itself" in lost
            cluster.add_second()
            await until_said(bot, "painting on 127.0.0.1/cpu:", times=3)
            joined = [harness.new_person(name) for name in ("Fourth", "Fifth")]
            await asyncio.gather(*(order(person, 4 + n) for n, person in enumerate(joined)))
            for person in joined:
                await person.until(partial(has_result, person), awaited="a result")
            *_, newcomer = re.findall(r"painting on (127\.\S+)", bot.log)
            since = bot.log.rpartition(f"painting on {newcomer}")[2]
            assert re.search(f"job started .*device={newcomer}", since)
            filmer = harness.new_person("Filmer")
            await choose_a_style(filmer)
            await filmer.sends_clip(mp4(8, sound=True))
            assert facts_of(filmer.clip(await filmer.sees_result())) == (8, True)
            await asyncio.to_thread(cluster.kill_first)
            await admin.sees(ALL_AWAY, within_s=120)
            late = harness.new_person("Late")
            await order(late, 9)
            await late.until(partial(is_shown, late, AWAY), awaited="that it waits")
        with ray_cluster(port):
            await admin.sees("is there: painting goes on", within_s=START_S)
            await late.until(partial(has_result, late), awaited="a result")
            assert await bot.stop() == 0
        said = [message.text for message in admin.received]
        assert sum(ALL_AWAY in text for text in said) == 2, said
    assert bot.log.count("hello, I am") == 1
    assert bot.log.count("No Ray cluster answers at 127.0.0.1") == 2


async def until_said(bot: BotProcess, words: str, *, times: int) -> None:
    async with asyncio.timeout(START_S):
        while bot.log.count(words) < times:
            assert not bot.has_ended, bot.log
            await asyncio.sleep(0.1)


async def order(person: Actor, seed: int) -> None:
    await person.sends_photos(photo(seed), painting(seed))
    await person.presses("2")
    await person.sees(ACCEPTED)


def is_shown(person: Actor, words: str) -> bool:
    return any(words in message.text for message in person.received)


def has_result(person: Actor) -> bool:
    return any(map(is_result, person.received))
