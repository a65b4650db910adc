"""What a player should know of a painted clip before it is there, and a picture to show till then.

The clip is this project's own: it may be opened here, as a stranger's must not be.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from PIL import Image

from models.pictures.encoding import encode_jpeg

THUMBNAIL_SIDE_PX: Final = 320
"""As large as Telegram takes one."""
_QUALITY: Final = 85


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerFacts:
    """Of an MP4."""

    width_px: int
    height_px: int
    seconds: float
    thumbnail: bytes
    """A JPEG of its first frame."""


def player_facts(clip: Path) -> PlayerFacts:
    """Blocking, for a moment. Raises OSError, also for what is no clip."""
    try:
        return _facts(clip)
    except (av.FFmpegError, IndexError, StopIteration) as error:
        raise OSError(f"a painted clip can't be read: {type(error).__name__}") from error


def _facts(clip: Path) -> PlayerFacts:
    with av.open(clip) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
        picture.thumbnail((THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX))
        return PlayerFacts(
            width_px=stream.width,
            height_px=stream.height,
            seconds=(container.duration or 0) / av.time_base,
            thumbnail=encode_jpeg(picture, quality=_QUALITY),
        )
