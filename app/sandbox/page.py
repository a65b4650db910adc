"""The chat page and the HTTP API it speaks: what a person types, presses and sees."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from app.sandbox.errors import MAX_ALBUM_ITEMS, ApiError, bad_request
from app.sandbox.forms import read_form
from app.sandbox.json_text import read_json
from app.sandbox.methods.method import CLIP_KINDS
from app.sandbox.methods.sending import CLIP_FACTS
from app.sandbox.people import Attachment, Person
from app.sandbox.world import Event, Message, World

Json = dict[str, Any]

STATIC = Path(__file__).parent / "static"
LANGUAGE_CODE = re.compile("[a-z]{2}(-[a-z]{2,4})?")
"""As Telegram's clients have it: `en`, `pt-br`, `zh-hans`."""
SERVED = {".css", ".js", ".svg"}
HEARTBEAT_S = 15.0
MAX_JSON_BYTES = 64 * 1024
# Anything else is downloaded, never shown: an HTML "photo" must not run on this page.
SHOWN_TYPES = {"image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4", "video/webm"}


class Page:
    """Serves the page to one machine's browser; each person in `people` can be played."""

    def __init__(self, world: World, people: Mapping[int, Person]) -> None:
        self._world = world
        self._people = people
        self._closing = asyncio.Event()
        self._static = {path.name: path for path in STATIC.iterdir() if path.suffix in SERVED}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", _index),
            web.get("/static/{name}", self._static_file),
            web.get("/sandbox/people", self._list_people),
            web.get("/sandbox/events", self._events),
            web.get("/sandbox/files/{file_id}", self._file),
            web.post("/sandbox/write", self._write),
            web.post("/sandbox/edit", self._edit),
            web.post("/sandbox/press", self._press),
            web.post("/sandbox/upload", self._upload),
            web.post("/sandbox/language", self._language),
        ]

    async def close(self, _: web.Application) -> None:
        """End the event streams, which would hold up the shutdown."""
        self._closing.set()

    async def _static_file(self, request: web.Request) -> web.FileResponse:
        # Looked up, never joined to a folder: an encoded slash in a name would lead anywhere.
        path = self._static.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    async def _list_people(self, _: web.Request) -> web.Response:
        people = [person.user.as_json() for person in self._people.values()]
        return web.json_response({"bot": self._world.bot.as_json(), "people": people})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        person = self._person(request.query.get("user"))
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        stream = web.StreamResponse(headers=headers)
        # A closed tab shows itself only by a failing write.
        with self._world.watch() as feed, suppress(ConnectionError):
            await stream.prepare(request)
            await _send_event(stream, "snapshot", self._snapshot(person))
            while not self._closing.is_set():
                event = await self._next_event(feed)
                if event is None:
                    await stream.write(b": still here\n\n")
                elif event.chat_id == person.chat.id:
                    await _send_event(stream, event.kind, self._shown(event, person))
        return stream

    async def _next_event(self, feed: asyncio.Queue[Event]) -> Event | None:
        """The next event; None after a while without one, or when the sandbox closes."""
        getting = asyncio.ensure_future(feed.get())
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait(
                (getting, closing), timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED
            )
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()
            closing.cancel()

    def _snapshot(self, person: Person) -> Json:
        messages = [message.as_json() for message in person.chat.messages.values()]
        return {"messages": messages, "menu": self._menu(person), "user": person.user.as_json()}

    def _shown(self, event: Event, person: Person) -> Json:
        return {"menu": self._menu(person)} if event.kind == "commands" else event.body

    def _menu(self, person: Person) -> list[Json]:
        return self._world.profile.menu(person.user.language_code)

    async def _file(self, request: web.Request) -> web.Response:
        stored = self._world.files.get(request.match_info["file_id"])
        if stored is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": "private, max-age=86400"}
        if stored.mime_type in SHOWN_TYPES:
            headers["Content-Type"] = stored.mime_type
        else:
            headers["Content-Type"] = "application/octet-stream"
            headers["Content-Disposition"] = "attachment"
        return _part(request, stored.data, headers)

    async def _write(self, request: web.Request) -> web.Response:
        body = await _json_body(request)
        person = self._person(body.get("user_id"))
        text = str(body.get("text", "")).strip()
        if text:
            person.write(text, reply_to=self._message(person, body.get("reply_to")))
        return web.json_response({})

    async def _edit(self, request: web.Request) -> web.Response:
        body = await _json_body(request)
        person = self._person(body.get("user_id"))
        message = self._message(person, body.get("message_id"))
        text = str(body.get("text", "")).strip()
        if message is None or message.sender is not person.user or "text" not in message.content:
            raise web.HTTPNotFound
        if text:
            person.edit(message, text)
        return web.json_response({})

    async def _press(self, request: web.Request) -> web.Response:
        body = await _json_body(request)
        person = self._person(body.get("user_id"))
        message = self._message(person, body.get("message_id"))
        if message is None:
            raise web.HTTPNotFound
        query = person.press(message, str(body.get("data", "")))
        return web.json_response({"query_id": query.id})

    async def _upload(self, request: web.Request) -> web.Response:
        fields, attachments = await _read_form(request)
        person = self._person(fields.get("user_id"))
        if not 1 <= len(attachments) <= MAX_ALBUM_ITEMS:
            raise bad_request(f"send 1 to {MAX_ALBUM_ITEMS} files at once")
        kind, caption = fields.get("as", ""), fields.get("caption", "")
        if kind in CLIP_KINDS:
            for file in attachments:
                await person.send_clip(kind, file, _about_clip(fields), caption=caption)
        else:
            send = person.send_photos if kind == "photo" else person.send_files
            await send(*attachments, caption=caption)
        return web.json_response({})

    async def _language(self, request: web.Request) -> web.Response:
        body = await _json_body(request)
        person = self._person(body.get("user_id"))
        language = str(body.get("language"))
        if not LANGUAGE_CODE.fullmatch(language):
            raise bad_request("unknown language")
        person.user.language_code = language
        self._world.publish("commands", person.chat, {})
        return web.json_response({})

    def _person(self, user_id: object) -> Person:
        try:
            return self._people[int(str(user_id))]
        except (KeyError, ValueError):
            raise web.HTTPNotFound from None

    def _message(self, person: Person, message_id: object) -> Message | None:
        return person.chat.messages.get(message_id) if isinstance(message_id, int) else None


