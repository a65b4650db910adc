"""Everything else that people say; comes after all other routers."""

from __future__ import annotations

import random

from aiogram import F, Router
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

JOKES = ("🙃", "🤡", "🦄", "🐙", "🥸", "🫠", "🎭", "👻")


def make_router() -> Router:
    router = Router(name="chat")
    router.message.register(answer_text, F.text)
    router.edited_message.register(answer_text, F.text)
    router.message.register(answer_anything)
    router.callback_query.register(answer_unknown_button)
    return router


async def answer_text(message: Message) -> None:
    await message.answer(str(random.randint(1, 100)))


async def answer_anything(message: Message) -> None:
    await message.answer(random.choice(JOKES))


async def answer_unknown_button(query: CallbackQuery) -> None:
    await query.answer(_("This button does not work any more."))
