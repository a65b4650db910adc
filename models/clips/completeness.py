"""Whether a file ends before it should, by its container's own word.

FFmpeg says nothing of that where it has found some of the streams, or a frame.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from models.clips.source_formats import SourceFormat

_BOX = struct.Struct(">I4s")
_LONG_SIZE = struct.Struct(">Q")
_LONG = 1
_SEGMENT = b"\x18\x53\x80\x67"
_EBML_ID_BYTES = 4
_TAIL_BYTES = 1024


def index_is_cut_off(path: Path) -> bool:
    """Whether an MP4 or MOV ends within its `moov` box. Raises OSError."""
    with path.open("rb") as file:
        end, begin = _size(file), 0
        size: int
        while len(header := file.read(_BOX.size)) == _BOX.size:
            size, kind = _BOX.unpack(header)
            if size == _LONG:
                size = int.from_bytes(file.read(_LONG_SIZE.size), "big")
            if kind == b"moov":
                return begin + size > end
            if size < _BOX.size:  # the last box, or nonsense
                return False
            begin += size
            file.seek(begin)
    return False


def is_cut_off(path: Path, form: SourceFormat) -> bool:
    """Whether a file is not all there; False where its format doesn't say. Raises OSError."""
    with path.open("rb") as file:
        if form is SourceFormat.GIF:
            file.seek(max(0, _size(file) - _TAIL_BYTES))
            return not file.read().rstrip(b"\0").endswith(b";")
        if form is SourceFormat.AVI:
            return int.from_bytes(file.read(8)[4:], "little") + 8 > _size(file)
        if form is SourceFormat.MATROSKA:
            return _segment_is_cut_off(file)
    return form is SourceFormat.MOV and index_is_cut_off(path)


def _segment_is_cut_off(file: BinaryIO) -> bool:
    """Of a Matroska file: its header, then one segment with all else."""
    file.seek(_EBML_ID_BYTES)
    file.seek(_ebml_number(file) or 0, os.SEEK_CUR)
    if file.read(_EBML_ID_BYTES) != _SEGMENT:
        return True
    length = _ebml_number(file)
    return length is not None and file.tell() + length > _size(file)


def _ebml_number(file: BinaryIO) -> int | None:
    """As many bytes as its first one says; None is "not known", as of what was streamed."""
    first = int.from_bytes(file.read(1), "big")
    more = 8 - first.bit_length()
    number = int.from_bytes(bytes([first & (0x7F >> more)]) + file.read(more), "big")
    return None if number == (1 << 7 * (more + 1)) - 1 else number


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