def _about_clip(fields: Mapping[str, str]) -> Json:
    """What the browser says of a clip; nothing where it can't play it."""
    said = {key: fields.get(key, "") for key in CLIP_FACTS}
    return {key: int(text) for key, text in said.items() if re.fullmatch("[0-9]{1,5}", text)}


def _part(request: web.Request, data: bytes, headers: dict[str, str]) -> web.Response:
    """All of it, or the bytes that a player asks for when somebody moves to another moment."""
    headers["Accept-Ranges"] = "bytes"
    try:
        start, stop, _step = request.http_range.indices(len(data))
    except ValueError:
        start = stop = 0
    if "Range" not in request.headers:
        return web.Response(body=data, headers=headers)
    if start >= stop:
        headers["Content-Range"] = f"bytes */{len(data)}"
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return web.Response(status=206, body=data[start:stop], headers=headers)


async def _index(_: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


async def _json_body(request: web.Request) -> Json:
    text = await request.read()
    if len(text) > MAX_JSON_BYTES:
        raise web.HTTPRequestEntityTooLarge(max_size=MAX_JSON_BYTES, actual_size=len(text))
    try:
        body = read_json(text)
    except ValueError as error:
        raise web.HTTPBadRequest from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest
    return body


async def _read_form(request: web.Request) -> tuple[dict[str, str], list[Attachment]]:
    fields: dict[str, str] = {}
    attachments: list[Attachment] = []
    if not request.content_type.startswith("multipart/"):
        raise web.HTTPBadRequest
    try:
        parts = await read_form(request)
    except ValueError as error:
        raise web.HTTPBadRequest from error
    for part in parts:
        if part.file_name is None:
            fields[part.name] = part.data.decode(errors="replace")
        else:
            attachments.append(Attachment(part.data, part.file_name, part.mime_type))
    return fields, attachments


async def _send_event(stream: web.StreamResponse, kind: str, body: Json) -> None:
    data = json.dumps({"kind": kind, "body": body})
    await stream.write(f"data: {data}\n\n".encode())


@web.middleware
async def refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    """What a person's client would say instead of sending it."""
    try:
        response: web.StreamResponse = await handler(request)
    except ApiError as error:
        return web.json_response({"error": error.description}, status=error.code)
    return response
