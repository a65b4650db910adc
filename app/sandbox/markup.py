"""Telegram's HTML: text and entities out of it, and its complaints about broken markup."""

from __future__ import annotations

import html
import re
from typing import Any

from app.sandbox.errors import bad_request

Json = dict[str, Any]

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[^\s>]*)(?P<rest>[^>]*)(?P<close>>?)")
_COMMAND = re.compile(r"(?<!\S)/[A-Za-z0-9_]{1,32}(?:@\w+)?")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*["']([^"']*)["']""")
_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}


def utf16_len(text: str) -> int:
    """Telegram counts offsets and lengths in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Text and entities of `source`. Raises `ApiError` as Telegram does for broken markup."""
    text, at = "", 0
    open_tags: list[tuple[str, Json]] = []
    entities: list[Json] = []
    for tag in _TAG.finditer(source):
        text += html.unescape(source[at : tag.start()])
        at = tag.end()
        offset_bytes = len(source[: tag.start()].encode())
        if tag["end"]:
            entity = _close(open_tags, tag, offset_bytes)
            entity["length"] = utf16_len(text) - entity["offset"]
            if entity["length"]:
                entities.append(entity)
        else:
            open_tags.append(_open(tag, utf16_len(text), offset_bytes))
    if open_tags:
        raise _broken(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return text + html.unescape(source[at:]), entities


def commands_in(text: str) -> list[Json]:
    """The `bot_command` entities that a person's client marks."""
    return [
        {
            "type": "bot_command",
            "offset": utf16_len(text[: found.start()]),
            "length": utf16_len(found.group()),
        }
        for found in _COMMAND.finditer(text)
    ]


def _open(tag: re.Match[str], offset: int, offset_bytes: int) -> tuple[str, Json]:
    name = tag["name"].lower()
    if not tag["close"]:
        raise _broken(f"Unclosed start tag at byte offset {offset_bytes}")
    if name not in _KINDS:
        raise _broken(f'Unsupported start tag "{name}" at byte offset {offset_bytes}')
    entity: Json = {"type": _KINDS[name], "offset": offset}
    attributes = dict(_ATTRIBUTE.findall(tag["rest"]))
    if name == "a":
        entity["url"] = html.unescape(attributes.get("href", ""))
    elif name == "tg-emoji":
        entity["custom_emoji_id"] = attributes.get("emoji-id", "")
    elif name == "blockquote" and "expandable" in tag["rest"]:
        entity["type"] = "expandable_blockquote"
    return name, entity


def _close(open_tags: list[tuple[str, Json]], tag: re.Match[str], offset_bytes: int) -> Json:
    if not open_tags:
        raise _broken(f"Unexpected end tag at byte offset {offset_bytes}")
    name, entity = open_tags.pop()
    found = tag["name"].lower()
    if found not in {"", name}:
        raise _broken(
            f"Unmatched end tag at byte offset {offset_bytes}, "
            f'expected "</{name}>", found "</{found}>"'
        )
    return entity


def _broken(reason: str) -> Exception:
    return bad_request(f"can't parse entities: {reason}")
