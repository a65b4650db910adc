"""/privacy: what is kept, where, for how long, and how to have it deleted."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message

from app.bot.conversation.fsm_storage import KEEP_CONVERSATIONS_S
from app.bot.ui import texts
from app.jobs.limits import KEEP_ROWS_HOURS
from app.settings import Settings


def make_router() -> Router:
    router = Router(name="privacy")
    router.message.register(explain, Command("privacy"))
    return router


async def explain(message: Message, settings: Settings) -> None:
    text = texts.privacy(
        pictures_s=settings.keep_pictures_hours * 3600,
        orders_s=KEEP_ROWS_HOURS * 3600,
        conversation_s=KEEP_CONVERSATIONS_S,
    )
    await message.answer(text)
