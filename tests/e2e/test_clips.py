"""Clips through the real process and the real engine: each kind, its sound, its time, its shape."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable

import av
import pytest
import pytest_asyncio

from app.sandbox.world import Message
from models.clips.interface import ClipKind
from tests import clip_files
from tests.e2e.actor import ACCEPTED, Actor, is_result
from tests.e2e.conftest import BotHarness, running_harness
from tests.e2e.pictures import painting, photo
from tests.e2e.test_conversations import preset_names

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

FRAMES = 8
A_FRAME_S = 1 / clip_files.FRAMES_PER_S


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BotHarness]:
    async with running_harness(tmp_path_factory.mktemp("clips"), {}) as harness:
        yield harness


@pytest.fixture
def ben(bot: BotHarness) -> Actor:
    return bot.new_person()


async def choose_a_style(person: Actor) -> None:
    await person.sends("/style")
    await person.presses("Yes")
    await person.presses(preset_names("en")[0])
    await person.sees("send me a photo")


async def painted(person: Actor, clip: bytes, kind: ClipKind) -> Message:
    await choose_a_style(person)
    await person.sends_clip(clip, kind)
    return await person.sees_result()


def seconds(clip: bytes) -> float:
    with av.open(io.BytesIO(clip), "r") as container:
        return float(container.duration or 0) / av.time_base


def size(clip: bytes) -> tuple[int, int]:
    with av.open(io.BytesIO(clip), "r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        return stream.width, stream.height


def sound(clip: bytes) -> list[bytes]:
    """Its packets, as they are stored."""
    with av.open(io.BytesIO(clip), "r") as container:
        if not container.streams.audio:
            return []
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


async def test_a_video_comes_back_with_its_own_sound(ben: Actor) -> None:
    sent = clip_files.mp4(FRAMES, sound=True)
    result = await painted(ben, sent, ClipKind.VIDEO)
    clip = ben.clip(result)
    assert sound(clip)
    assert sound(clip) == sound(sent)[: len(sound(clip))]
    assert abs(seconds(clip) - FRAMES * A_FRAME_S) <= A_FRAME_S
    assert size(clip) == (96, 72)
    assert "sound" not in result.text


async def test_an_animation_comes_back_silent(ben: Actor) -> None:
    result = await painted(ben, clip_files.mp4(FRAMES, sound=True), ClipKind.ANIMATION)
    clip = ben.clip(result)
    assert not sound(clip)
    assert abs(seconds(clip) - FRAMES * A_FRAME_S) <= A_FRAME_S
    assert size(clip) == (96, 72)


async def test_a_video_note_comes_back_square_and_with_its_sound(ben: Actor) -> None:
    sent = clip_files.mp4(FRAMES, sound=True)
    result = await painted(ben, sent, ClipKind.VIDEO_NOTE)
    clip = ben.clip(result)
    assert size(clip) == (96, 96)
    assert sound(clip) == sound(sent)[: len(sound(clip))] != []
    assert abs(seconds(clip) - FRAMES * A_FRAME_S) <= A_FRAME_S


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (clip_files.gif, ClipKind.ANIMATION),
        (clip_files.webp, ClipKind.ANIMATION),
        (clip_files.mov, ClipKind.VIDEO),
        (clip_files.webm, ClipKind.VIDEO),
    ],
    ids=["GIF", "WEBP", "MOV", "WEBM"],
)
async def test_a_file_that_moves_comes_back_as_what_it_is(
    ben: Actor, make: Callable[[int], bytes], kind: ClipKind
) -> None:
    await choose_a_style(ben)
    await ben.sends_files(make(FRAMES))
    result = await ben.sees_result()
    assert kind.value in result.content
    assert abs(seconds(ben.clip(result)) - FRAMES * A_FRAME_S) <= A_FRAME_S


async def test_a_clip_in_the_style_of_a_picture_of_ones_own(ben: Actor) -> None:
    await ben.sends_clip(clip_files.mp4(FRAMES))
    await ben.sees("I have your clip")
    await ben.sends_photo(painting(1))
    await ben.sees("in the style of your picture")
    assert "video" in (await ben.sees_result()).content


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: clip_files.mp4(160, (64, 64)), "too long.*15 seconds"),
        (lambda: clip_files.mp4(1), "only one frame"),
        (clip_files.sound_alone, "no picture in this file"),
        (lambda: clip_files.mp4(FRAMES)[:600], "damaged or not complete"),
        (lambda: b"RIFF nothing", "can't read this as a clip"),
        (lambda: clip_files.mp4(4, (16, 8)), "too small"),
        (lambda: clip_files.mp4(4, (2400, 80)), "too narrow"),
        (lambda: clip_files.mp4(2, (5120, 2880)), "4K or smaller"),
    ],
    ids=["long", "still", "sound", "cut", "nothing", "small", "narrow", "5K"],
)
async def test_one_sentence_says_what_is_wrong_before_the_work_begins(
    ben: Actor, make: Callable[[], bytes], sentence: str
) -> None:
    await choose_a_style(ben)
    await ben.sends_clip(make())
    await ben.sees(sentence)
    assert not any(map(is_result, ben.received))


async def test_a_photo_is_painted_in_full_between_two_frames(bot: BotHarness) -> None:
    ben, eve = bot.new_person("Ben"), bot.new_person("Eve")
    await choose_a_style(ben)
    await ben.sends_clip(clip_files.mp4(140, (96, 96)))
    status = await ben.sees(ACCEPTED)
    await ben.until(lambda: "photo" in status.content, awaited="the first frame")
    await eve.sends_photos(photo(3), painting(3))
    await eve.presses("2")
    result = await eve.sees_result()
    assert "photo" in result.content
    assert not any(map(is_result, ben.received)), "the clip goes on"
    await ben.presses("Stop", on=status)
    assert "Stopped" in (await ben.sees_result()).text
