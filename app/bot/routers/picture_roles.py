"""Two pictures, or more: which one gives the style?"""

from __future__ import annotations

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from app.bot.conversation.dialog import Dialog
from app.bot.conversation.states import Talk
from app.bot.ui.callback_data import RoleCallback
from app.jobs.model import StyleChoice


def make_router() -> Router:
    router = Router(name="picture_roles")
    router.callback_query.register(assign_roles, RoleCallback.filter())
    return router


async def assign_roles(
    query: CallbackQuery, callback_data: RoleCallback, dialog: Dialog, state: FSMContext
) -> None:
    order = await dialog.order()
    question = query.message.message_id if query.message else None
    is_open = await state.get_state() == Talk.roles and question == order.question
    if question is None or not is_open or not 1 <= callback_data.number <= len(order.photos):
        await query.answer(_("These buttons are out of date."))
        if isinstance(query.message, Message):
            await query.message.delete_reply_markup()
        return
    await query.answer()
    number = callback_data.number
    chosen = order.photos[number - 1]
    others = tuple(photo for photo in order.photos if photo != chosen)
    # Of two pictures one names the style; of more, the one to paint.
    content, styles = (others[0], (chosen,)) if len(others) == 1 else (chosen, others)
    await dialog.paint([content], [StyleChoice(style) for style in styles], question=question)
    await dialog.retire(question, _decision(number, len(others)))


def _decision(number: int, others: int) -> str:
    if others == 1:
        return _("Picture {number} gives the style.").format(number=number)
    return ngettext(
        "Picture {number} is painted in the style of the other.",
        "Picture {number} is painted in the mixed style of the {count} others.",
        others,
    ).format(number=number, count=others)
