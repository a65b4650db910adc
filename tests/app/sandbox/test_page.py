"""The page's HTTP API: what a person does and sees, and who is kept out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from yarl import URL

from app.sandbox.files import Files
from app.sandbox.people import Person
from app.sandbox.updates import MAX_WAITING, UpdateQueue
from app.sandbox.world import KEPT_MESSAGES, KEPT_QUERIES, Message
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.app.sandbox.pictures import picture
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def next_event(response: aiohttp.ClientResponse) -> dict[str, Any]:
    async for line in response.content:
        if line.startswith(b"data: "):
            event: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
            return event
    raise AssertionError("the stream has ended")


async def test_a_person_sees_the_past_and_then_the_present(
    http: aiohttp.ClientSession, bot: Bot, anna: Person, ben: Person
) -> None:
    anna.write("earlier")
    async with http.get("/sandbox/events", params={"user": anna.user.id}) as stream:
        snapshot = await next_event(stream)
        assert [m["text"] for m in snapshot["body"]["messages"]] == ["earlier"]
        ben.write("somebody else's")
        sent = await bot.send_message(anna.user.id, "now")
        await bot.edit_message_text("later", chat_id=anna.user.id, message_id=sent.message_id)
        await bot.send_message_draft(chat_id=anna.user.id, draft_id=1, text="soon")
        await bot.delete_message(anna.user.id, sent.message_id)
        kinds = [(await next_event(stream))["kind"] for _ in range(4)]
    assert kinds == ["message", "edited", "draft", "deleted"]


async def test_what_a_person_types_and_presses_reaches_the_bot(
    http: aiohttp.ClientSession, bot: Bot, anna: Person
) -> None:
    me = {"user_id": anna.user.id}
    await http.post("/sandbox/write", json={**me, "text": "/start"})
    mine = next(iter(anna.chat.messages.values()))
    await http.post("/sandbox/edit", json={**me, "message_id": mine.id, "text": "/help"})
    await http.post("/sandbox/press", json={**me, "message_id": mine.id, "data": "yes"})
    first, edited, pressed = await bot.get_updates()
    assert first.message is not None
    assert first.message.text == "/start"
    assert edited.edited_message is not None
    assert edited.edited_message.text == "/help"
    assert pressed.callback_query is not None
    assert pressed.callback_query.data == "yes"


@pytest.mark.parametrize(("kind", "key"), [("photo", "photo"), ("file", "document")])
async def test_files_are_sent_as_photos_or_as_they_are(
    http: aiohttp.ClientSession, bot: Bot, anna: Person, kind: str, key: str
) -> None:
    form = aiohttp.FormData({"user_id": str(anna.user.id), "as": kind, "caption": "two"})
    for name in ("a.png", "b.png"):
        form.add_field("files", picture(), filename=name, content_type="image/png")
    async with http.post("/sandbox/upload", data=form) as answer:
        assert answer.status == 200
    messages = [update.message for update in await bot.get_updates()]
    assert [getattr(message, key) is not None for message in messages] == [True, True]
    file_id = next(iter(anna.chat.messages.values())).content[key]
    file_id = (file_id[-1] if isinstance(file_id, list) else file_id)["file_id"]
    async with http.get(f"/sandbox/files/{file_id}") as shown:
        assert shown.content_type in {"image/png", "image/jpeg"}


async def test_what_is_no_photo_is_refused_with_a_reason(
    http: aiohttp.ClientSession, anna: Person
) -> None:
    form = aiohttp.FormData({"user_id": str(anna.user.id), "as": "photo"})
    form.add_field("files", b"<html>", filename="photo.jpg", content_type="image/jpeg")
    async with http.post("/sandbox/upload", data=form) as answer:
        assert answer.status == 400
        assert "IMAGE_PROCESS_FAILED" in (await answer.json())["error"]
    assert not anna.chat.messages


async def test_a_page_in_disguise_is_downloaded_not_shown(
    http: aiohttp.ClientSession, anna: Person
) -> None:
    form = aiohttp.FormData({"user_id": str(anna.user.id), "as": "file"})
    form.add_field("files", b"<script>", filename="x.html", content_type="text/html")
    await http.post("/sandbox/upload", data=form)
    file_id = next(iter(anna.chat.messages.values())).content["document"]["file_id"]
    async with http.get(f"/sandbox/files/{file_id}") as shown:
        assert shown.content_type == "application/octet-stream"
        assert shown.headers["Content-Disposition"] == "attachment"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        (None, 200, slice(None)),
        ("bytes=0-", 206, slice(None)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=10-99999", 206, slice(10, None)),
        ("bytes=99999-", 416, slice(0, 0)),
        ("bytes=5-2", 416, slice(0, 0)),
        ("seconds=1-2", 416, slice(0, 0)),
    ],
)
async def test_a_player_gets_the_part_it_asks_for(
    http: aiohttp.ClientSession, anna: Person, wanted: str | None, status: int, part: slice
) -> None:
    data = bytes(range(256))
    form = aiohttp.FormData({"user_id": str(anna.user.id), "as": "file"})
    form.add_field("files", data, filename="film.mp4", content_type="video/mp4")
    await http.post("/sandbox/upload", data=form)
    file_id = next(iter(anna.chat.messages.values())).content["document"]["file_id"]
    headers = {"Range": wanted} if wanted else {}
    async with http.get(f"/sandbox/files/{file_id}", headers=headers) as answer:
        assert answer.status == status
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert await answer.read() == data[part]
        if status == 206:
            start, stop, _ = part.indices(len(data))
            assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"


async def test_a_person_can_change_the_language(
    http: aiohttp.ClientSession, bot: Bot, anna: Person
) -> None:
    await http.post("/sandbox/language", json={"user_id": anna.user.id, "language": "en"})
    anna.write("hi")
    message = (await bot.get_updates())[0].message
    assert message is not None
    assert message.from_user is not None
    assert message.from_user.language_code == "en"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:8080"},
        {"Host": "127.0.0.1"},
        {"Host": "local host"},
        {"Host": "[::1"},
        {"Host": "127.0.0.1:99999999"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
    ids=["host", "no port", "space", "bracket", "large port", "origin", "null origin"],
)
@pytest.mark.parametrize("path", ["/", "/nowhere", "/sandbox/people", "/static/chat.js"])
async def test_other_sites_are_kept_out(
    http: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    async with http.get(path, headers=headers) as answer:
        assert answer.status == 403


async def test_the_pages_own_files_are_served(http: aiohttp.ClientSession) -> None:
    for name in ("style.css", "chat.js", "brush.svg"):
        async with http.get(f"/static/{name}") as answer:
            assert answer.status == 200


@pytest.mark.parametrize("name", ["..%2fserver.py", "%2e%2e/server.py", "server.py", "index.html"])
async def test_only_the_pages_own_files_are_served(http: aiohttp.ClientSession, name: str) -> None:
    async with http.get(f"/static/{name}") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("suffix", [".css", ".js", ".svg"])
async def test_no_name_leads_to_another_folder(
    http: aiohttp.ClientSession, tmp_path: Path, suffix: str
) -> None:
    secret = (tmp_path / "secret").with_suffix(suffix)
    secret.write_text("secret")
    for name in (str(secret), f"../../../../../../..{secret}"):
        encoded = name.replace("/", "%2F")
        async with http.get(URL(f"/static/{encoded}", encoded=True)) as answer:
            assert answer.status == 404


@pytest.mark.parametrize(
    "path",
    [
        f"/static/{'a' * 5000}.css",
        f"/sandbox/files/{'a' * 5000}",
        "/static/a%00.css",
        f"/sandbox/events?user={'9' * 5000}",
        "/sandbox/events?user=%ED%A0%80",
        "/sandbox/events",
    ],
)
async def test_a_strange_address_is_not_found(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(URL(path, encoded=True)) as answer:
        assert answer.status == 404


async def test_pressed_buttons_are_kept_up_to_a_number(
    sandbox: FaultySandbox, anna: Person
) -> None:
    message = anna.write("x")
    queries = [anna.press(message, "y") for _ in range(KEPT_QUERIES + 5)]
    assert len(sandbox.world.queries) == KEPT_QUERIES
    assert queries[-1].id in sandbox.world.queries


async def test_what_is_never_fetched_or_looked_at_is_kept_up_to_a_number() -> None:
    updates, files = UpdateQueue(), Files(kept_bytes=100_000)
    for _ in range(MAX_WAITING + 5):
        updates.add("message", {})
    assert len(updates) == MAX_WAITING
    documents = [files.add_document(b"", name="a", mime_type="b/c") for _ in range(1000)]
    kept = [files.get(document["document"]["file_id"]) is not None for document in documents]
    assert kept[-1]
    assert not kept[0]


async def test_a_chain_of_replies_does_not_keep_what_was_forgotten(anna: Person) -> None:
    said = anna.write("first")
    for _ in range(KEPT_MESSAGES + 5):
        said = anna.write("answer", reply_to=said)
    chain: Message | None = said
    length = 0
    while chain is not None:
        chain, length = chain.reply_to, length + 1
    assert length <= KEPT_MESSAGES + 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{" * 100_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"user_id": 1}',
        b'{"user_id": "x"}',
        b'{"user_id": %s}' % (b"9" * 5000),
        b'{"user_id": "%s"}' % (b"9" * 5000),
        b'{"user_id": 1e400}',
        b'{"user_id": "\\ud800"}',
        b'{"user_id": 1, "text": "%s"}' % (b"a" * 100_000),
    ],
)
async def test_broken_requests_are_refused(http: aiohttp.ClientSession, body: bytes) -> None:
    for path in ("write", "edit", "press", "upload", "language"):
        async with http.post(f"/sandbox/{path}", data=body) as answer:
            assert 400 <= answer.status < 500


async def test_the_sandbox_closes_while_a_page_listens() -> None:
    async with aiohttp.ClientSession() as http:
        async with FaultySandbox(port=0) as sandbox:
            url = f"{sandbox.page_url}sandbox/events?user=100001"
            stream = await http.get(url)
            await next_event(stream)
        async with asyncio.timeout(PATIENCE_S):
            await stream.content.read()
        assert stream.content.at_eof()
