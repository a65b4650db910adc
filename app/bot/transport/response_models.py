"""What Telegram answers is checked against models that are built once."""

from __future__ import annotations

from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.methods.base import Response, TelegramMethod


class KeptResponseModels(BaseRequestMiddleware):
    """Holds the model of each method's answer from the first call on.

    aiogram asks for it anew with each answer, and pydantic forgets a generic model as soon as
    nothing holds it: after each garbage collection the loop would build it again, for tens of
    milliseconds each.
    """

    def __init__(self) -> None:
        self._models: dict[type[TelegramMethod[Any]], type[Response[Any]]] = {}

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[Any],
        bot: Bot,
        method: TelegramMethod[Any],
    ) -> Any:
        if type(method) not in self._models:
            self._models[type(method)] = Response[method.__returning__]  # type: ignore[name-defined]
        return await make_request(bot, method)
