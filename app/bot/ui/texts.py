"""Sentences that more than one place needs, and strangers' words made harmless."""

from __future__ import annotations

import unicodedata

from aiogram import html
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from app.bot.transport.picture_downloads import MAX_BYTES, DownloadProblem
from app.bot.ui.durations import in_days, in_words
from app.bot.ui.numbers import number
from models.clips.interface import ClipProblem
from models.pictures.problems import (
    MAX_JPEG_PIXELS,
    MAX_PIXELS,
    MAX_RATIO,
    MIN_SIDE_PX,
    PictureProblem,
)

MAX_NAME = 64
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


def safe_name(name: str) -> str:
    """A stranger's words as HTML that can't change the text around them.

    Control and formatting characters go, tags and entities are escaped, what is too long is cut,
    and the direction of the writing ends with the name.
    """
    plain = "".join(c for c in name if unicodedata.category(c)[0] != "C")
    if len(plain) > MAX_NAME:
        plain = plain[: MAX_NAME - 1] + "…"
    return f"{_ISOLATE}{html.quote(plain)}{_END_ISOLATE}"


def welcome(name: str) -> str:
    """Three lines."""
    return _(
        "Hello, {name}! I repaint your photos as an artist would.\n"
        "Send me a photo and choose a style: /style.\n"
        "Or send two pictures, and one will be painted in the manner of the other."
    ).format(name=safe_name(name))


def guide(*, clip_seconds: float) -> str:
    """All of it; `clip_seconds` is how long a clip may be, 0 where there are none."""
    text = _guide()
    if not clip_seconds:
        return text
    about_clips = _(
        "<b>It may move, too:</b> a GIF, a video or a video note of at most {seconds} seconds"
        " is painted as a photo is, and comes back as what it was."
    ).format(seconds=number(clip_seconds))
    return f"{text}\n\n{about_clips}"


def _guide() -> str:
    return _(
        "<b>There are two ways to a painting.</b>\n\n"
        "<b>A ready style.</b> Type /style, choose one (or mix several) and send a photo,"
        " or up to ten as an album. The style stays chosen for the photos after that,"
        " until you take another.\n\n"
        "<b>A style of your own.</b> Send two pictures, one after the other or together,"
        " as photos or as files. I show them with numbers and ask which one gives the style."
        " Up to four further pictures may join in.\n\n"
        "While I paint you see how far I am. Stop keeps what is there, Cancel throws it away.\n\n"
        "/style – choose a style\n"
        "/queue – your pictures in the queue\n"
        "/history – your last pictures\n"
        "/settings – quality, size, strength and more\n"
        "/button – what I know about you\n"
        "/cancel – start over\n"
        "/privacy – what I keep, and for how long\n"
        "/forget – delete everything about you"
    )


def privacy(*, pictures_s: float, orders_s: float, conversation_s: float) -> str:
    """What is kept of a person, where, for so many seconds, and how it is deleted."""
    return _(
        "<b>What I keep of you</b>\n\n"
        "On my owner's server, and nowhere else:\n"
        "• the pictures you send and what I paint of them: for {pictures}, then they are deleted;\n"
        "• what you ordered (your ID, the chat, styles, sizes, times): for {orders};\n"
        "• where our conversation stands: for {conversation} after your last word in it;\n"
        "• your settings: until you delete them;\n"
        "• your messages with your name in them: until I have answered.\n\n"
        "Nobody else gets any of it, and nothing is learned from it."
        " What stands in this chat is kept by Telegram.\n\n"
        "If somebody has me paint a photo of yours, I keep a copy for them for as long."
        " What I have painted of it is theirs.\n\n"
        "/forget deletes all of it at once, such copies too. /button shows your data."
    ).format(
        pictures=in_words(pictures_s),
        orders=in_days(orders_s),
        conversation=in_days(conversation_s),
    )


def picture_problem(problem: PictureProblem, *, max_pixels: int = MAX_PIXELS) -> str:
    """What was wrong with a picture, and what to send instead."""
    match problem:
        case PictureProblem.MISSING:
            return _("The picture is no longer here. Please send it once more.")
        case PictureProblem.NOT_A_PICTURE:
            return _("I can't read this as a picture. Please send a JPEG, PNG or WEBP.")
        case PictureProblem.DRAWING:
            return _("This is a drawing or a document. Please send it as a PNG, or a screenshot.")
        case PictureProblem.LAYERS:
            return _("This is a paint program's own file. Please save it as a JPEG or PNG.")
        case PictureProblem.RAW:
            return _("This is a camera's raw file. Please save it as a JPEG.")
        case PictureProblem.VIDEO:
            return _("This is a video. Please send a still picture, such as a screenshot.")
        case PictureProblem.ANIMATED:
            return _("This picture moves. Please send a still one, such as a screenshot.")
        case PictureProblem.DAMAGED:
            return _("This picture is damaged or not complete. Please send it once more.")
        case _:
            return _wrong_measure(problem, max_pixels)


