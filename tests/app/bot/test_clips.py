"""Clips in the conversation: each kind comes in as people send it, and back as what it was."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable

import av
import pytest
import pytest_asyncio

from app.sandbox.people import Attachment
from app.sandbox.world import Message
from models.clips.interface import ClipKind, ClipNote
from styles.catalog import default_catalog
from tests import clip_files
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.app.jobs.stub_clips import ClipAndPhotoInverter
from tests.e2e.actor import Actor, is_result
from tests.e2e.pictures import painting, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

STYLE = default_catalog().presets()[0].name("en")
ADMIN_ID = 700_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    settings = {"admin_ids": str(ADMIN_ID), "clip_max_seconds": 3, "clip_size_px": 64}
    async with open_harness(tmp_path_factory.mktemp("data"), **settings) as harness:
        harness.stylizer = ClipAndPhotoInverter(notes=frozenset({ClipNote.SOUND_LEFT_OUT}))
        async with harness.running():
            yield harness


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


async def choose_style(actor: Actor) -> None:
    await actor.sends("/style")
    await actor.presses("Yes")
    await actor.presses(STYLE)
    await actor.sees("send me a photo")


async def painted(actor: Actor, kind: ClipKind = ClipKind.VIDEO) -> Message:
    await choose_style(actor)
    await actor.sends_clip(clip_files.mp4(), kind)
    result = await actor.sees_result()
    await actor.waits_until_idle()
    return result


def facts(clip: bytes) -> tuple[int, int, int]:
    """(width, height, frames)."""
    with av.open(io.BytesIO(clip), "r") as container:
        stream = container.streams.video[0]
        return stream.width, stream.height, sum(1 for _ in container.decode(stream))


# In and out


async def test_a_video_comes_back_as_a_video_with_its_facts(ben: Actor) -> None:
    result = await painted(ben)
    video = result.content["video"]
    assert facts(ben.clip(result)) == (64, 48, 8)
    assert (video["width"], video["height"], video["duration"]) == (64, 48, 1)
    assert "thumbnail" in video
    assert STYLE in result.text
    assert "Without its sound" in result.text


async def test_an_animation_comes_back_as_an_animation(ben: Actor) -> None:
    result = await painted(ben, ClipKind.ANIMATION)
    assert "animation" in result.content
    assert "thumbnail" in result.content["animation"]


async def test_a_note_comes_back_round_and_the_words_stand_in_the_status_message(
    ben: Actor,
) -> None:
    result = await painted(ben, ClipKind.VIDEO_NOTE)
    note = result.content["video_note"]
    width, height, _ = facts(ben.clip(result))
    assert width == height == note["length"]
    status = next(each for each in ben.received if "Ready" in each.text)
    assert STYLE in status.text
    assert status.id != result.id
    assert not status.buttons
    assert not any("Share" in button["text"] for button in result.buttons)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (clip_files.mp4, ClipKind.VIDEO),
        (clip_files.mov, ClipKind.VIDEO),
        (clip_files.webm, ClipKind.VIDEO),
        (clip_files.gif, ClipKind.ANIMATION),
    ],
    ids=["mp4", "mov", "webm", "gif"],
)
@pytest.mark.parametrize("mime_type", ["application/octet-stream", "video/mp4"])
async def test_a_file_that_moves_is_painted_whatever_it_is_called(
    ben: Actor, make: Callable[[], bytes], kind: ClipKind, mime_type: str
) -> None:
    if kind is ClipKind.ANIMATION and mime_type == "video/mp4":
        kind = ClipKind.VIDEO
    await choose_style(ben)
    await ben.person.send_files(Attachment(make(), "file.bin", mime_type))
    assert kind.value in (await ben.sees_result()).content


@pytest.mark.parametrize("kind", ["live_photo", "sticker"])
async def test_a_live_photo_and_a_video_sticker_become_animations(
    harness: ApplicationHarness, ben: Actor, kind: str
) -> None:
    await choose_style(ben)
    data = Attachment(clip_files.webm(), "clip.webm", "video/webm")
    if kind == "live_photo":
        await ben.person.send_clip(kind, data, {"width": 96, "height": 72, "duration": 1})
    else:
        stored = harness.sandbox.world.files.add(
            data.data, name=data.name, mime_type=data.mime_type, folder="stickers"
        )
        about = {"type": "regular", "width": 96, "height": 72, "is_animated": False}
        await ben.sends_other({"sticker": stored.as_json() | about | {"is_video": True}})
    assert "animation" in (await ben.sees_result()).content


async def test_a_drawn_sticker_is_answered_with_a_sentence_where_a_picture_is_awaited(
    ben: Actor,
) -> None:
    await choose_style(ben)
    about = {"file_id": "x", "file_unique_id": "x", "type": "regular", "width": 5, "height": 5}
    await ben.sends_other({"sticker": about | {"is_animated": True, "is_video": False}})
    await ben.sees("only Telegram can draw")


# Ways to a style


async def test_style_in_reply_to_a_clip_and_as_its_caption(ben: Actor) -> None:
    clip = await ben.sends_clip(clip_files.mp4())
    await ben.sees("I have your clip.\nNow send the picture")
    await ben.sends("/style", reply_to=clip)
    await ben.sees("I have your clip.\nWould you like")
    await ben.presses("Yes")
    await ben.presses(STYLE)
    await ben.sees_result()
    await ben.sends_clip(clip_files.mp4(), ClipKind.ANIMATION, caption="/style")
    await ben.sees("I have your clip.\nWould you like")
    await ben.presses("Yes")
    await ben.presses(STYLE)
    assert "animation" in (await ben.sees_result()).content


async def test_style_in_reply_to_a_clip_works_in_a_group(
    harness: ApplicationHarness, ben: Actor
) -> None:
    (ben,) = harness.group(ben)
    clip = await ben.sends_clip(clip_files.mp4(), ClipKind.VIDEO_NOTE)
    await ben.sends("/style", reply_to=clip)
    await ben.presses("Yes")
    await ben.presses(STYLE)
    assert "video_note" in (await ben.sees_result()).content


@pytest.mark.parametrize("clip_first", [True, False])
async def test_a_picture_beside_a_clip_is_its_style_in_whatever_order(
    ben: Actor, clip_first: bool
) -> None:
    if clip_first:
        await ben.sends_clip(clip_files.mp4())
        await ben.sees("I have your clip")
        await ben.sends_photo(painting(1))
    else:
        await ben.sends_photo(painting(1))
        await ben.sees("I have your picture")
        await ben.sends_clip(clip_files.mp4())
    await ben.sees("in the style of your picture")
    assert "video" in (await ben.sees_result()).content


async def test_several_clips_are_painted_one_by_one(ben: Actor) -> None:
    await ben.sends_clip(clip_files.mp4())
    await ben.sends_clip(clip_files.mp4(), ClipKind.ANIMATION)
    await ben.sees("I have your 2 clips")
    await ben.presses("ready style")
    await ben.presses(STYLE)
    found = [await ben.sees_result(), await ben.sees_result()]
    assert {"video", "animation"} == {kind for each in found for kind in each.content} & {
        "video",
        "animation",
    }


async def test_photos_and_a_clip_to_a_chosen_style_are_an_album_and_a_clip(ben: Actor) -> None:
    await choose_style(ben)
    await ben.sends_photos(photo(1), photo(2))
    await ben.sends_clip(clip_files.mp4())
    await ben.until(
        lambda: (
            sum("photo" in each.content and bool(each.media_group_id) for each in ben.received) == 2
            and any("video" in each.content for each in ben.received)
        ),
        awaited="an album and a clip",
    )


# Bad clips


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: clip_files.mp4(40), "too long.*3 seconds"),
        (lambda: clip_files.mp4(1), "only one frame"),
        (lambda: clip_files.mp4(4, (400, 16)), "too (small|narrow)"),
        (clip_files.sound_alone, "no picture in this file"),
        (lambda: b"nothing", "can't read this as a clip"),
    ],
    ids=["long", "one frame", "narrow", "sound", "nothing"],
)
async def test_one_sentence_says_what_to_send_instead_and_the_talk_goes_on(
    ben: Actor, make: Callable[[], bytes], sentence: str
) -> None:
    await choose_style(ben)
    await ben.sends_clip(make())
    await ben.sees(sentence)
    await ben.sends_photo(photo(1))
    await ben.sees_result()


async def test_what_telegram_says_is_too_long_is_not_even_fetched(
    harness: ApplicationHarness, ben: Actor
) -> None:
    before = harness.calls("getFile")
    await ben.sends_clip(clip_files.mp4(), seconds=30)
    await ben.sees("too long")
    assert harness.calls("getFile") == before


async def test_over_20_mb_is_said_before_it_is_fetched(
    harness: ApplicationHarness, ben: Actor
) -> None:
    before = harness.calls("getFile")
    await ben.sends_clip(bytes(21 * 1024 * 1024))
    await ben.sees("at most 20 MB")
    assert harness.calls("getFile") == before


async def test_no_clip_becomes_a_ready_style(harness: ApplicationHarness) -> None:
    admin = Actor(harness.sandbox, harness.sandbox.add_person(ADMIN_ID, "Ada", "ada", "en"))
    await admin.sends_clip(clip_files.mp4(), caption="/addstyle Waves")
    await admin.sees("a still picture")
    await admin.person.send_files(Attachment(clip_files.gif()), caption="/addstyle Waves")
    await admin.sees("This picture moves")


async def test_an_owner_may_want_no_clips(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = tmp_path_factory.mktemp("off")
    async with open_harness(data, clip_max_seconds=0) as harness, harness.running():
        ben = harness.new_person()
        await ben.sends("/help")
        assert "It may move" not in (await ben.sees("two ways")).text
        await ben.sends_clip(clip_files.mp4())
        await ben.sees("This is a video. Please send a still picture")
        await ben.sends_clip(clip_files.mp4(), ClipKind.ANIMATION)
        await ben.sees("This picture moves")
        await ben.sends_files(clip_files.gif())
        await ben.sees("This picture moves")


# Under the result


async def test_the_buttons_are_those_that_make_sense(ben: Actor) -> None:
    result = await painted(ben)
    await ben.presses("More", on=result)
    await ben.finds(result, "Less")
    shown = " ".join(button["text"] for button in result.buttons)
    for label in ("Weaker", "Stronger", "brush", "Other style", "Other photo", "Share", "Delete"):
        assert label in shown
    for label in ("Before", "Film", "HD", "A4", "Swap"):
        assert label not in shown


async def test_stronger_and_another_style_paint_the_same_clip(ben: Actor) -> None:
    result = await painted(ben, ClipKind.ANIMATION)
    await ben.presses("Weaker", on=result)
    again = await ben.sees_result()
    assert "animation" in again.content
    await ben.waits_until_idle()
    await ben.presses("Other style", on=again)
    await ben.presses(default_catalog().presets()[1].name("en"))
    assert "animation" in (await ben.sees_result()).content


@pytest.mark.parametrize("kind", [ClipKind.VIDEO, ClipKind.ANIMATION])
async def test_a_clip_is_shared_by_telegrams_own_copy(ben: Actor, kind: ClipKind) -> None:
    result = await painted(ben, kind)
    (button,) = (each for each in result.buttons if "Share" in each["text"])
    query = ben.person.ask_inline(button["switch_inline_query_chosen_chat"]["query"])
    await ben.until(lambda: query.contents is not None, awaited="an answer")
    assert query.contents is not None
    ((_, content),) = query.contents.items()
    assert content[kind.value]["file_id"] == result.content[kind.value]["file_id"]


async def test_the_history_has_clips_beside_photos(ben: Actor) -> None:
    kinds = (ClipKind.VIDEO, ClipKind.ANIMATION, ClipKind.VIDEO_NOTE)
    results = [await painted(ben, kind) for kind in kinds]
    await ben.sends_photo(photo(1))
    await ben.sees_result()
    await ben.waits_until_idle()
    await ben.sends("/history")
    menu = await ben.sees("Your last pictures")
    album = [each for each in ben.received if each.media_group_id]
    assert [next(iter(each.content)) for each in album] == ["photo", "video", "video", "video"]
    for number, result in zip(("4", "3", "2"), results, strict=True):
        await ben.presses(number, on=menu)
        again = await ben.sees_result()
        kind = next(kind.value for kind in kinds if kind.value in result.content)
        assert again.content[kind]["file_id"] == result.content[kind]["file_id"]


@pytest.mark.parametrize("kind", list(ClipKind))
async def test_delete_takes_it_from_the_chat_and_from_the_disk(
    harness: ApplicationHarness, ben: Actor, kind: ClipKind
) -> None:
    result = await painted(ben, kind)
    folder = harness.settings.data_dir
    mine = folder / "originals" / str(ben.id)
    assert list(mine.iterdir())
    before = set((folder / "results").iterdir())
    await ben.presses("Delete", on=result)
    await ben.until(lambda: result.id not in ben.chat.messages, awaited="no message")
    assert not list(mine.iterdir())
    assert len(before - set((folder / "results").iterdir())) == 1


async def test_forget_leaves_no_clip(harness: ApplicationHarness, ben: Actor) -> None:
    await painted(ben)
    await ben.sends_clip(clip_files.mp4())
    await ben.sees_result()
    before = set((harness.settings.data_dir / "results").iterdir())
    await ben.sends("/forget")
    await ben.presses("Yes, everything")
    await ben.sees("I know nothing about you")
    assert not (harness.settings.data_dir / "originals" / str(ben.id)).exists()
    gone = before - set((harness.settings.data_dir / "results").iterdir())
    assert len(gone) == 2


async def test_who_takes_no_video_notes_gets_a_video(
    harness: ApplicationHarness, ben: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.sandbox.errors import bad_request
    from app.sandbox.methods import METHODS

    async def refuse(*_: object) -> None:
        raise bad_request("VOICE_MESSAGES_FORBIDDEN")

    monkeypatch.setitem(METHODS, "sendvideonote", refuse)
    await choose_style(ben)
    await ben.sends_clip(clip_files.mp4(), ClipKind.VIDEO_NOTE)
    result = await ben.sees_result()
    assert "video" in result.content
    assert sum(map(is_result, ben.received)) == 1
