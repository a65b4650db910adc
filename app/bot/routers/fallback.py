"""Everything else that people say; comes after all other routers."""

from __future__ import annotations

import random

from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

JOKES = ("🙃", "🤡", "🦄", "🐙", "🥸", "🫠", "🎭", "👻")


def make_router() -> Router:
    router = Router(name="fallback")
    for observer in (router.message, router.edited_message):
        observer.register(leave_to_others, is_for_another_bot)
    router.message.register(answer_text, F.text)
    router.edited_message.register(answer_text, F.text)
    router.message.register(answer_anything)
    router.callback_query.register(answer_unknown_button)
    return router


def is_for_another_bot(message: Message, bot: Bot) -> bool:
    """A command in a group that names no bot, and that no router before this one knows."""
    word = (message.text or "").split(maxsplit=1)[:1]
    names_no_bot = bool(word) and word[0].startswith("/") and "@" not in word[0]
    answered = message.reply_to_message.from_user if message.reply_to_message else None
    answers_us = answered is not None and answered.id == bot.id
    return message.chat.type != ChatType.PRIVATE and names_no_bot and not answers_us


async def leave_to_others(message: Message) -> None:
    """Another bot of the group knows what to say."""


async def answer_text(message: Message) -> None:
    await message.answer(str(random.randint(1, 100)))


async def answer_anything(message: Message) -> None:
    await message.answer(random.choice(JOKES))


async def answer_unknown_button(query: CallbackQuery) -> None:
    await query.answer(_("This button does not work any more."))
