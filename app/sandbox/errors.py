"""What the Bot API refuses, in Telegram's own words, and the limits behind the refusals."""

from __future__ import annotations

MAX_TEXT_CHARS = 4096
MAX_CAPTION_CHARS = 1024
MAX_CALLBACK_DATA_BYTES = 64
MAX_CALLBACK_ANSWER_CHARS = 200
MAX_BUTTONS = 100
MAX_INLINE_RESULTS = 50
MAX_PHOTO_BYTES = 10 * 1024 * 1024
MAX_PHOTO_SIDES_PX = 10_000
MAX_PHOTO_RATIO = 20
MAX_UPLOAD_BYTES = 50 * 1024 * 1024
MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
MAX_NOTE_LENGTH_PX = 640
MIN_ALBUM_ITEMS, MAX_ALBUM_ITEMS = 2, 10
CALLBACK_LIVES_S = 20.0
DRAFT_LIVES_S = 30.0

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
SECOND_BOT = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)
BLOCKED = "Forbidden: bot was blocked by the user"


class ApiError(Exception):
    """An answer with `ok: false`."""

    def __init__(self, code: int, description: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.retry_after_s = retry_after_s

    def as_json(self) -> dict[str, object]:
        answer: dict[str, object] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.retry_after_s is not None:
            answer["parameters"] = {"retry_after": self.retry_after_s}
        return answer


def bad_request(reason: str) -> ApiError:
    return ApiError(400, f"Bad Request: {reason}")


def too_many_requests(retry_after_s: int) -> ApiError:
    text = f"Too Many Requests: retry after {retry_after_s}"
    return ApiError(429, text, retry_after_s=retry_after_s)
