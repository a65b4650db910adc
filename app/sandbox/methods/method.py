"""What a method is, and what many of them share: content, markup, the message that is meant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.sandbox.errors import (
    MAX_BUTTONS,
    MAX_CALLBACK_DATA_BYTES,
    MAX_CAPTION_CHARS,
    MAX_TEXT_CHARS,
    bad_request,
)
from app.sandbox.markup import parse_html, utf16_len
from app.sandbox.params import Params, Upload
from app.sandbox.world import Chat, Message, World

CLIP_KINDS = frozenset({"video", "animation", "video_note"})

Json = dict[str, Any]
Method = Callable[[World, Params], Awaitable[Any]]


class _Button(BaseModel):
    model_config = ConfigDict(extra="allow")

    text: str = ""
    callback_data: str | None = None


class _Markup(BaseModel):
    inline_keyboard: list[list[_Button]] | None = None


class _ReplyTo(BaseModel):
    message_id: int = 0
    allow_sending_without_reply: bool = False


def chat_of(world: World, params: Params) -> Chat:
    return world.chat_for_bot(params.number("chat_id"))


def own_message(world: World, params: Params, *, to: str) -> Message:
    """The bot's message that is to be edited or deleted. Raises `ApiError`."""
    chat = chat_of(world, params)
    message = chat.messages.get(params.number("message_id"))
    if message is None:
        raise bad_request(f"message to {to} not found")
    return message


def formatted(text: str, parse_mode: str, entities: list[Json] | None) -> tuple[str, list[Json]]:
    """Text and entities from one of the Bot API's ways to say them."""
    if parse_mode.lower() == "html":
        return parse_html(text)
    if parse_mode:
        raise bad_request(f"unsupported parse_mode {parse_mode}; the sandbox knows HTML")
    return text, entities or []


def text_content(params: Params) -> Json:
    """The content of a text message. Raises `ApiError` if it is empty or too long."""
    text, entities = formatted(
        params.text("text"), params.text("parse_mode"), params.json("entities", list[Json])
    )
    if not text.strip():
        raise bad_request("message text is empty")
    if utf16_len(text) > MAX_TEXT_CHARS:
        raise bad_request("message is too long")
    return {"text": text, "entities": entities} if entities else {"text": text}


def caption_content(caption: str, parse_mode: str, entities: list[Json] | None) -> Json:
    """Caption and its entities, nothing without one. Raises `ApiError` if it is too long."""
    text, entities = formatted(caption, parse_mode, entities)
    if utf16_len(text) > MAX_CAPTION_CHARS:
        raise bad_request("message caption is too long")
    if not text.strip():
        return {}
    return {"caption": text, "caption_entities": entities} if entities else {"caption": text}


def params_caption(params: Params) -> Json:
    return caption_content(
        params.text("caption"),
        params.text("parse_mode"),
        params.json("caption_entities", list[Json]),
    )


async def media_content(
    world: World,
    kind: str,
    reference: str,
    upload: Upload | None,
    about: Json | None = None,
    thumbnail: Upload | None = None,
) -> Json:
    """The photo, document or clip that was uploaded, or that an earlier `file_id` names.

    `about` are the sides and the length of a clip.
    """
    if upload is not None:
        if not upload.data:
            raise bad_request("file must be non-empty")
        if kind == "photo":
            return await world.files.add_photo(upload.data)
        if kind in CLIP_KINDS:
            return world.files.add_clip(
                kind,
                upload.data,
                name=upload.name,
                about=about or {},
                thumbnail=thumbnail.data if thumbnail else None,
            )
        return world.files.add_document(upload.data, name=upload.name, mime_type=upload.mime_type)
    if not reference:
        raise bad_request(f"there is no {kind} in the request")
    media = world.files.media(reference)
    if media is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    if kind not in media:
        other = next(iter(media)).capitalize()
        raise bad_request(f"can't use file of type {other} as {kind.capitalize()}")
    return media


def reply_markup(params: Params) -> Json | None:
    """The keyboard. Raises `ApiError` for buttons that Telegram doesn't take."""
    markup = params.json("reply_markup", _Markup)
    if markup is None or markup.inline_keyboard is None:
        # Keyboards of other kinds live in the person's client, not in the message.
        return None
    buttons = [button for row in markup.inline_keyboard for button in row]
    if len(buttons) > MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    for button in buttons:
        data = button.callback_data
        if not button.text:
            raise bad_request('can\'t parse inline keyboard button: Field "text" is empty')
        if data is not None and not 1 <= len(data.encode()) <= MAX_CALLBACK_DATA_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
    return markup.model_dump(exclude_unset=True) if buttons else None


def reply_target(params: Params, chat: Chat) -> Message | None:
    """The message that is answered. Raises `ApiError` if it is gone and must be there."""
    to = params.json("reply_parameters", _ReplyTo) or _ReplyTo()
    message_id = to.message_id or params.number("reply_to_message_id", 0)
    if not message_id:
        return None
    target = chat.messages.get(message_id)
    if target is None and not to.allow_sending_without_reply:
        raise bad_request("message to be replied not found")
    return target
