"""What can be painted of a message: its picture, or what moves."""

from __future__ import annotations

from typing import Final

from aiogram.types import (
    Animation,
    Document,
    LivePhoto,
    Message,
    PhotoSize,
    Sticker,
    Video,
    VideoNote,
)

from models.clips.interface import ClipKind

Sent = PhotoSize | Document | Sticker | Animation | Video | VideoNote | LivePhoto

_KINDS: Final = {
    Animation: ClipKind.ANIMATION,
    # Short, and with next to nothing to hear: what one sees of it is a moving photo.
    LivePhoto: ClipKind.ANIMATION,
    Video: ClipKind.VIDEO,
    VideoNote: ClipKind.VIDEO_NOTE,
}


def picture_in(message: Message) -> Sent | None:
    """The picture or clip of a message: a photo in its largest size, a sticker, a file of any kind.

    A file may turn out to be neither; that is said once it was looked at.
    """
    # A live photo has a photo beside it, an animation a document: for bots that know no better.
    moving = message.live_photo or message.animation or message.video or message.video_note
    if moving is not None:
        return moving
    if message.photo:
        return message.photo[-1]
    if message.sticker is not None and not is_drawn(message.sticker):
        return message.sticker
    return message.document


def is_drawn(sticker: Sticker) -> bool:
    """Whether it is an animation made of lines, which nothing here can draw."""
    return sticker.is_animated


def kind_said(sent: Sent) -> ClipKind | None:
    """What kind of clip Telegram, or the sender, says that it is; None for what may be a picture.

    A file that says nothing of it may turn out to be one.
    """
    match sent:
        case Sticker(is_video=True):
            return ClipKind.ANIMATION
        case Document(mime_type=str(mime_type)) if mime_type.startswith("video/"):
            return ClipKind.VIDEO
    return _KINDS.get(type(sent))


def seconds_said(sent: Sent) -> float:
    """How long Telegram says that it is, in whole seconds; 0 where it says nothing."""
    return float(getattr(sent, "duration", 0))
