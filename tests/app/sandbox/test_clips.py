"""Clips in the sandbox: as the Bot API takes and gives them, and as the chat page plays them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    BufferedInputFile,
    InlineQueryResultCachedMpeg4Gif,
    InlineQueryResultCachedVideo,
    InlineQueryResultUnion,
    InputMediaAnimation,
    Message,
)
from playwright.async_api import FilePayload, Locator, expect

from app.sandbox.people import Attachment, Person
from tests import clip_files
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.app.sandbox.pictures import picture
from tests.e2e.browser import CHROMIUM, NO_CHROMIUM, open_page

pytestmark = pytest.mark.asyncio(loop_scope="module")

KINDS = ["video", "animation", "video_note"]
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)


@pytest_asyncio.fixture(loop_scope="module")
async def sandbox() -> AsyncIterator[FaultySandbox]:
    async with FaultySandbox(port=0) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(loop_scope="module")
async def bot(sandbox: FaultySandbox) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.api_url))
    async with Bot(sandbox.token, session=session) as bot:
        yield bot


@pytest.fixture
def anna(sandbox: FaultySandbox) -> Person:
    return sandbox.people[100001]


def clip() -> BufferedInputFile:
    return BufferedInputFile(clip_files.mp4(sound=True), "clip.mp4")


async def sent_as(bot: Bot, kind: str, chat_id: int) -> Message:
    thumbnail = BufferedInputFile(picture(), "thumbnail.jpg")
    match kind:
        case "animation":
            return await bot.send_animation(
                chat_id, clip(), width=96, height=72, duration=1, thumbnail=thumbnail
            )
        case "video_note":
            return await bot.send_video_note(
                chat_id, clip(), length=72, duration=1, thumbnail=thumbnail
            )
    return await bot.send_video(
        chat_id, clip(), width=96, height=72, duration=1, thumbnail=thumbnail
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_bot_sends_has_its_facts_and_can_be_sent_again(
    bot: Bot, anna: Person, kind: str
) -> None:
    sent = await sent_as(bot, kind, anna.user.id)
    shown = getattr(sent, kind)
    assert shown.duration == 1
    assert (shown.length if kind == "video_note" else shown.height) == 72
    assert shown.thumbnail is not None
    assert (sent.document is not None) == (kind == "animation")
    again = {
        "video": bot.send_video,
        "animation": bot.send_animation,
        "video_note": bot.send_video_note,
    }
    copy = await again[kind](anna.user.id, shown.file_id)  # type: ignore[operator]
    assert getattr(copy, kind) == shown


async def test_what_telegram_refuses_is_refused(bot: Bot, anna: Person) -> None:
    with pytest.raises(TelegramBadRequest, match="wrong video note length"):
        await bot.send_video_note(anna.user.id, clip(), length=640)
    animation = await sent_as(bot, "animation", anna.user.id)
    assert animation.animation is not None
    with pytest.raises(TelegramBadRequest, match="as Video"):
        await bot.send_video(anna.user.id, animation.animation.file_id)


async def test_a_photo_becomes_an_animation(bot: Bot, anna: Person) -> None:
    photo = await bot.send_photo(anna.user.id, BufferedInputFile(picture(), "p.png"))
    media = InputMediaAnimation(media=clip(), width=96, height=72, duration=1, caption="now")
    edited = await bot.edit_message_media(media, chat_id=anna.user.id, message_id=photo.message_id)
    assert isinstance(edited, Message)
    assert edited.animation is not None
    assert (edited.caption, edited.photo) == ("now", None)


async def test_cached_clips_are_offered_and_sent(
    sandbox: FaultySandbox, bot: Bot, anna: Person
) -> None:
    video = (await sent_as(bot, "video", anna.user.id)).video
    animation = (await sent_as(bot, "animation", anna.user.id)).animation
    assert video is not None
    assert animation is not None
    query = anna.ask_inline("x")
    results: list[InlineQueryResultUnion] = [
        InlineQueryResultCachedVideo(id="1", video_file_id=video.file_id, title="v"),
        InlineQueryResultCachedMpeg4Gif(id="2", mpeg4_file_id=animation.file_id),
    ]
    await bot.answer_inline_query(query.id, results)
    chat = sandbox.world.open_group(-100778, "Friends")
    assert "video" in anna.send_inline(query, "1", chat).content
    assert "animation" in anna.send_inline(query, "2", chat).content


@pytest.mark.parametrize("kind", [*KINDS, "live_photo"])
async def test_what_a_person_sends_reaches_the_bot_as_aiogram_knows_it(
    bot: Bot, anna: Person, kind: str
) -> None:
    about = {"width": 96, "height": 72, "length": 72, "duration": 1}
    await anna.send_clip(kind, Attachment(clip_files.mp4(), "c.mp4", "video/mp4"), about)
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert getattr(update.message, kind).duration == 1


# The chat page


async def is_playing(player: Locator) -> bool:
    """Whether it has a picture, and goes on."""
    script = (
        "video => new Promise(resolve => {"
        " const seen = [];"
        " video.addEventListener('timeupdate', () => {"
        "   seen.push(video.currentTime);"
        "   if (seen.length > 2) resolve(video.videoWidth > 0); }); })"
    )
    return bool(await player.evaluate(script))


@in_a_browser
@pytest.mark.browser
async def test_the_page_plays_each_kind_as_telegram_does(
    sandbox: FaultySandbox, bot: Bot, anna: Person
) -> None:
    for kind in KINDS:
        await sent_as(bot, kind, anna.user.id)
    async with open_page(sandbox) as page:
        problems: list[str] = []
        page.on("console", lambda said: problems.append(f"{said.type}: {said.text}"))
        await page.reload()
        rows = page.locator(".row")
        await expect(rows).to_have_count(3)
        video, animation, note = (rows.nth(number).locator("video") for number in range(3))
        for player in (animation, note):
            assert await is_playing(player)
            assert await player.evaluate("video => [video.loop, video.muted, video.controls]") == [
                True,
                True,
                False,
            ]
        assert await video.evaluate("video => [video.loop, video.controls]") == [False, True]
        await video.evaluate("video => video.play()")
        assert await is_playing(video)
        shape = await note.evaluate(
            "video => { const box = video.closest('button').getBoundingClientRect();"
            " const style = getComputedStyle(video.closest('button'));"
            " return [box.width === box.height, style.borderRadius]; }"
        )
        assert shape == [True, "50%"]
        await rows.nth(2).locator("button").click()
        assert await note.evaluate("video => video.muted") is False
        assert not [problem for problem in problems if problem.startswith("error")]


@in_a_browser
@pytest.mark.browser
@pytest.mark.parametrize("kind", KINDS)
async def test_a_clip_is_sent_from_the_page_with_what_a_phone_would_say_of_it(
    sandbox: FaultySandbox, bot: Bot, anna: Person, kind: str
) -> None:
    async with open_page(sandbox) as page:
        await page.click("#people >> nth=0")
        await page.click("#attach-button")
        await expect(page.locator(f"#attach-menu [data-as={kind}]")).to_be_visible()
        payload = FilePayload(
            name="clip.mp4", mimeType="video/mp4", buffer=clip_files.mp4(20, sound=True)
        )
        await page.set_input_files(f"#{kind}-input", payload)
        await expect(page.locator(".row.mine video")).to_be_visible()
    (update,) = await bot.get_updates(timeout=5)
    assert update.message is not None
    shown = getattr(update.message, kind)
    assert shown.duration == 2
    assert (shown.length if kind == "video_note" else shown.height) == 72
