"""How often a JPEG decoder goes over a picture, without decoding it."""

from __future__ import annotations

import re
from pathlib import Path

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd8\x01]")
"""What begins a segment: no stuffed byte, no padding, nothing that has no length."""
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA


def count_scans(path: Path) -> int:
    """The scans of a file's first JPEG picture; an ordinary file has one, a progressive one ten.

    Whatever else the file is, it has some number, quickly: nothing but markers is read.
    """
    data = path.read_bytes()
    scans = 0
    place = 0
    while (marker := _MARKER.search(data, place)) is not None:
        kind = data[marker.start() + 1]
        if kind == _END_OF_IMAGE:
            break
        scans += kind == _START_OF_SCAN
        # Over the segment: a thumbnail in it has scans of its own. After a scan's header its data
        # follow, in which a marker can't be but a true one.
        length = int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        place = marker.end() + max(length, 2)
    return scans
