"""Forms in one piece and in shreds, and what is none."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from app.sandbox.people import Person
from tests.app.sandbox.faulty_sandbox import FaultySandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOUNDARY = "boundary-0123456789abcdef"
TEXT = "--Ярко,\r\n--bound\r\n\r\n"
"""Looks like the end of a part, again and again, and isn't."""


def form(**fields: str) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return f"{''.join(parts)}--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize("shred_bytes", [1, 7, 50, 4096])
async def test_a_form_is_read_whole_in_whatever_shreds_it_comes(
    sandbox: FaultySandbox, anna: Person, shred_bytes: int
) -> None:
    host = sandbox.api_url.removeprefix("http://")
    body = form(chat_id=str(anna.user.id), text=TEXT)
    head = (
        f"POST /bot{sandbox.token}/sendMessage HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(head.encode())
    for start in range(0, len(body), shred_bytes):
        writer.write(body[start : start + shred_bytes])
        await asyncio.sleep(0)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b"200 OK" in answer.splitlines()[0]
    (message,) = anna.chat.messages.values()
    assert message.text == TEXT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form",
        form(text="cut off")[:-10],
        f"--{BOUNDARY}\r\n\r\nnameless\r\n--{BOUNDARY}--".encode(),
        f"--{BOUNDARY}--".encode(),
    ],
    ids=["empty", "no form", "cut off", "nameless", "without a part"],
)
async def test_what_is_no_form_is_refused(
    sandbox: FaultySandbox, http: aiohttp.ClientSession, body: bytes
) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    for path in (f"/bot{sandbox.token}/sendMessage", "/sandbox/upload"):
        async with http.post(path, data=body, headers=headers) as answer:
            assert 400 <= answer.status < 500


async def test_a_form_needs_a_boundary(sandbox: FaultySandbox, http: aiohttp.ClientSession) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    for path in (f"/bot{sandbox.token}/sendMessage", "/sandbox/upload"):
        async with http.post(path, data=form(text="hi"), headers=headers) as answer:
            assert answer.status == 400
