"""The sandbox with faults on demand: calls that are refused, dropped, stalled or lied about."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, NoReturn

from aiohttp import web

from app.sandbox.api import CHUNK_BYTES, DOWNLOAD_HEADERS, BotApi, chat_id_of
from app.sandbox.errors import ApiError
from app.sandbox.files import StoredFile
from app.sandbox.params import Params
from app.sandbox.server import Sandbox
from app.sandbox.world import World
from tests.app.sandbox.faults import DOWNLOAD, Accident, Fault, Faults

_MET = web.RequestKey("met", Fault)


class FaultyBotApi(BotApi):
    """Meets the faults that were asked for, and is the sandbox's API otherwise."""

    def __init__(self, world: World, faults: Faults, token: str) -> None:
        super().__init__(world, token)
        self._faults = faults

    async def _call(self, request: web.Request) -> web.Response:
        response = await super()._call(request)
        if (fault := request.get(_MET)) and fault.accident is Accident.DROPPED_AFTER:
            _drop(request)
        return response

    async def _result(self, request: web.Request, name: str, params: Params) -> Any:
        fault = await self._meet_fault(request, name, params)
        result = await super()._result(request, name, params)
        if fault is not None:
            request[_MET] = fault
        return result

    async def _meet_fault(self, request: web.Request, name: str, params: Params) -> Fault | None:
        fault = self._faults.meeting(name, chat_id_of(params))
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

    async def _stream(self, request: web.Request, stored: StoredFile) -> web.StreamResponse:
        try:
            fault = await self._meet_fault(request, DOWNLOAD, Params())
        except ApiError as error:
            return web.json_response(error.as_json(), status=error.code)
        if fault is None:
            return await super()._stream(request, stored)
        response = web.StreamResponse(headers=DOWNLOAD_HEADERS)
        if fault.accident is Accident.SHORT:
            response.content_length = len(stored.data)
        await response.prepare(request)
        for chunk in _chunks(stored, fault):
            await response.write(chunk)
        if fault.accident is Accident.SHORT:
            _drop(request)
        await response.write_eof()
        return response


class FaultySandbox(Sandbox):
    """A sandbox whose `faults` say what goes wrong."""

    def __init__(self, *, port: int, token: str | None = None) -> None:
        super().__init__(port=port, token=token)
        self.faults = Faults()

    def _make_api(self) -> BotApi:
        return FaultyBotApi(self.world, self.faults, self.token)


def _chunks(stored: StoredFile, fault: Fault) -> Iterator[bytes]:
    size = len(stored.data)
    if fault.accident is Accident.SHORT:
        size //= 2
    for start in range(0, size, CHUNK_BYTES):
        yield stored.data[start : min(start + CHUNK_BYTES, size)]
    if fault.accident is Accident.LYING_SIZE:
        for _ in range(size, fault.size, CHUNK_BYTES):
            yield bytes(CHUNK_BYTES)


def _drop(request: web.Request) -> NoReturn:
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError
