"""`run.py doctor`: what is wrong with this machine or its settings, and what to do about it."""

from __future__ import annotations

import argparse
import asyncio
import enum
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import SecretStr

from app.commands.outputs import why_not_writable
from app.settings import Settings
from app.version import app_version

REQUIREMENTS = Path(__file__).parents[2] / "requirements.txt"
CONSTRAINTS = REQUIREMENTS.with_name("constraints.txt")
_PACKAGE = re.compile(r"[A-Za-z0-9][\w.-]*")
TELEGRAM_MAY_TAKE_S = 10


class Verdict(enum.StrEnum):
    """How a check went."""

    GOOD = "ok"
    NOTE = "note"
    """Works, but someone may want to know."""
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report."""

    verdict: Verdict
    what: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"{self.verdict:>5}  {self.what}"
        return f"{line}\n       -> {self.advice}" if self.advice else line


def doctor(args: argparse.Namespace, settings: Settings) -> int:
    """Print the findings; 1 if something is bad, else 0."""
    findings = list(examine(settings))
    for finding in findings:
        print(finding)
    return int(any(finding.verdict is Verdict.BAD for finding in findings))


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything the bot needs, most basic first; no check can end the others."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _versions,
        _folders,
        _token,
        _styles,
        _engine,
    )
    for check in checks:
        try:
            yield from check(settings)
        except Exception as error:
            name = check.__name__.lstrip("_")
            what = _without_token(f"{name}: {error}", settings)
            yield Finding(Verdict.BAD, what, "run `make env` and try again")


def _without_token(text: str, settings: Settings) -> str:
    token = settings.bot_token.get_secret_value() if settings.bot_token else ""
    return text.replace(token, "...") if token else text


def _versions(_: Settings) -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding(Verdict.GOOD, f"version {app_version()}, Python {python}")
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        if package := _PACKAGE.match(line):
            yield _installed(package[0], pins[package[0].lower()])


def _installed(package: str, wanted: str) -> Finding:
    try:
        there = version(package)
    except PackageNotFoundError:
        return Finding(Verdict.BAD, f"{package} is not installed", "run `make env`")
    # What follows a plus is the build: torch for this or that CUDA, or none.
    if there.partition("+")[0] != wanted:
        advice = f"tried with {wanted}; `make env` installs that"
        return Finding(Verdict.NOTE, f"{package} {there}", advice)
    return Finding(Verdict.GOOD, f"{package} {there}")


def _folders(settings: Settings) -> Iterator[Finding]:
    for folder in (settings.data_dir, settings.cache_dir):
        problem = _cannot_write(folder)
        if problem:
            advice = f"make it writable for user {os.getuid()}, or set DATA_DIR to another folder"
            yield Finding(Verdict.BAD, f"{folder}: {problem}", advice)
        else:
            yield Finding(Verdict.GOOD, f"{folder} is writable")


def _cannot_write(folder: Path) -> str | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return why_not_writable(folder)


def _token(settings: Settings) -> Iterator[Finding]:
    if settings.bot_token is None:
        advice = "ask @BotFather for one and put BOT_TOKEN=... into .env; until then: the sandbox"
        yield Finding(Verdict.NOTE, "no bot token is set", advice)
        return
    from aiogram.exceptions import AiogramError

    from app.bot.transport.poller import WRONG_TOKEN

    # Whose it is, never what it is; what an error says may hold an address with the token.
    try:
        name = asyncio.run(_ask_telegram(settings.bot_token, settings.telegram_api_url))
    except WRONG_TOKEN:
        advice = "ask @BotFather for the bot's token (/mybots) and put BOT_TOKEN=... into .env"
        yield Finding(Verdict.BAD, "Telegram doesn't know the bot token", advice)
    except AiogramError:
        advice = "look at the network and at TELEGRAM_API_URL; the bot itself waits and tries again"
        yield Finding(Verdict.NOTE, "a bot token is set, but Telegram can't be reached", advice)
    else:
        yield Finding(Verdict.GOOD, f"the bot token is that of @{name}")


async def _ask_telegram(token: SecretStr, server: str) -> str | None:
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer

    session = AiohttpSession(api=TelegramAPIServer.from_base(server), timeout=TELEGRAM_MAY_TAKE_S)
    async with Bot(token.get_secret_value(), session) as bot:
        return (await bot.me()).username


def _styles(settings: Settings) -> Iterator[Finding]:
    from styles.catalog import default_catalog

    catalog = default_catalog(settings.styles_dir)
    yield Finding(Verdict.GOOD, f"{len(catalog.presets())} presets")
    for problem in catalog.problems:
        yield Finding(Verdict.BAD, str(problem), "mend or remove that entry")


def _engine(settings: Settings) -> Iterator[Finding]:
    if settings.ray_address is not None:
        yield from _cluster(settings, settings.ray_address)
        return
    from models.engine.examination import examine_engine

    for finding in examine_engine(
        encoder=settings.encoder,
        device=settings.device,
        cpu_workers=settings.cpu_workers,
        cache_dir=settings.cache_dir,
    ):
        unless_good = Verdict.BAD if finding.fatal else Verdict.NOTE
        verdict = Verdict.GOOD if finding.good else unless_good
        yield Finding(verdict, finding.what, finding.advice)


def _cluster(settings: Settings, address: str) -> Iterator[Finding]:
    from models.interface import DeviceSettingError, EngineError
    from models.remote.cluster import connect
    from models.remote.places import choose_places

    try:
        places = choose_places(
            connect(address), device=settings.device, cpu_workers=settings.cpu_workers
        )
    except EngineError as error:
        advice = "the bot takes jobs all the same, and paints them as soon as that is mended"
        if isinstance(error, DeviceSettingError):
            advice = "the bot does not start before that is mended"
        yield Finding(Verdict.BAD, str(error), advice)
        return
    for place in places:
        yield Finding(Verdict.GOOD, f"painting on {place.name}, in the Ray cluster")
