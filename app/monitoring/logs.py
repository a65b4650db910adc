"""Structured logs: one line per event, key=value or JSON, and never a token or a person.

On the standard library's logging, which aiogram writes to as well: structlog would format those
lines through a bridge, and the token would still have to be looked for in the finished line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; anything else on a record was given as `extra`."""

OWN_PACKAGES = ("app", "models", "styles")

_TOKEN = re.compile(r"\d{5,}(?::|%3A)[\w-]{20,}", re.IGNORECASE)
"""Any bot's token, as such or in an address."""
_HIDDEN = "[token]"
_QUOTED = re.compile(r"(?<=input_value=).*(?=, input_type=)|(?<=^Content: ).*", re.MULTILINE)
"""What pydantic's and aiogram's errors quote of what they could not read: somebody said it."""
_PERSON = re.compile(r"(originals/| in chat )-?\d+")
"""People's ids: in the paths of their pictures, and in aiogram's words about floods."""


def set_up_logs(
    *,
    log_format: Literal["text", "json"],
    level: str,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Send every log line and warning of the process to stderr (or `stream`), secrets hidden."""
    handler = logging.StreamHandler(stream or sys.stderr)
    plain = JsonFormatter() if log_format == "json" else TextFormatter()
    handler.setFormatter(RedactingFormatter(plain, secrets))
    # Libraries say only what went wrong: below that they log what they were given, names and words
    # of people among it (every statement of aiosqlite with its values, every call of aiogram).
    quiet = max(logging.getLevelName(level), logging.WARNING)
    logging.basicConfig(level=quiet, handlers=[handler], force=True)
    for package in OWN_PACKAGES:
        logging.getLogger(package).setLevel(level)
    logging.captureWarnings(capture=True)


class _Unquoting(logging.Formatter):
    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        return _QUOTED.sub("[left out]", super().formatException(ei))


class TextFormatter(_Unquoting):
    """`time level logger: message key=value ...`, for people and grep."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname:<7} {record.name}: {record.getMessage()}"
        # A message or value that holds a line break must not look like a line of its own.
        pairs = [f"{key}={_value(value)}" for key, value in _extras(record).items()]
        line = " ".join([line.replace("\r", "\\r").replace("\n", "\\n"), *pairs])
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(_Unquoting):
    """One JSON object a line, for collectors."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= _extras(record)
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


class RedactingFormatter(logging.Formatter):
    """Hides secrets, and people's ids, in what another formatter wrote, tracebacks too."""

    def __init__(self, plain: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._plain = plain
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        line = self._plain.format(record)
        for secret in self._secrets:
            line = line.replace(secret, _HIDDEN)
        return _PERSON.sub(r"\1[person]", _TOKEN.sub(_HIDDEN, line))


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _OWN_FIELDS}


def _value(value: object) -> str:
    text = str(value)
    is_plain = text.isprintable() and text and not set(text) & set(' "=')
    return text if is_plain else json.dumps(text, ensure_ascii=False)
