"""Starting and ending: without a network, with a wrong token, killed at any moment."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import tempfile
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientSession

from app.sandbox.world import Message
from tests.app.decoding.decoders import LINUX_ONLY, decoders_of, first_decoder_of, hang
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.actor import Actor, is_result
from tests.e2e.bot_process import FAST, REAL, START_S, STEPS, BotProcess
from tests.e2e.conftest import BotHarness, running_harness
from tests.e2e.pictures import painting, photo
from tests.patience import PATIENCE_S
from tests.prepared_interpreter import SOCKET_VARIABLE

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

SUPERVISORS_WAIT_S = 10.0
EX_CONFIG = 78
"""Of sysexits.h: a supervisor need not try again."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_from_a_start_without_network_to_a_token_that_was_withdrawn(tmp_path: Path) -> None:
    sandbox = FaultySandbox(port=free_port())
    bot = BotProcess(sandbox, tmp_path, settings=STEPS, command=FAST)
    await bot.start(wait=False)
    while "can't be reached" not in bot.log:
        assert not bot.has_ended, bot.log
        await asyncio.sleep(0.1)
    async with sandbox:
        ben = Actor(sandbox, sandbox.people[100002])
        await ben.sends("/help")
        await ben.sees("two ways", within_s=60)
        sandbox.faults.unauthorized("getUpdates", times=None)
        await ben.sends("wakes the poll")
        assert await bot.ended(within_s=60) == EX_CONFIG
    assert_says_why_without_the_token(bot, sandbox)


async def test_screenshots_start_the_bot_without_a_prepared_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SOCKET_VARIABLE, raising=False)
    bot = BotProcess(FaultySandbox(port=free_port()), tmp_path, settings=STEPS, command=FAST)
    await bot.start(wait=False)
    assert not bot.has_ended
    await bot.kill()


async def test_a_wrong_token_ends_the_start_with_a_word_and_a_code(tmp_path: Path) -> None:
    async with FaultySandbox(port=0) as sandbox:
        sandbox.faults.unauthorized(times=None)
        bot = BotProcess(sandbox, tmp_path, settings=STEPS, command=FAST)
        await bot.start(wait=False)
        assert await bot.ended(within_s=90) == EX_CONFIG
    assert_says_why_without_the_token(bot, sandbox)


