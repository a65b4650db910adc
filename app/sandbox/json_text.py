"""JSON from outside: what can be kept, and be said again as JSON."""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """The value of `text`.

    Raises ValueError for what is no JSON, and for what Python takes but nobody could be told
    again: numbers like NaN, halves of a character, objects nested beyond measure.
    """
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value
