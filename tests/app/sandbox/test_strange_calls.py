"""Whatever a call of the Bot API says: it is obeyed or refused, never a fault of the server."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.sandbox.methods import METHODS
from app.sandbox.people import Person
from tests.app.sandbox.faulty_sandbox import FaultySandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEYS = [
    "chat_id",
    "message_id",
    "message_ids",
    "user_id",
    "text",
    "caption",
    "entities",
    "caption_entities",
    "parse_mode",
    "media",
    "type",
    "reply_markup",
    "inline_keyboard",
    "callback_data",
    "reply_parameters",
    "reply_to_message_id",
    "offset",
    "limit",
    "timeout",
    "draft_id",
    "commands",
    "scope",
    "language_code",
    "callback_query_id",
    "file_id",
    "photo",
    "results",
    "id",
    "photo_file_id",
]
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**30, -(10**30), float("inf")])
LEAVES = st.none() | st.booleans() | NUMBERS | st.text(st.characters(), max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=8,
)
SAID = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"getupdates"}))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=SAID)
async def test_no_parameters_are_a_fault(
    sandbox: FaultySandbox,
    http: aiohttp.ClientSession,
    anna: Person,
    method: str,
    said: dict[str, Any],
) -> None:
    mine = sandbox.world.post(anna.chat, sandbox.world.bot, {"text": "hello"})
    asked = anna.ask_inline("hello").id
    known = {"chat_id": anna.user.id, "message_id": mine.id, "text": "x", "inline_query_id": asked}
    said = known | said
    url = f"/bot{sandbox.token}/{method}"
    async with http.post(url, data=json.dumps(said), headers=JSON) as answer:
        assert answer.status < 500
    form = {key: json.dumps(value) for key, value in said.items()}
    async with http.post(url, data=form) as answer:
        assert answer.status < 500


@pytest.mark.parametrize("number", ["9" * 4000, f"-{'9' * 4000}", "9" * 5000, "1e9", "", "nan"])
async def test_a_poll_bears_any_number(
    sandbox: FaultySandbox, http: aiohttp.ClientSession, anna: Person, number: str
) -> None:
    for name in ("offset", "limit", "timeout"):
        anna.write("hello")  # or the poll would wait for something, as it should
        said = {"offset": "-1", "timeout": "0", name: number}
        async with http.get(f"/bot{sandbox.token}/getUpdates", params=said) as answer:
            assert answer.status < 500


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{" * 100_000),
        ("application/json; charset=no-such", b"{}"),
        ("application/json", b"[]"),
        ("application/x-www-form-urlencoded; charset=no-such", b"chat_id=%ff"),
        ("multipart/form-data; boundary=\xff", b"--"),
        ("nonsense", b"{}"),
    ],
)
async def test_no_body_is_a_fault(
    sandbox: FaultySandbox, http: aiohttp.ClientSession, kind: str, body: bytes
) -> None:
    for path in (f"/bot{sandbox.token}/sendMessage", "/bot1/getMe", "/sandbox/write"):
        async with http.post(path, data=body, headers={"Content-Type": kind}) as answer:
            assert 400 <= answer.status < 500
