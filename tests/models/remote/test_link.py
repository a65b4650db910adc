"""The process beside the bot: what is heard of its end, and what it is not told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from models.devices.gpu_options import GpuOptions
from models.interface import DeviceAwayError, DeviceLostError
from models.remote.link import Call, Driver, is_last
from models.remote.messages import Changes, ClusterOrder, Ended, Look, Stop
from tests.patience import PATIENCE_S

CLUSTER = ClusterOrder(
    address="auto",
    encoder="slim",
    device="auto",
    cpu_workers=1,
    gpu=GpuOptions(),
    cache_dir=Path("cache"),
)
LOOK = Look(ended=frozenset())
SERVE = """
import os, signal, sys
from multiprocessing.connection import Connection
from models.remote.messages import Changes, Ended, Stop
bot = Connection(int(sys.argv[1]))
bot.recv()
number, _ = bot.recv()
"""


def driver(what: str) -> Driver:
    """One that does this with the first order."""
    return Driver(CLUSTER, command=(sys.executable, "-c", SERVE + what))


def why_ended(driver: Driver) -> DeviceLostError:
    with driver.call(LOOK) as call, pytest.raises(DeviceLostError) as caught:
        call.next(PATIENCE_S)
    return caught.value


def answered(call: Call) -> list[object]:
    answers = []
    while not is_last(answer := call.next(PATIENCE_S)):
        answers.append(answer)
    return answers


def test_answers_come_until_the_last_one_and_words_reach_it() -> None:
    echo = driver(
        "bot.send((number, Changes(gone=('a',))))\n"
        "assert bot.recv() == (number, Stop(engine='a', cancel=True))\n"
        "bot.send((number, Ended()))\n"
        "bot.recv()"
    )
    with echo.call(LOOK) as call:
        call.tell(Stop(engine="a", cancel=True))
        assert answered(call) == [Changes(gone=("a",))]
        with pytest.raises(TimeoutError):
            call.next(0.01)
    echo.end()


def test_an_error_is_raised_where_it_arrives() -> None:
    failing = driver("bot.send((number, Ended(ValueError('no such picture'))))\nbot.recv()")
    with failing.call(LOOK) as call, pytest.raises(ValueError, match="no such picture"):
        answered(call)
    failing.end()


def test_ray_s_own_end_is_no_picture_s_doing_and_a_signal_may_be() -> None:
    assert type(why_ended(driver("os._exit(1)"))) is DeviceAwayError
    killed = why_ended(driver("os.kill(os.getpid(), signal.SIGKILL)"))
    assert type(killed) is DeviceLostError


def test_whoever_ends_it_is_not_told_of_a_picture_s_doing() -> None:
    waiting = driver("bot.recv()")
    with waiting.call(LOOK) as call:
        waiting.end()
        with pytest.raises(DeviceAwayError):
            call.next(PATIENCE_S)
    assert waiting.has_ended
    assert type(why_ended(waiting)) is DeviceAwayError, "a later order hears of it, too"


def test_the_token_is_not_among_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "42:secret")
    monkeypatch.setenv("RAY_enable_something", "1")
    asked = driver(
        "names = tuple(sorted(os.environ))\n"
        "bot.send((number, Changes(joined=names)))\nbot.send((number, Ended()))\nbot.recv()"
    )
    with asked.call(LOOK) as call:
        (changes,) = answered(call)
    asked.end()
    assert isinstance(changes, Changes)
    assert "RAY_enable_something" in changes.joined
    assert "BOT_TOKEN" not in changes.joined


def test_an_answer_that_ends_a_call_may_be_an_error() -> None:
    assert is_last(Ended())
    assert not is_last(Changes())
