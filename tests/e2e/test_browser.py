"""The sandbox page in a real browser, with the real bot behind it."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, expect

from tests.e2e.browser import CHROMIUM, NO_CHROMIUM, open_page
from tests.e2e.conftest import BotHarness
from tests.e2e.pictures import photo
from tests.e2e.test_conversations import preset_names

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]

PATIENCE_MS = 60_000


async def test_a_photo_goes_in_and_a_painting_comes_back(harness: BotHarness) -> None:
    async with open_page(harness.sandbox) as page:
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        await page.click("#people >> text=Ben")

        await page.fill("#text", "/start")
        await page.press("#text", "Enter")
        await expect(page.locator(".row:not(.mine)").last).to_contain_text("Ben")

        await page.click("#menu-button")
        await page.click("#menu >> text=/style")
        await page.click(".keys >> text=Yes")
        await page.click(f".keys >> text={preset_names('en')[0]}")
        await page.set_input_files(
            "#photo-input",
            FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=photo(40)),
        )
        result = page.locator(".row:not(.mine)", has_text="Ready").last
        await expect(result.locator(".keys")).to_contain_text("Stronger")
        image = result.locator(".picture img").last
        size = await image.evaluate(
            "image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"
        )
        assert size == [96, 72]
        assert problems == []
