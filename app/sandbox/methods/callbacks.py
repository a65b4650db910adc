"""The answer to a pressed button."""

from __future__ import annotations

import time

from app.sandbox.errors import (
    CALLBACK_LIVES_S,
    MAX_CALLBACK_ANSWER_CHARS,
    QUERY_TOO_OLD,
    bad_request,
)
from app.sandbox.methods.method import Method
from app.sandbox.params import Params
from app.sandbox.world import World


async def answer_callback_query(world: World, params: Params) -> bool:
    query = world.queries.get(params.text("callback_query_id"))
    if query is None or time.monotonic() - query.pressed_at > CALLBACK_LIVES_S:
        raise bad_request(QUERY_TOO_OLD)
    text = params.text("text")
    if len(text) > MAX_CALLBACK_ANSWER_CHARS:
        raise bad_request("MESSAGE_TOO_LONG")
    query.answer = {"text": text, "show_alert": params.flag("show_alert")}
    shown = query.answer | {"user_id": query.person.id, "query_id": query.id}
    world.publish("answer", query.message.chat, shown)
    return True


METHODS: dict[str, Method] = {"answerCallbackQuery": answer_callback_query}
