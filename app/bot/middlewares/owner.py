"""Buttons belong to whoever asked: a person, or a chat on behalf of which somebody wrote.

An anonymous administrator's order is the group's, and what somebody writes as a channel is the
channel's (`app.bot.transport.senders`). A button is always pressed by a person, though; so any
administrator of the chat may press, and does so on the chat's behalf.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiogram import BaseMiddleware
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message, TelegramObject, User
from aiogram.utils.i18n import gettext as _

from app.bot.job_message.job_buttons import AgainCallback, JobCallback
from app.bot.transport.administrators import Administrators
from app.bot.ui.callback_data import OwnedCallback

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class OwnerMiddleware(BaseMiddleware):
    """Keeps others, and whoever writes callback data by hand, from pressing buttons."""

    def __init__(self, administrators: Administrators) -> None:
        self._administrators = administrators

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, CallbackQuery)  # noqa: S101 - registered on nothing else
        owner = await _owner_of(data)
        if owner is None or owner == event.from_user.id:
            return await handler(event, data)
        if owner > 0:
            await event.answer(_("This button is for the one who asked."))
            return None
        if event.from_user.id in (await self._administrators.of(owner) or ()):
            return await handler(*_on_behalf_of(owner, event, data))
        await event.answer(_("This button is for the administrators of the chat that asked."))
        return None


class ChannelMiddleware(BaseMiddleware):
    """Asks whoever writes as a channel that keeps its administrators to itself to write otherwise.

    Nobody could press a button of theirs.
    """

    def __init__(self, administrators: Administrators) -> None:
        self._administrators = administrators

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Message)  # noqa: S101 - registered on nothing else
        sender = event.from_user.id if event.from_user is not None else 0
        is_channel = sender < 0 and sender != event.chat.id
        if is_channel and await self._administrators.of(sender) is None:
            return await event.reply(
                _(
                    "You write as a channel, so I can't tell who may press the buttons."
                    " Please write as yourself, here or to me in private."
                ),
                allow_sending_without_reply=True,
            )
        return await handler(event, data)


async def _owner_of(data: dict[str, Any]) -> int | None:
    """Whose button it is; None if it is nobody's, or of a job that is forgotten."""
    match data.get("callback_data"):
        case OwnedCallback(owner=owner):
            return owner
        case JobCallback(job_id=job_id) | AgainCallback(job_id=job_id):
            job = await data["job_service"].get(job_id)
            return job.request.user_id if job is not None else None
    return None


def _on_behalf_of(
    owner: int, query: CallbackQuery, data: dict[str, Any]
) -> tuple[CallbackQuery, dict[str, Any]]:
    """The press as one of the chat's own: its orders, its settings, its conversation."""
    name = query.message.chat.title if query.message is not None else None
    user = User(id=owner, is_bot=False, first_name=name or str(owner))
    state: FSMContext = data["state"]
    state = FSMContext(storage=state.storage, key=replace(state.key, user_id=owner))
    about = {"event_from_user": user, "state": state}
    return query.model_copy(update={"from_user": user}), data | about
