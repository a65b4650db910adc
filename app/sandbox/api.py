"""The Bot API over HTTP: routes and envelopes."""

from __future__ import annotations

import logging
import time
from typing import Any

from aiohttp import web

from app.sandbox.errors import ApiError
from app.sandbox.files import StoredFile
from app.sandbox.methods import METHODS
from app.sandbox.params import Params, read_params
from app.sandbox.world import Call, World

logger = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
DOWNLOAD_HEADERS = {"Content-Type": "application/octet-stream"}


class BotApi:
    """Answers one bot as api.telegram.org would."""

    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/bot{token}/{method}", self._call),
            web.get("/file/bot{token}/{path:.+}", self._download),
        ]

    async def _call(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        params = Params()
        try:
            params = await self._params(request)
            result = await self._result(request, name, params)
        except ApiError as error:
            self._log_call(name, params, ok=False)
            return web.json_response(error.as_json(), status=error.code)
        self._log_call(name, params, ok=True)
        return web.json_response({"ok": True, "result": result})

    async def _params(self, request: web.Request) -> Params:
        # Read first, whatever the answer: a refusal in mid-upload looks like a broken connection.
        params = await read_params(request)
        if request.match_info["token"] != self._token:
            raise ApiError(401, "Unauthorized")
        return params

    async def _result(self, request: web.Request, name: str, params: Params) -> Any:
        method = METHODS.get(name.lower())
        if method is None:
            logger.warning("the sandbox has no method %s", name)
            raise ApiError(404, "Not Found: method not found")
        return await method(self._world, params)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        stored = self._world.files.by_path(request.match_info["path"])
        if request.match_info["token"] != self._token or stored is None:
            return web.json_response(ApiError(404, "Not Found").as_json(), status=404)
        return await self._stream(request, stored)

    async def _stream(self, request: web.Request, stored: StoredFile) -> web.StreamResponse:
        response = web.StreamResponse(headers=DOWNLOAD_HEADERS)
        response.content_length = len(stored.data)
        await response.prepare(request)
        for start in range(0, len(stored.data), CHUNK_BYTES):
            await response.write(stored.data[start : start + CHUNK_BYTES])
        await response.write_eof()
        return response

    def _log_call(self, name: str, params: Params, *, ok: bool) -> None:
        self._world.calls.append(Call(name, chat_id_of(params), time.monotonic(), ok))


def chat_id_of(params: Params) -> int | None:
    """The chat that a call is about; None if it names none."""
    try:
        return params.number("chat_id")
    except ApiError:
        return None
