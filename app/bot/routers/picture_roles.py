"""Two pictures, or more: which one gives the style?"""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _

from app.bot.conversation.dialog import Dialog
from app.bot.ui.callback_data import RoleCallback


def make_router() -> Router:
    router = Router(name="picture_roles")
    router.callback_query.register(assign_roles, RoleCallback.filter())
    return router


async def assign_roles(query: CallbackQuery, callback_data: RoleCallback, dialog: Dialog) -> None:
    photos = (await dialog.order()).photos
    if len(photos) < 2 or not 1 <= callback_data.number <= len(photos):
        await query.answer(_("One of these pictures is gone. Please send them again."))
        return
    await query.answer()
    await dialog.paint_roles(photos, callback_data.number)
