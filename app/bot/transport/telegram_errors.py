"""What Telegram means when it says no.

aiogram has one class for all answers with code 400; only their text tells them apart.
"""

from __future__ import annotations

from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramRetryAfter,
)

from app.jobs.interface import RecipientGone, RetryLater

RETRY_AFTER_TROUBLE_S = 15.0
"""How long a delivery rests that failed for the network's or Telegram's sake."""

_MESSAGE_GONE = (
    "message to edit not found",
    "message can't be edited",
    "message to delete not found",
    "message_id_invalid",
    "message identifier is not specified",
)
_CHAT_GONE = (
    "chat not found",
    "chat_write_forbidden",
    "not enough rights",
    "have no rights",
    "peer_id_invalid",
    "group chat was deactivated",
)
_OTHER_KIND = (
    "there is no text in the message",
    "there is no caption in the message",
    "there is no media in the message",
)


def _says(error: Exception, *phrases: str) -> bool:
    return isinstance(error, TelegramBadRequest) and any(
        phrase in error.message.lower() for phrase in phrases
    )


def is_not_modified(error: Exception) -> bool:
    """The message looks like that already."""
    return _says(error, "message is not modified")


def is_message_gone(error: Exception) -> bool:
    """There is no such message (any more), or it can't be edited: a new one is needed."""
    return _says(error, *_MESSAGE_GONE)


def is_other_kind(error: Exception) -> bool:
    """A text was edited as a photo's caption, or the other way round."""
    return _says(error, *_OTHER_KIND)


def is_recipient_gone(error: Exception) -> bool:
    """Nothing will ever arrive there: blocked, kicked out, silenced or deleted."""
    return isinstance(error, TelegramForbiddenError) or _says(error, *_CHAT_GONE)


def as_delivery_answer(error: AiogramError) -> RetryLater | RecipientGone | None:
    """What the queue should hear when something could not be delivered; None if no try helps."""
    if is_recipient_gone(error):
        return RecipientGone()
    if isinstance(error, TelegramRetryAfter):
        return RetryLater(error.retry_after)
    if isinstance(error, (TelegramBadRequest, TelegramEntityTooLarge)):
        return None
    return RetryLater(RETRY_AFTER_TROUBLE_S)
