"""`python -m tests.e2e.screenshots OUT_DIR`: the chat page at five stages of a conversation."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from app.sandbox.server import ANNA, BEN
from styles.catalog import default_catalog
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.bot_process import BotProcess
from tests.e2e.browser import CHROMIUM, NO_CHROMIUM, Scheme, open_page

PATIENCE_MS = 600_000
SETTLE_MS = 1200
"""Pictures fade in and the chat scrolls smoothly."""
WORDS = {
    "en": {"yes": "Yes", "stop": "Stop", "stronger": "Stronger", "language": "en"},
    "ru": {"yes": "Да", "stop": "Стоп", "stronger": "Сильнее", "language": "ru"},
}


class Photographer:
    """Plays one person on the page and takes a picture at each stage."""

    def __init__(self, page: Page, out: Path, *, language: str, preset: str, photo: Path) -> None:
        self._page = page
        self._out = out
        self._words = WORDS[language]
        self._preset = preset
        self._photo = photo

    async def take_all(self, person: str) -> None:
        """The five stages in their order."""
        await self._page.click(f"#people >> text={person}")
        await self._page.select_option("#languages", self._words["language"])
        await self._write("/start")
        await self._take("1-start")
        await self._write("/style")
        await self._press(self._words["yes"])
        await expect(self._page.locator(".picture img")).to_have_count(1)
        await self._take("2-gallery")
        await self._press(self._preset)
        await self._page.set_input_files("#photo-input", self._photo)
        await self._painting()
        await self._take("3-painting")
        await expect(self._key(self._words["stronger"])).to_be_visible()
        await self._press("⋯")
        await expect(self._key("🗑")).to_be_visible()
        await self._take("4-result")
        await self._write("/settings")
        await self._take("5-settings")

    async def _painting(self) -> None:
        """Until the draft is there and the bar has moved."""
        status = self._page.locator(".row", has=self._key(self._words["stop"])).last
        await expect(status.locator(".picture img")).not_to_have_count(0)
        await expect(status.locator(".words")).to_contain_text("▰")

    async def _write(self, text: str) -> None:
        rows = self._page.locator(".row:not(.mine)")
        count = await rows.count()
        await self._page.fill("#text", text)
        await self._page.press("#text", "Enter")
        await expect(rows).to_have_count(count + 1)

    async def _press(self, label: str) -> None:
        await self._key(label).last.click()

    def _key(self, label: str) -> Locator:
        return self._page.locator(".keys button", has_text=label)

    async def _take(self, name: str) -> None:
        await self._page.wait_for_timeout(SETTLE_MS)
        await self._page.screenshot(path=self._out / f"{name}.png")


async def take_screenshots(out: Path, *, language: str, scheme: Scheme, size_px: int) -> None:
    """Run the real bot in a sandbox of its own and walk through a conversation."""
    catalog = default_catalog(None)
    expect.set_options(timeout=PATIENCE_MS)
    with tempfile.TemporaryDirectory() as data:
        async with FaultySandbox(port=0) as sandbox:
            bot = BotProcess(sandbox, Path(data), settings={"DEFAULT_SIZE_PX": str(size_px)})
            await bot.start()
            try:
                async with open_page(sandbox, scheme=scheme, scale=1.5) as page:
                    await Photographer(
                        page,
                        out,
                        language=language,
                        preset=catalog.presets()[0].name(language),
                        photo=catalog.sample,
                    ).take_all(ANNA[1] if language == "ru" else BEN[1])
            finally:
                await bot.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--language", choices=sorted(WORDS), default="en")
    parser.add_argument("--scheme", choices=["light", "dark"], default="light")
    parser.add_argument("--size", type=int, default=512, help="long side in pixels")
    args = parser.parse_args()
    if CHROMIUM is None:
        parser.exit(1, NO_CHROMIUM + "\n")
    args.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(
        take_screenshots(args.out, language=args.language, scheme=args.scheme, size_px=args.size)
    )


if __name__ == "__main__":
    main()