def _wrong_measure(problem: PictureProblem, max_pixels: int) -> str:
    """What was wrong with the size of a picture, or with the work that it is."""
    match problem:
        case PictureProblem.TOO_MANY_PIXELS:
            return _(
                "This picture is too large. Please send one of at most {limit} megapixels,"
                " or an ordinary JPEG of at most {jpeg_limit}."
            ).format(limit=max_pixels // 1_000_000, jpeg_limit=MAX_JPEG_PIXELS // 1_000_000)
        case PictureProblem.TOO_SMALL:
            return _(
                "This picture is too small. Please send one of at least {side} × {side} pixels."
            ).format(side=MIN_SIDE_PX)
        case PictureProblem.TOO_LONG:
            return _(
                "This picture is too narrow: one side is more than {ratio} times the other."
                " Please crop it."
            ).format(ratio=MAX_RATIO)
        case _:
            return _(
                "This picture is stored in such a way that I would be reading it for minutes."
                " Please save it as an ordinary JPEG."
            )


def clip_problem(problem: ClipProblem, *, limit_s: float = 0.0) -> str:
    """What was wrong with a clip, and what to send instead."""
    match problem:
        case ClipProblem.MISSING:
            return _("The clip is no longer here. Please send it once more.")
        case ClipProblem.NOT_A_CLIP:
            return _("I can't read this as a clip. Please send an MP4, MOV, WEBM or GIF.")
        case ClipProblem.NO_PICTURE:
            return _("I find no picture in this file. Please send a video.")
        case ClipProblem.STILL:
            return _("This clip has only one frame. Please send it as a photo.")
        case ClipProblem.DAMAGED:
            return _("This clip is damaged or not complete. Please send it once more.")
        case _:
            return _clip_measure(problem, limit_s)


def _clip_measure(problem: ClipProblem, limit_s: float) -> str:
    """What was wrong with the size of a clip, or with the work that it is."""
    match problem:
        case ClipProblem.TOO_LONG:
            return _("This clip is too long. Please send one of at most {limit} seconds.").format(
                limit=number(limit_s)
            )
        case ClipProblem.TOO_MANY_PIXELS:
            return _("This clip is too large. Please send one in 4K or smaller.")
        case ClipProblem.TOO_SMALL:
            return _(
                "This clip is too small. Please send one of at least {side} × {side} pixels."
            ).format(side=MIN_SIDE_PX)
        case ClipProblem.TOO_NARROW:
            return _(
                "This clip is too narrow: one side is more than {ratio} times the other."
                " Please crop it."
            ).format(ratio=MAX_RATIO)
        case _:
            return _(
                "This clip is stored in such a way that I would be reading it for minutes."
                " Please save it as an ordinary MP4."
            )


def drawn_sticker() -> str:
    return _(
        "This sticker is made of lines that only Telegram can draw."
        " Please send a still or a video sticker, a photo or a GIF."
    )


def download_problem(problem: DownloadProblem, *, max_bytes: int = MAX_BYTES) -> str:
    """Why a picture did not come over, and what to do."""
    match problem:
        case DownloadProblem.TOO_LARGE:
            return _(
                "This file is too large: I can fetch at most {limit} MB. A smaller one, please?"
            ).format(limit=max_bytes // (1024 * 1024))
        case DownloadProblem.NO_ROOM:
            return _("I have no room for more pictures just now. Please try again in some hours.")
        case DownloadProblem.FAILED:
            return _("The picture did not come through. Please send it once more.")


def style_is_gone() -> str:
    return _("This style is gone. Please choose another one: /style")


def queue_is_full(minutes: int) -> str:
    return ngettext(
        "The queue is full. Please try again in about {count} minute.",
        "The queue is full. Please try again in about {count} minutes.",
        minutes,
    ).format(count=minutes)


def too_many_jobs(limit: int) -> str:
    return ngettext(
        "I can keep {count} picture of yours at a time. Please wait until it is ready: /queue",
        "I can keep {count} pictures of yours at a time. Please wait until one is ready: /queue",
        limit,
    ).format(count=limit)


def daily_limit_reached(limit: int, wait_s: float) -> str:
    return ngettext(
        "You can have {count} picture in 24 hours. The next one in ~{time}.",
        "You can have {count} pictures in 24 hours. The next one in ~{time}.",
        limit,
    ).format(count=limit, time=in_words(wait_s))


def allowance_left(count: int) -> str:
    if count == 0:
        return _("This was the last one of these 24 hours.")
    return ngettext(
        "You can have {count} more picture in these 24 hours.",
        "You can have {count} more pictures in these 24 hours.",
        count,
    ).format(count=count)


def forgotten() -> str:
    return _("Done: I know nothing about you any more.")


def not_forgotten_yet() -> str:
    return _(
        "I could not delete everything just now. I will go on trying and tell you here when it is"
        " done; until then, whatever you send me is deleted with it."
    )


def closing_down() -> str:
    return _("I am just being restarted. Please try again in a minute.")


def painting_is_paused() -> str:
    """Nobody is there to paint, and that ends by itself."""
    return _(
        "The machines that paint are away right now. What is waiting stays in the queue, and I go"
        " on by myself as soon as one is back."
    )


def something_went_wrong() -> str:
    return _("Something went wrong on my side, sorry. Please try once more.")
