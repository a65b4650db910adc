"""Colour profiles as cameras write them, made by hand: a matrix and a curve (ICC.1:2010)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

DISPLAY_P3 = (
    (0.51512, 0.24120, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.15710, 0.06657, 0.78407),
)
"""XYZ of red, green and blue, adapted to D50; what an iPhone's pictures carry."""
_D50 = (0.9642, 1.0, 0.8249)
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_HEADER_BYTES = 128


def matrix_profile(colorants: Sequence[Sequence[float]]) -> bytes:
    """A display's RGB profile with these colorants."""
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + b"".join(map(_fixed, _SRGB_CURVE))
    name = "test".encode("utf-16-be")
    text = (
        b"mluc" + bytes(4) + struct.pack(">II", 1, 12) + b"enUS" + struct.pack(">II", len(name), 28)
    )
    tags = {
        b"desc": text + name,
        b"cprt": text + name,
        b"wtpt": _xyz(_D50),
        b"rXYZ": _xyz(colorants[0]),
        b"gXYZ": _xyz(colorants[1]),
        b"bXYZ": _xyz(colorants[2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    return _with_header(*_table_and_data(tags))


def _table_and_data(tags: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    offset = _HEADER_BYTES + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", offset + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    return table, data


def _with_header(table: bytes, data: bytes) -> bytes:
    size = _HEADER_BYTES + len(table) + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"test", 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    header = header.ljust(68, b"\0") + b"".join(map(_fixed, _D50))
    return header.ljust(_HEADER_BYTES, b"\0") + table + data


def _xyz(value: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, value))


def _fixed(value: float) -> bytes:
    """s15Fixed16."""
    return struct.pack(">i", round(value * 65536))
