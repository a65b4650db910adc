"""multipart/form-data, as programs and browsers send it."""

from __future__ import annotations

from email.message import Message
from typing import NamedTuple

from aiohttp import content_disposition_filename, parse_content_disposition, web


class Part(NamedTuple):
    """A field, or a file: then with a name and a type."""

    name: str
    data: bytes
    file_name: str | None
    mime_type: str


async def read_form(request: web.Request) -> list[Part]:
    """The parts of a form, in their order. Raises ValueError for what is none.

    Read as a whole, for it is kept as a whole: where a body arrives in shreds, aiohttp's own reader
    calls a method that aiohttp has deprecated.
    """
    head = Message()
    head["Content-Type"] = request.headers.get("Content-Type", "")
    if not (boundary := head.get_boundary()):
        raise ValueError("no boundary")
    before, *parts = (b"\r\n" + await request.read()).split(b"\r\n--" + boundary.encode())
    if before or not parts or not parts.pop().startswith(b"--"):
        raise ValueError("no whole form")
    return [_part(text) for text in parts]


def _part(text: bytes) -> Part:
    """Headers, an empty line, and the value."""
    head, empty_line, data = text.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (
            # Browsers and aiogram write names in UTF-8, whatever the standard says.
            line.partition(":")
            for line in head.decode("utf-8", "replace").split("\r\n")
        )
    }
    _, facts = parse_content_disposition(headers.get("content-disposition"))
    name = content_disposition_filename(facts, "name")
    if not empty_line or name is None:
        raise ValueError("a part without a name")
    mime_type = headers.get("content-type", "application/octet-stream")
    return Part(name, data, content_disposition_filename(facts), mime_type)
