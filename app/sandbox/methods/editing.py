"""Methods that change or delete what the bot has sent."""

from __future__ import annotations

from app.sandbox.errors import NOT_MODIFIED, bad_request
from app.sandbox.methods.method import (
    Json,
    Method,
    chat_of,
    own_message,
    params_caption,
    reply_markup,
    text_content,
)
from app.sandbox.methods.sending import MediaItem, item_content
from app.sandbox.params import Params
from app.sandbox.world import Message, World

CAPTION_KEYS = {"caption", "caption_entities"}


async def edit_message_text(world: World, params: Params) -> Json:
    message = _editable(world, params)
    if "text" not in message.content:
        raise bad_request("there is no text in the message to edit")
    return _change(world, message, text_content(params), reply_markup(params))


async def edit_message_caption(world: World, params: Params) -> Json:
    message = _editable(world, params)
    if "text" in message.content:
        raise bad_request("there is no caption in the message to edit")
    media = {key: value for key, value in message.content.items() if key not in CAPTION_KEYS}
    return _change(world, message, media | params_caption(params), reply_markup(params))


async def edit_message_media(world: World, params: Params) -> Json:
    message = _editable(world, params)
    item = params.json("media", MediaItem) or MediaItem()
    content = await item_content(world, params, item)
    return _change(world, message, content, reply_markup(params))


async def edit_message_reply_markup(world: World, params: Params) -> Json:
    message = _editable(world, params)
    return _change(world, message, message.content, reply_markup(params))


async def delete_message(world: World, params: Params) -> bool:
    world.remove(own_message(world, params, to="delete"))
    return True


async def delete_messages(world: World, params: Params) -> bool:
    chat = chat_of(world, params)
    for message_id in params.json("message_ids", list[int]) or []:
        if message := chat.messages.get(message_id):
            world.remove(message)
    return True


def _editable(world: World, params: Params) -> Message:
    message = own_message(world, params, to="edit")
    if message.sender is not world.bot:
        raise bad_request("message can't be edited")
    return message


def _change(world: World, message: Message, content: Json, markup: Json | None) -> Json:
    # A picture may have taken a while: the message can be gone by now.
    if message.id not in message.chat.messages:
        raise bad_request("message to edit not found")
    if content == message.content and markup == message.reply_markup:
        raise bad_request(NOT_MODIFIED)
    world.change(message, content, markup)
    return message.as_json()


METHODS: dict[str, Method] = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
}
