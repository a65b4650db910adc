"""A pressed button does its work also where Telegram takes no answer to it any more."""

from __future__ import annotations

import logging
from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import AnswerCallbackQuery
from aiogram.methods.base import TelegramMethod

logger = logging.getLogger(__name__)


class IgnoreExpiredAnswers(BaseRequestMiddleware):
    """Telegram takes answers to a press for some twenty seconds only.

    After a restart, or behind a slow download, the press itself is as good as ever; all that is
    lost is the end of the button's turning.

    aiogram's CallbackAnswerMiddleware takes none of this over, nor the answers themselves: most
    depend on what a handler finds, and must be out before its first call that waits for a rate.
    """

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[Any],
        bot: Bot,
        method: TelegramMethod[Any],
    ) -> Any:
        try:
            return await make_request(bot, method)
        except TelegramBadRequest as error:
            if not isinstance(method, AnswerCallbackQuery):
                raise
            logger.info("a press was not answered", extra={"because": error.message})
            return True
