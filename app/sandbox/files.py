"""The files of the sandbox's chats, in memory, oldest forgotten first."""

from __future__ import annotations

import asyncio
import hashlib
import io
import secrets
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from app.sandbox.errors import (
    MAX_PHOTO_BYTES,
    MAX_PHOTO_RATIO,
    MAX_PHOTO_SIDES_PX,
    bad_request,
)

Json = dict[str, Any]

PHOTO_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
PHOTO_SIDES_PX = (90, 320, 800, 1280)
JPEG_QUALITY = 87
KEPT_BYTES = 512 * 1024 * 1024
FILE_OVERHEAD_BYTES = 1024
"""What an empty one costs: ids, a name, a place in the tables."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes with the two ids that the Bot API gives them."""

    file_id: str
    unique_id: str
    path: str
    name: str
    mime_type: str
    data: bytes = field(repr=False)

    def as_json(self) -> Json:
        return {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_size": len(self.data),
        }


@dataclass(frozen=True, slots=True)
class SizedPicture:
    """One of the sizes that Telegram makes of a photo."""

    width_px: int
    height_px: int
    data: bytes = field(repr=False)


class Files:
    """Keeps the latest `kept_bytes`; older files are gone, as after a long time on Telegram."""

    def __init__(self, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._files: dict[str, StoredFile] = {}
        self._ids_by_path: dict[str, str] = {}
        self._media: dict[str, Json] = {}

    def add(self, data: bytes, *, name: str, mime_type: str, folder: str) -> StoredFile:
        suffix = name.rpartition(".")[2] if "." in name else "bin"
        safe = "".join(char for char in suffix if char.isalnum())[:8] or "bin"
        token = secrets.token_urlsafe(18)
        stored = StoredFile(
            file_id=f"AgAC{token}",
            unique_id=hashlib.sha256(data).hexdigest()[:16],
            path=f"{folder}/{token[:10]}.{safe}",
            name=name,
            mime_type=mime_type,
            data=data,
        )
        self._files[stored.file_id] = stored
        self._ids_by_path[stored.path] = stored.file_id
        self._bytes += _cost(stored)
        self._forget_oldest()
        return stored

    def get(self, file_id: str) -> StoredFile | None:
        return self._files.get(file_id)

    def by_path(self, path: str) -> StoredFile | None:
        return self._files.get(self._ids_by_path.get(path, ""))

    def media(self, file_id: str) -> Json | None:
        """The `photo` or `document` that a file was sent as, for sending it again by its id."""
        return self._media.get(file_id)

    async def add_photo(self, data: bytes) -> Json:
        """Recompress a photo into Telegram's sizes.

        Raises `ApiError` for what Telegram takes for no photo.
        """
        if len(data) > MAX_PHOTO_BYTES:
            raise bad_request(
                f"file of size {len(data)} bytes is too big for a photo; "
                f"the maximum size is {MAX_PHOTO_BYTES} bytes"
            )
        sizes = []
        for picture in await asyncio.to_thread(photo_sizes, data):
            stored = self.add(
                picture.data, name="photo.jpg", mime_type="image/jpeg", folder="photos"
            )
            sides = {"width": picture.width_px, "height": picture.height_px}
            sizes.append(stored.as_json() | sides)
        media: Json = {"photo": sizes}
        self._media |= {size["file_id"]: media for size in sizes}
        return media

    def add_document(self, data: bytes, *, name: str, mime_type: str) -> Json:
        """Keep a file as it is."""
        stored = self.add(data, name=name, mime_type=mime_type, folder="documents")
        about = {"file_name": name, "mime_type": mime_type}
        media: Json = {"document": stored.as_json() | about}
        self._media[stored.file_id] = media
        return media

    def add_clip(
        self, kind: str, data: bytes, *, name: str, about: Json, thumbnail: bytes | None = None
    ) -> Json:
        """Keep a video, an animation, a video note or a live photo.

        `about` is what its sender says of it (Telegram would look for itself).
        """
        stored = self.add(data, name=name, mime_type="video/mp4", folder=f"{kind}s")
        shown: Json = stored.as_json()
        if kind == "video_note":
            shown |= {"length": about.get("length", 0), "duration": about.get("duration", 0)}
        else:
            facts = {key: about.get(key, 0) for key in ("width", "height", "duration")}
            shown |= facts | {"mime_type": "video/mp4"}
        if kind in {"video", "animation"}:
            shown["file_name"] = name
        if thumbnail is not None:
            small = self.add(
                thumbnail, name="thumbnail.jpg", mime_type="image/jpeg", folder="thumbnails"
            )
            sides = {"width": 0, "height": 0}
            shown["thumbnail"] = small.as_json() | sides
        media: Json = {kind: shown}
        if kind == "animation":
            # For bots that know no animations.
            known = {"file_id", "file_unique_id", "file_size", "file_name", "mime_type"}
            media["document"] = {key: value for key, value in shown.items() if key in known}
        self._media[stored.file_id] = media
        return media

    def _forget_oldest(self) -> None:
        while self._bytes > self._kept_bytes and len(self._files) > 1:
            oldest = self._files.pop(next(iter(self._files)))
            self._bytes -= _cost(oldest)
            self._ids_by_path.pop(oldest.path)
            self._media.pop(oldest.file_id, None)


def _cost(stored: StoredFile) -> int:
    return len(stored.data) + len(stored.name) + FILE_OVERHEAD_BYTES


def photo_sizes(data: bytes) -> list[SizedPicture]:
    """JPEGs of 90, 320, 800 and 1280 px on the long side, as far as the picture goes; blocking."""
    try:
        with Image.open(io.BytesIO(data), formats=PHOTO_FORMATS) as opened:
            _check_sides(*opened.size)
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise bad_request("PHOTO_INVALID_DIMENSIONS") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise bad_request("IMAGE_PROCESS_FAILED") from error
    long_side = max(picture.size)
    sides = [side for side in PHOTO_SIDES_PX if side < long_side]
    if long_side <= PHOTO_SIDES_PX[-1]:
        sides.append(long_side)
    return [_sized(picture, side) for side in sides]


def _check_sides(width_px: int, height_px: int) -> None:
    too_large = width_px + height_px > MAX_PHOTO_SIDES_PX
    if too_large or max(width_px, height_px) > MAX_PHOTO_RATIO * min(width_px, height_px):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def _sized(picture: Image.Image, side_px: int) -> SizedPicture:
    small = picture.copy()
    small.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=JPEG_QUALITY)
    return SizedPicture(small.width, small.height, out.getvalue())
