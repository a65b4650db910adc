"""Logs: one line per event, and no secret on any of them."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Literal

import pytest
from aiogram import Bot
from aiogram.exceptions import ClientDecodeError
from aiogram.methods import GetMe
from aiogram.types import Message
from pydantic import ValidationError

from app.monitoring.logs import OWN_PACKAGES, set_up_logs

TOKEN = "4200000001:AAH-abcdefghijklmnopqrstuvwxyz_12345"
OTHER_TOKEN = "77777777:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

logger = logging.getLogger("app.test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # pytest puts its own warning hook back after a test, but logging's memory of it stays.
    logging.captureWarnings(capture=False)
    yield
    logging.captureWarnings(capture=False)
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    for package in OWN_PACKAGES:
        logging.getLogger(package).setLevel(logging.NOTSET)


def set_up(log_format: Literal["text", "json"], level: str = "INFO") -> io.StringIO:
    stream = io.StringIO()
    set_up_logs(log_format=log_format, level=level, secrets=[TOKEN], stream=stream)
    return stream


def fail_with(message: str) -> None:
    try:
        raise ConnectionError(message)
    except ConnectionError:
        logger.exception("failed at %s", message, extra={"url": message})


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("token", [TOKEN, OTHER_TOKEN, TOKEN.replace(":", "%3A")])
def test_a_token_appears_nowhere(log_format: Literal["text", "json"], token: str) -> None:
    stream = set_up(log_format)
    fail_with(f"https://api.telegram.org/file/bot{token}/photos/1.jpg")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"odd: {token}", stacklevel=1)
    written = stream.getvalue()
    assert token not in written
    assert token[-20:] not in written
    assert written.count("[token]") >= 4
    assert "ConnectionError" in written


@pytest.mark.parametrize("library", ["aiosqlite", "aiogram.event", "aiohttp.client", "PIL.Image"])
def test_libraries_never_log_what_they_were_given(library: str) -> None:
    stream = set_up("text", "DEBUG")
    logging.getLogger(library).debug("executing with %s", ("Anna", "private words"))
    logging.getLogger(library).info("Anna said private words")
    logging.getLogger(library).warning("something is wrong")
    logger.debug("our own")
    assert "private words" not in stream.getvalue()
    assert "something is wrong" in stream.getvalue()
    assert "our own" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_an_error_quotes_nothing_that_was_said(log_format: Literal["text", "json"]) -> None:
    stream = set_up(log_format)
    said = {"message_id": "private words", "chat": "private words"}
    for fail in (
        lambda: Message.model_validate(said),
        lambda: Bot(TOKEN).session.check_response(
            Bot(TOKEN), GetMe(), 200, json.dumps({"ok": True, "result": said})
        ),
    ):
        try:
            fail()
        except (ValidationError, ClientDecodeError):
            logger.exception("failed")
    assert "ValidationError" in stream.getvalue()
    assert "ClientDecodeError" in stream.getvalue()
    assert "private words" not in stream.getvalue()


def test_text_lines_carry_fields_as_pairs() -> None:
    stream = set_up("text")
    logger.info("job accepted", extra={"job": 7, "style": "Great wave", "empty": "", "q": 'a"b'})
    (line,) = stream.getvalue().splitlines()
    assert line.endswith('app.test: job accepted job=7 style="Great wave" empty="" q="a\\"b"')


def test_what_a_stranger_says_can_not_forge_a_line() -> None:
    stream = set_up("text")
    logger.info("name: %s", "x\n2026-01-01T00:00:00Z ERROR forged", extra={"said": "a\nb\rc"})
    assert len(stream.getvalue().splitlines()) == 1


def test_json_lines_are_objects() -> None:
    stream = set_up("json")
    logger.warning("Привет", extra={"job": 7, "odd": {1, 2}})
    entry = json.loads(stream.getvalue())
    assert entry["message"] == "Привет"
    assert entry["level"] == "warning"
    assert entry["job"] == 7
    assert entry["time"].endswith("Z")


def test_no_line_names_a_person_by_the_path_of_a_picture_or_the_words_of_an_error() -> None:
    stream = set_up("text")
    try:
        raise FileNotFoundError(2, "No such file", "/data/originals/7312345678/ab.jpg")
    except FileNotFoundError as error:
        logger.exception("gone", extra={"error": str(error)})
    logger.error("Flood control exceeded on method 'SendMessage' in chat -7312345678.")
    assert "7312345678" not in stream.getvalue()
