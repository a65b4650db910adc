"""What a player is told of a painted clip."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from app.pictures.clip_facts import THUMBNAIL_SIDE_PX, player_facts
from tests import clip_files


def test_sides_length_and_first_frame_are_known(tmp_path: Path) -> None:
    path = tmp_path / "1.mp4"
    path.write_bytes(clip_files.mp4(20, (640, 480)))
    facts = player_facts(path)
    assert (facts.width_px, facts.height_px) == (640, 480)
    assert facts.seconds == pytest.approx(2, abs=0.11)
    thumbnail = Image.open(io.BytesIO(facts.thumbnail))
    assert (thumbnail.format, max(thumbnail.size)) == ("JPEG", THUMBNAIL_SIDE_PX)
    assert len(facts.thumbnail) < 200_000


@pytest.mark.parametrize("data", [b"", b"no clip", clip_files.mp4(4)[:500]])
def test_what_can_t_be_read_is_an_os_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "1.mp4"
    path.write_bytes(data)
    with pytest.raises(OSError, match=r".+"):
        player_facts(path)
