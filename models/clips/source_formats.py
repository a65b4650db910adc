"""What kind of file a clip is, by its first bytes, and which FFmpeg demuxer may read it.

FFmpeg's own guess is not asked: it would find playlists, which name other files and addresses.
"""

from __future__ import annotations

import enum
from pathlib import Path

from models.clips.interface import ClipError, ClipProblem

_HEAD_BYTES = 64
_STILL_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"}
_MOV_ATOMS = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_SOUND_ALONE = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"#!AMR", b"caff")
_TS_PACKET_BYTES = 188


class SourceFormat(enum.StrEnum):
    """FFmpeg's name of a demuxer, or Pillow's of a format."""

    MOV = "mov"
    MATROSKA = "matroska"
    GIF = "gif"
    AVI = "avi"
    MPEG_TS = "mpegts"
    OGG = "ogg"
    WEBP = "WEBP"


def source_format(path: Path) -> SourceFormat:
    """The format of a file. Raises ClipError."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            file.seek(_TS_PACKET_BYTES)
            next_packet = file.read(1)
    except OSError:
        raise ClipError(ClipProblem.MISSING) from None
    if head.startswith(_SOUND_ALONE) or (head[:4] == b"RIFF" and head[8:12] == b"WAVE"):
        raise ClipError(ClipProblem.NO_PICTURE)
    found = _by_magic(head)
    if found is None and head[:1] == next_packet == b"G":
        found = SourceFormat.MPEG_TS
    if found is None:
        raise ClipError(ClipProblem.NOT_A_CLIP)
    return found


def _by_magic(head: bytes) -> SourceFormat | None:
    if head.startswith((b"GIF87a", b"GIF89a")):
        return SourceFormat.GIF
    if head.startswith(b"\x1aE\xdf\xa3"):
        return SourceFormat.MATROSKA
    if head.startswith(b"OggS"):
        return SourceFormat.OGG
    if head[:4] == b"RIFF":
        return {b"WEBP": SourceFormat.WEBP, b"AVI ": SourceFormat.AVI}.get(head[8:12])
    if head[4:8] in _MOV_ATOMS:
        if head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS:
            raise ClipError(ClipProblem.NOT_A_CLIP)
        return SourceFormat.MOV
    return None
