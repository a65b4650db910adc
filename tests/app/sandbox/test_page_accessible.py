"""The chat page for people who use a keyboard alone, or a screen reader."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    SwitchInlineQueryChosenChat,
)
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests import clip_files
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.browser import CHROMIUM, NO_CHROMIUM, Scheme, open_page
from tests.e2e.pictures import photo

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(120),
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]

LEVELS = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


@pytest.fixture
async def sandbox() -> AsyncIterator[FaultySandbox]:
    """One in which everything that a bot sends has been sent."""
    async with FaultySandbox(port=0) as sandbox:
        session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.api_url))
        async with Bot(sandbox.token, session=session) as bot:
            await fill(sandbox, bot)
        yield sandbox


async def fill(sandbox: FaultySandbox, bot: Bot) -> None:
    anna = sandbox.people[100001]
    keys = [
        [InlineKeyboardButton(text="Yes", callback_data="yes")],
        [InlineKeyboardButton(text="No", callback_data="no")],
    ]
    question = anna.write("/start")
    await bot.send_message(
        anna.user.id,
        "<b>Hello</b>, type /style or see <a href='https://example.org'>this</a>. <code>x</code>",
        parse_mode="HTML",
        reply_to_message_id=question.id,
        reply_markup=InlineKeyboardMarkup(inline_keyboard=keys),
    )
    picture = BufferedInputFile(photo(1), "photo.jpg")
    await bot.send_photo(anna.user.id, picture, caption="Ready ✨ Wave")
    await bot.send_photo(anna.user.id, picture)
    await bot.send_document(anna.user.id, picture)
    clip = BufferedInputFile(clip_files.mp4(), "clip.mp4")
    await bot.send_video(anna.user.id, clip, width=96, height=72, duration=1)
    await bot.send_animation(anna.user.id, clip, width=96, height=72, duration=1)
    await bot.send_video_note(anna.user.id, clip, length=72, duration=1)
    film = BufferedInputFile(b"\0\0\0\x18ftypmp42", "film.mp4")
    share = InlineKeyboardButton(
        text="Share", switch_inline_query_chosen_chat=SwitchInlineQueryChosenChat(query="1")
    )
    await bot.send_video(
        anna.user.id,
        film,
        caption="How it was painted: Wave",
        reply_markup=InlineKeyboardMarkup(inline_keyboard=[[share]]),
    )
    anna.write("🦄")


async def problems(page: Page) -> str:
    """What axe-core finds against level A and AA, a line for each."""
    found: dict[str, Any] = (await Axe().run(page, options=LEVELS)).response
    return "\n".join(
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(sandbox: FaultySandbox, scheme: Scheme) -> None:
    async with open_page(sandbox, scheme=scheme) as page:
        await page.emulate_media(reduced_motion="reduce")
        await expect(page.locator(".row")).to_have_count(10)
        assert not await problems(page)
        await page.click("#menu-button")
        assert not await problems(page)
        await page.click("#attach-button")
        assert not await problems(page)
        await page.keyboard.press("Escape")
        await page.locator(".picture").first.click()
        assert not await problems(page)


async def test_everything_is_done_by_keyboard_alone(sandbox: FaultySandbox) -> None:
    anna = sandbox.people[100001]
    async with open_page(sandbox) as page:
        await expect(page.locator(".row")).to_have_count(10)
        await page.locator("#text").focus()
        await page.keyboard.type("hello")
        await page.keyboard.press("Enter")
        await expect(page.locator(".row")).to_have_count(11)
        assert any(message.text == "hello" for message in anna.chat.messages.values())

        await tab_to(page, "#menu-button", backwards=True)
        await page.keyboard.press("Enter")
        await expect(page.locator("#menu")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#menu")).to_be_hidden()
        await expect(page.locator("#menu-button")).to_be_focused()

        await tab_to(page, ".picture", backwards=True)
        await page.keyboard.press("Enter")
        await expect(page.locator("#lightbox")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#lightbox")).to_be_hidden()

        await tab_to(page, ".keys button", backwards=True)
        await page.keyboard.press("Enter")
        await expect(page.locator(".keys .waiting")).to_have_count(1)


async def tab_to(page: Page, selector: str, *, backwards: bool) -> None:
    """Press Tab until something is focused that matches."""
    for _ in range(40):
        await page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if await page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


async def test_pictures_and_messages_have_names(sandbox: FaultySandbox) -> None:
    async with open_page(sandbox) as page:
        await expect(page.locator(".row")).to_have_count(10)
        # Anna reads Russian.
        await expect(
            page.get_by_role("button", name="Фото: Ready ✨ Wave", exact=True)
        ).to_have_count(1)
        await expect(page.get_by_role("log")).to_have_count(1)
        await expect(page.get_by_role("article")).to_have_count(10)
        await expect(
            page.get_by_label("Фильм: How it was painted: Wave", exact=True)
        ).to_be_visible()


async def test_commands_are_pressed_whatever_stands_around_them(sandbox: FaultySandbox) -> None:
    sandbox.people[100001].write("再选一种风格：/style。(/help) a/b https://example.org/path")
    async with open_page(sandbox) as page:
        commands = page.locator(".row").last.locator(".command")
        await expect(commands).to_have_text(["/style", "/help"])


async def test_sharing_says_why_it_ends_here(sandbox: FaultySandbox) -> None:
    async with open_page(sandbox) as page:
        await page.get_by_role("button", name="Share").click()
        await expect(page.get_by_role("alert")).to_contain_text("а здесь другого нет")
