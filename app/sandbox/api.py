"""The Bot API over HTTP: routes, envelopes, and the accidents that `faults` asks for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any, NoReturn

from aiohttp import web

from app.sandbox.errors import ApiError
from app.sandbox.faults import DOWNLOAD, Accident, Fault, Faults
from app.sandbox.files import StoredFile
from app.sandbox.methods import METHODS
from app.sandbox.params import Params, read_params
from app.sandbox.world import Call, World

logger = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024


class BotApi:
    """Answers one bot as api.telegram.org would."""

    def __init__(self, world: World, faults: Faults, token: str) -> None:
        self._world = world
        self._faults = faults
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
            fault = await self._meet_fault(request, name, params)
            result = await self._result(name, params)
        except ApiError as error:
            self._log_call(name, params, ok=False)
            return web.json_response(error.as_json(), status=error.code)
        self._log_call(name, params, ok=True)
        if fault is not None and fault.accident is Accident.DROPPED_AFTER:
            _drop(request)
        return web.json_response({"ok": True, "result": result})

    async def _params(self, request: web.Request) -> Params:
        # Read first, whatever the answer: a refusal in mid-upload looks like a broken connection.
        params = await read_params(request)
        if request.match_info["token"] != self._token:
            raise ApiError(401, "Unauthorized")
        return params

    async def _result(self, name: str, params: Params) -> Any:
        method = METHODS.get(name.lower())
        if method is None:
            logger.warning("the sandbox has no method %s", name)
            raise ApiError(404, "Not Found: method not found")
        return await method(self._world, params)

    async def _meet_fault(self, request: web.Request, name: str, params: Params) -> Fault | None:
        fault = self._faults.meeting(name, _chat_id(params))
        if fault is None:
            return None
        if fault.accident is Accident.REFUSED and fault.error is not None:
            raise fault.error
        if fault.accident is Accident.DROPPED_BEFORE:
            _drop(request)
        if fault.accident is Accident.STALLED:
            await asyncio.sleep(fault.seconds)
            _drop(request)
        return fault

    async def _download(self, request: web.Request) -> web.StreamResponse:
        stored = self._world.files.by_path(request.match_info["path"])
        if request.match_info["token"] != self._token or stored is None:
            return web.json_response(ApiError(404, "Not Found").as_json(), status=404)
        try:
            fault = await self._meet_fault(request, DOWNLOAD, Params())
        except ApiError as error:
            return web.json_response(error.as_json(), status=error.code)
        return await _stream(request, stored, fault)

    def _log_call(self, name: str, params: Params, *, ok: bool) -> None:
        self._world.calls.append(Call(name, _chat_id(params), time.monotonic(), ok))


async def _stream(
    request: web.Request, stored: StoredFile, fault: Fault | None
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    short = fault is not None and fault.accident is Accident.SHORT
    if fault is None or short:
        response.content_length = len(stored.data)
    await response.prepare(request)
    async for chunk in _chunks(stored, fault):
        await response.write(chunk)
    if short:
        _drop(request)
    await response.write_eof()
    return response


async def _chunks(stored: StoredFile, fault: Fault | None) -> AsyncIterator[bytes]:
    size = len(stored.data)
    if fault is not None and fault.accident is Accident.SHORT:
        size //= 2
    for start in range(0, size, CHUNK_BYTES):
        yield stored.data[start : min(start + CHUNK_BYTES, size)]
    if fault is not None and fault.accident is Accident.LYING_SIZE:
        for _ in range(size, fault.size, CHUNK_BYTES):
            yield bytes(CHUNK_BYTES)


def _chat_id(params: Params) -> int | None:
    digits = params.text("chat_id")
    return int(digits) if digits.removeprefix("-").isdecimal() else None


def _drop(request: web.Request) -> NoReturn:
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError
