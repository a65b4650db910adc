"""What the reader's child says to its parent: frames and one JSON answer, each after a header."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

from models.clips.frame_pixels import Pixels
from models.clips.timeline import Shown

Json = dict[str, Any]

HEADER = struct.Struct("<cqq")
"""What it is, and for a frame its beginning and length in ticks, for an answer its length."""
FRAME, ANSWER = b"F", b"A"
MAX_ANSWER_BYTES = 10_000


def write_frame(pipe: BinaryIO, shown: Shown, pixels: Pixels) -> None:
    """A frame of the size that was asked for."""
    pipe.write(HEADER.pack(FRAME, *shown))
    pipe.write(pixels.data)
    pipe.flush()


def write_answer(pipe: BinaryIO, answer: Json) -> None:
    """The last word to a request."""
    data = json.dumps(answer).encode()
    pipe.write(HEADER.pack(ANSWER, len(data), 0) + data)
    pipe.flush()