async def test_systemd_hears_of_the_start_and_of_every_beat(tmp_path: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,  # pytest's own may be too long for a socket
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        address = str(Path(folder) / "notify")
        manager.bind(address)
        manager.setblocking(False)
        sandbox = FaultySandbox(port=free_port())
        settings = {**STEPS, "NOTIFY_SOCKET": address}
        bot = BotProcess(sandbox, tmp_path, settings=settings, command=FAST)
        await bot.start(wait=False)

        async def heard(word: str) -> list[str]:
            async with asyncio.timeout(PATIENCE_S):
                said: list[str] = []
                while not any(word in line for line in said):
                    data = await asyncio.get_running_loop().sock_recv(manager, 4096)
                    said += data.decode().splitlines()
                return said

        # There is no network yet: more time is asked for, and nobody says that it runs.
        assert "READY=1" not in await heard("EXTEND_TIMEOUT_USEC")
        async with sandbox:
            await bot.until_polling()
            assert "READY=1" in await heard("READY=1")
            assert await heard("WATCHDOG=1") == ["WATCHDOG=1"]
            assert await bot.stop() == 0


@LINUX_ONLY
async def test_a_picture_that_is_decoded_for_ever_holds_up_neither_the_others_nor_the_end(
    tmp_path: Path,
) -> None:
    async with running_harness(tmp_path, STEPS, command=FAST) as harness:
        attacker, ben, bot = harness.new_person("Mallory"), harness.new_person(), harness.bot
        await attacker.sends_photo(photo(1))
        await attacker.sees("send the second one")
        await hang(hung := await first_decoder_of(bot.pid))
        await attacker.sends_files(photo(2), name="photo.jpg")
        await received(tmp_path)
        await ben.sends_photo(photo(3))
        await ben.sees("send the second one")
        assert hung in decoders_of(bot.pid)
        decoders = decoders_of(bot.pid)
        assert await bot.stop(within_s=SUPERVISORS_WAIT_S) == 0
        assert not set(decoders) & living()
        await bot.start()
        await attacker.sees("Which one gives the style")


async def received(data: Path) -> None:
    """Wait until a file has come over and is given to a decoder."""
    async with asyncio.timeout(PATIENCE_S):
        while not list((data / "originals").glob("*/*.received")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)


def living() -> set[int]:
    return {int(entry.name) for entry in Path("/proc").glob("[0-9]*")}


async def test_prometheus_reads_what_was_painted(tmp_path: Path) -> None:
    port = free_port()
    settings = {**STEPS, "METRICS_PORT": str(port)}
    async with (
        running_harness(tmp_path, settings, command=FAST) as harness,
        ClientSession() as client,
    ):
        await order(harness.new_person(), 1)
        figures: list[str] = []
        async with asyncio.timeout(PATIENCE_S):
            while 'style_bot_jobs{state="delivered"} 1.0' not in figures:
                async with client.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    assert answer.status == 200
                    figures = (await answer.text()).splitlines()
                await asyncio.sleep(0.05)
    assert any(line.startswith("process_resident_memory_bytes") for line in figures)


async def test_nothing_of_what_people_say_leaves_the_bots_own_files(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    settings = {**STEPS, "LOG_LEVEL": "DEBUG", "DATA_DIR": str(data)}
    async with running_harness(tmp_path, settings, command=FAST) as harness:
        zoe = harness.new_person("Zoe-Marie")
        await zoe.sends("private words")
        await order(zoe, 1)
        modes = {path: path.stat().st_mode & 0o077 for path in data.rglob("*")}
        assert len(modes) > 8
        assert not {path: mode for path, mode in modes.items() if mode}
        assert await harness.bot.stop() == 0
        log = harness.bot.log.casefold()
    assert "job accepted" in log
    assert not {words for words in ("private words", "zoe-marie") if words in log}


@pytest.mark.parametrize(
    ("name", "sentence", "code"),
    [
        ("DATA_DIR", "can't be used: a file of that name", 1),
        ("METRICS_PORT", "another program has", 1),
        ("DEVICE", "DEVICE: Value error, must not name cuda:0 twice", 2),
        ("FAST_MISSING", "There is no cuda:7", 2),
    ],
)
async def test_what_can_not_be_used_is_said_in_a_sentence(
    tmp_path: Path, name: str, sentence: str, code: int
) -> None:
    (tmp_path / "file").write_text("in the way")
    async with FaultySandbox(port=0) as sandbox:
        port = sandbox.api_url.rpartition(":")[2]
        values = {
            "DATA_DIR": str(tmp_path / "file"),
            "METRICS_PORT": port,
            "DEVICE": "cuda:0,cuda:0",
            "FAST_MISSING": "cuda:7",
        }
        command = REAL if name == "DEVICE" else FAST
        bot = BotProcess(sandbox, tmp_path, settings={**STEPS, name: values[name]}, command=command)
        await bot.start(wait=False)
        assert await bot.ended(within_s=90) == code
    assert sentence in bot.log
    assert "Traceback" not in bot.log


def assert_says_why_without_the_token(bot: BotProcess, sandbox: FaultySandbox) -> None:
    assert "BotFather" in bot.log
    assert sandbox.token not in bot.log
    assert "Traceback" not in bot.log


async def kill_rounds(harness: BotHarness, rounds: int, seed: int) -> None:
    """Kill the process at random moments while people order pictures; count in and out."""
    chance = random.Random(seed)
    people: list[Actor] = []
    for number in range(rounds):
        newcomers = [harness.new_person(f"R{number}") for _ in range(chance.randint(1, 3))]
        people += newcomers
        orders = [asyncio.create_task(order(person, number)) for person in newcomers]
        await asyncio.sleep(chance.uniform(0, 2.5))
        await harness.bot.kill()
        await harness.bot.start()
        await asyncio.gather(*orders)
    for person in people:
        await person.sees_result(within_s=START_S)
        await person.waits_until_idle()
        assert len(results(person)) == 1, person.transcript()


def results(person: Actor) -> list[int]:
    return [message.id for message in person.received if is_result(message)]


async def order(person: Actor, seed: int) -> None:
    """Insist, as people do: what was asked before a crash may be asked once more after it."""
    await person.sends_photos(photo(seed), painting(seed))
    pressed: Message | None = None
    while not is_accepted(person):
        look = partial(open_question, person, pressed)
        question = await person.until(look, within_s=START_S, awaited="a question, or a job")
        if isinstance(question, Message):
            pressed = question
            person.hammers(question, "2", times=1)


def is_accepted(person: Actor) -> bool:
    return any(re.search("gives the style\\.|Please wait|▰|Ready", m.text) for m in person.received)


def open_question(person: Actor, pressed: Message | None) -> Message | bool:
    """The newest question, if it is not the one that was answered; else whether there is a job."""
    asked = [m for m in person.received if any(b["text"] == "2" for b in m.buttons)]
    return asked[-1] if asked and asked[-1] is not pressed else is_accepted(person)


async def test_no_picture_is_lost_or_doubled_when_the_process_is_killed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with running_harness(tmp_path_factory.mktemp("killed"), STEPS, command=FAST) as harness:
        await kill_rounds(harness, rounds=3, seed=7)


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_fifty_rounds_of_kill_9(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with running_harness(tmp_path_factory.mktemp("killed"), STEPS, command=FAST) as harness:
        await kill_rounds(harness, rounds=50, seed=50)
