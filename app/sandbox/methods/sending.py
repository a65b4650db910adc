"""Methods that put something into a chat."""

from __future__ import annotations

import secrets

from pydantic import BaseModel

from app.sandbox.errors import (
    DRAFT_LIVES_S,
    MAX_ALBUM_ITEMS,
    MAX_NOTE_LENGTH_PX,
    MAX_TEXT_CHARS,
    MIN_ALBUM_ITEMS,
    bad_request,
)
from app.sandbox.markup import utf16_len
from app.sandbox.methods.method import (
    Json,
    Method,
    caption_content,
    chat_of,
    formatted,
    media_content,
    params_caption,
    reply_markup,
    reply_target,
    text_content,
)
from app.sandbox.params import Params
from app.sandbox.world import World

CLIP_FACTS = ("width", "height", "duration", "length")


class MediaItem(BaseModel):
    """An `InputMedia`, as far as the sandbox knows it."""

    type: str = ""
    media: str = ""
    caption: str | None = None
    parse_mode: str | None = None
    caption_entities: list[Json] | None = None
    width: int = 0
    height: int = 0
    duration: int = 0
    thumbnail: str = ""


async def send_message(world: World, params: Params) -> Json:
    return _post(world, params, text_content(params))


async def send_photo(world: World, params: Params) -> Json:
    return await _send_media(world, params, "photo")


async def send_document(world: World, params: Params) -> Json:
    return await _send_media(world, params, "document")


async def send_video(world: World, params: Params) -> Json:
    return await _send_media(world, params, "video")


async def send_animation(world: World, params: Params) -> Json:
    return await _send_media(world, params, "animation")


async def send_video_note(world: World, params: Params) -> Json:
    """Round, and without words."""
    if not 0 <= params.number("length", 0) < MAX_NOTE_LENGTH_PX:
        raise bad_request("wrong video note length")
    params.values.pop("caption", None)
    return await _send_media(world, params, "video_note")


async def _send_media(world: World, params: Params, kind: str) -> Json:
    chat_of(world, params)  # refused before the picture is worked on
    reference = params.text(kind)
    upload = params.upload(reference, kind)
    caption = params_caption(params)
    about = {key: params.number(key, 0) for key in CLIP_FACTS}
    thumbnail = params.upload(params.text("thumbnail"), "thumbnail")
    content = await media_content(world, kind, reference, upload, about, thumbnail)
    return _post(world, params, content | caption)


async def send_media_group(world: World, params: Params) -> list[Json]:
    chat = chat_of(world, params)
    items = params.json("media", list[MediaItem]) or []
    if not MIN_ALBUM_ITEMS <= len(items) <= MAX_ALBUM_ITEMS:
        raise bad_request(f"media group must contain {MIN_ALBUM_ITEMS}-{MAX_ALBUM_ITEMS} items")
    kinds = {item.type for item in items}
    if len(kinds) > 1 and "document" in kinds:
        raise bad_request("document can't be mixed with other media types")
    if "animation" in kinds:
        raise bad_request("animation can't be sent as part of a media group")
    contents = [await item_content(world, params, item) for item in items]
    target = reply_target(params, chat)
    group = str(secrets.randbits(50))
    return [
        world.post(chat, world.bot, content, reply_to=target, media_group_id=group).as_json()
        for content in contents
    ]


async def item_content(world: World, params: Params, item: MediaItem) -> Json:
    """The content that an `InputMedia` describes."""
    if item.type not in {"photo", "document", "video", "animation"}:
        raise bad_request(f"unsupported media type {item.type}")
    upload = params.upload(item.media, "")
    caption = caption_content(item.caption or "", item.parse_mode or "", item.caption_entities)
    about = {"width": item.width, "height": item.height, "duration": item.duration}
    thumbnail = params.upload(item.thumbnail, "") if item.thumbnail else None
    content = await media_content(world, item.type, item.media, upload, about, thumbnail)
    return content | caption


async def send_message_draft(world: World, params: Params) -> bool:
    chat = chat_of(world, params)
    if chat.kind != "private":
        raise bad_request("message drafts can be sent only to private chats")
    text, entities = formatted(
        params.text("text"), params.text("parse_mode"), params.json("entities", list[Json])
    )
    if utf16_len(text) > MAX_TEXT_CHARS:
        raise bad_request("message is too long")
    draft = {
        "draft_id": params.number("draft_id"),
        "text": text,
        "entities": entities,
        "lives_s": DRAFT_LIVES_S,
    }
    world.publish("draft", chat, draft)
    return True


async def send_chat_action(world: World, params: Params) -> bool:
    world.publish("action", chat_of(world, params), {"action": params.text("action")})
    return True


def _post(world: World, params: Params, content: Json) -> Json:
    chat = chat_of(world, params)
    message = world.post(
        chat,
        world.bot,
        content,
        reply_to=reply_target(params, chat),
        reply_markup=reply_markup(params),
    )
    return message.as_json()


METHODS: dict[str, Method] = {
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendVideo": send_video,
    "sendAnimation": send_animation,
    "sendVideoNote": send_video_note,
    "sendMediaGroup": send_media_group,
    "sendMessageDraft": send_message_draft,
    "sendChatAction": send_chat_action,
}
