"""The parameters of a Bot API call, however they were sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import TypeAdapter

from app.sandbox.errors import MAX_UPLOAD_BYTES, ApiError, bad_request
from app.sandbox.forms import read_form
from app.sandbox.json_text import read_json

Json = dict[str, Any]
T = TypeVar("T")


class Upload(NamedTuple):
    """A file that came with the call."""

    data: bytes
    name: str
    mime_type: str


@dataclass(slots=True)
class Params:
    """Values as text or JSON, with the conversions that the Bot API makes."""

    values: dict[str, Any] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        return str(self.values.get(name, default))

    def number(self, name: str, default: int | None = None) -> int:
        """An integer. Raises `ApiError` if it is required and missing, or no number."""
        value = self.values.get(name, default)
        if value is None:
            raise bad_request(f"{name.replace('_', ' ')} is empty")
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise bad_request(f"{name.replace('_', ' ')} is not a number") from error

    def flag(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in {"1", "true"}

    def json(self, name: str, kind: type[T]) -> T | None:
        """The value of a JSON parameter, None if it is missing. Raises `ApiError` if broken."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        try:
            parsed = read_json(value) if isinstance(value, str) else value
            return TypeAdapter(kind).validate_python(parsed, strict=True)
        except ValueError as error:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from error

    def upload(self, reference: str, name: str) -> Upload | None:
        """The file that `attach://…` (or the parameter's own part) stands for."""
        if reference.startswith("attach://"):
            return self.uploads.get(reference.removeprefix("attach://"))
        return self.uploads.get(name)


async def read_params(request: web.Request) -> Params:
    """Query, form, multipart or JSON. Raises `ApiError` 413 for more than Telegram takes."""
    params = Params(values=dict(request.query))
    try:
        match request.content_type:
            case "multipart/form-data":
                await _read_multipart(request, params)
            case "application/json":
                params.values |= TypeAdapter(Json).validate_python(read_json(await request.read()))
            case "application/x-www-form-urlencoded":
                text = (await request.read()).decode()
                params.values |= dict(parse_qsl(text, keep_blank_values=True))
    except web.HTTPRequestEntityTooLarge as error:
        raise ApiError(413, "Request Entity Too Large") from error
    except ValueError as error:
        raise bad_request("can't parse the request") from error
    return params


async def _read_multipart(request: web.Request, params: Params) -> None:
    for part in await read_form(request):
        if len(part.data) > MAX_UPLOAD_BYTES:
            raise ApiError(413, "Request Entity Too Large")
        if part.file_name is None:
            params.values[part.name] = part.data.decode()
        else:
            params.uploads[part.name] = Upload(part.data, part.file_name, part.mime_type)
