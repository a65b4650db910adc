"""`python -m tests.e2e.screenshots OUT_DIR`: the chat page at every stage of a conversation.

With `--read` an engine that only pretends paints, and what is not for show is taken too: a quick
way to read a whole conversation in any language.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiogram.utils.i18n import I18n
from PIL import Image
from playwright.async_api import FilePayload, Locator, Page, expect

from app.bot.ui.i18n import languages, load_i18n
from app.sandbox.server import ANNA, BEN
from styles.catalog import Catalog, default_catalog
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.e2e.bot_process import FAST, REAL, STEPS, BotProcess
from tests.e2e.browser import CHROMIUM, NO_CHROMIUM, Scheme, open_page
from tests.e2e.pictures import truncated_jpeg

PATIENCE_MS = 3_600_000
SETTLE_MS = 1200
"""Pictures fade in and the chat scrolls smoothly."""
WIDTH_PX, HEIGHT_PX = 560, 980
BURST = ("city.jpg", "animal.jpg", "faces/two.jpg", "faces/officer.jpg", "face.jpg")
FILM_AT_S = 4.0
A_DAY = 10
"""How many pictures a reader may have: fewer than the conversation asks for."""


class Photographer:
    """Plays one person on the page and takes a picture at each stage."""

    def __init__(
        self, page: Page, out: Path, *, i18n: I18n, language: str, catalog: Catalog
    ) -> None:
        self._page = page
        self._out = out
        self._i18n = i18n
        self._language = language
        self._preset = catalog.presets()[0].name(language)
        self._samples = catalog.sample.parent

    async def take_all(self) -> None:
        """What is worth showing, in its order."""
        person = ANNA if self._language == "ru" else BEN
        await self._page.click(f"#people >> text={person[1]}")
        await self._page.select_option("#languages", self._language.lower().replace("_", "-"))
        await self._write("/start")
        await self._take("1-start")
        await self._write("/style")
        await self._press("Yes, show them")
        await expect(self._page.locator(".picture img")).to_have_count(1)
        await self._take("2-gallery")
        await self._press(self._preset)
        await self._sends(self._samples / "face.jpg")
        await self._painting()
        await self._take("3-painting")
        await self._results(1)
        await self._press("⋯ More")
        await expect(self._key("🗑 Delete")).to_be_visible()
        await self._take("4-result")
        await self._press("🌓 Before / after")
        await expect(self._page.locator(".row:not(.mine) .quote")).to_have_count(1)
        await self._take("5-before-after")
        await self._press("🎞 Film")
        await self._film()
        await self._take("6-film")
        await self._press("‹ Less")
        await self._burst()
        await self._write("/history")
        last = self._say("Your last pictures, the newest first. Which one shall I send again?")
        await expect(self._page.locator(".row", has_text=last)).to_be_attached()
        await self._take("8-history")
        await self._write("/settings")
        await self._take("9-settings")

    async def take_the_rest(self) -> None:
        """What has to be read all the same."""
        await self._press("Quality")
        await expect(self._key("« Back")).to_be_visible()
        await self._take("10-a-setting")
        await self._write("/privacy")
        await self._take("11-privacy")
        await self._write("/help")
        await self._take("12-help")
        await self._refused()
        await self._take("13-refused", whole=True)
        await self._sends(self._samples / "city.jpg")
        await self._results(len(BURST) + 2)
        last = self._result_rows().last
        await last.locator(".keys button", has_text=self._say("⋯ More")).click()
        await self._press("🖨 A4")
        await self._results(len(BURST) + 3)
        await self._take("14-print")
        for label, number in [("🌈 Photo's colours", 4), ("🖌 Smaller brush", 5)]:
            await self._press(label)
            await self._results(len(BURST) + number)
            if number < 5:
                await (
                    self._result_rows()
                    .last.locator(".keys button", has_text=self._say("⋯ More"))
                    .click()
                )
        await self._take("15-options")
        await self._press("➕ Stronger")
        await self._snap("16-limit")
        await self._write("/queue")
        await self._press("📤 Share")
        await self._snap("17-share")
        rows = await self._page.locator(".row").count()
        await self._result_rows().last.locator(".keys button", has_text=self._say("⋯ More")).click()
        await self._press("🗑 Delete")
        await expect(self._page.locator(".row")).not_to_have_count(rows)
        await self._take("18-deleted")
        await self._write("/forget")
        await self._take("19-forget")

    async def _painting(self) -> None:
        """Until the draft is there and the bar has moved."""
        status = self._page.locator(".row", has=self._key("⏹ Stop")).last
        await expect(status.locator(".picture img")).not_to_have_count(0)
        await expect(status.locator(".words")).to_contain_text("▰")

    async def _film(self) -> None:
        """In its middle."""
        video = self._page.locator("video").last
        await expect(video).to_be_visible()
        await video.evaluate(
            "(film, at) => new Promise(done => {"
            "  film.addEventListener('seeked', done, {once: true});"
            "  film.currentTime = at;"
            "})",
            FILM_AT_S,
        )

    async def _burst(self) -> None:
        """Five single photos, as a phone sends them."""
        for name in BURST:
            await self._sends(self._samples / name)
        await self._results(1 + len(BURST))
        await self._take("7-burst", whole=True)

    async def _refused(self) -> None:
        small = io.BytesIO()
        Image.new("RGB", (8, 8)).save(small, "PNG")
        files: Sequence[tuple[str, bytes]] = [
            ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
            ("layers.psd", b"8BPS" + bytes(200)),
            ("video.mp4", b"\0\0\0\x18ftypmp42" + bytes(200)),
            ("broken.jpg", truncated_jpeg()),
            ("small.png", small.getvalue()),
            ("letter.txt", b"Dear Sir or Madam, " * 9),
        ]
        for name, data in files:
            rows = self._page.locator(".row:not(.mine)")
            count = await rows.count()
            payload = FilePayload(name=name, mimeType="application/octet-stream", buffer=data)
            await self._page.set_input_files("#file-input", payload)
            await expect(rows).to_have_count(count + 1)

    async def _sends(self, file: Path) -> None:
        rows = self._page.locator(".row.mine")
        count = await rows.count()
        await self._page.set_input_files("#photo-input", file)
        await expect(rows).to_have_count(count + 1)

    async def _write(self, text: str) -> None:
        rows = self._page.locator(".row:not(.mine)")
        before = await rows.count()
        await self._page.fill("#text", text)
        await self._page.press("#text", "Enter")
        await expect(rows.nth(before)).to_be_attached()

    async def _results(self, count: int) -> None:
        await expect(self._result_rows()).to_have_count(count)

    def _result_rows(self) -> Locator:
        return self._page.locator(".row:not(.mine)", has=self._key("🖼 Other style"))

    async def _press(self, label: str) -> None:
        await self._key(label).last.click()

    def _key(self, label: str) -> Locator:
        return self._page.locator(".keys button", has_text=self._say(label))

    def _say(self, text: str) -> str:
        """A text of the bot's in the language of the conversation."""
        return self._i18n.gettext(text, locale=self._language)

    async def _snap(self, name: str) -> None:
        """What is seen for a few seconds only."""
        await expect(self._page.locator("#toast")).to_be_visible()
        await self._page.screenshot(path=self._out / f"{name}.png")

    async def _take(self, name: str, *, whole: bool = False) -> None:
        """The page with the end of the chat, or as high as its last turns need it to be."""
        height_px = 3 * HEIGHT_PX if whole else HEIGHT_PX
        await self._page.set_viewport_size({"width": WIDTH_PX, "height": height_px})
        await self._page.evaluate(
            "height => document.querySelector('.phone').style.height = height",
            "calc(100vh - 40px)" if whole else "",
        )
        await expect(self._page.locator("#toast")).to_be_hidden()
        await self._page.wait_for_timeout(SETTLE_MS)
        await self._page.evaluate("document.querySelector('#chat').scrollTo(0, 1e9)")
        await self._page.wait_for_timeout(SETTLE_MS)
        await self._page.screenshot(
            path=self._out / f"{name}.png", scale="css" if whole else "device"
        )


async def take_screenshots(
    out: Path, *, language: str, scheme: Scheme, settings: Mapping[str, str], read: bool
) -> None:
    """Run the real bot in a sandbox of its own and walk through a conversation."""
    patience_ms = PATIENCE_MS // 60 if read else PATIENCE_MS
    expect.set_options(timeout=patience_ms)
    with tempfile.TemporaryDirectory() as data:
        async with FaultySandbox(port=0) as sandbox:
            command = FAST if read else REAL
            bot = BotProcess(sandbox, Path(data), settings=settings, command=command)
            await bot.start()
            try:
                async with open_page(
                    sandbox, scheme=scheme, scale=1.5, width_px=WIDTH_PX, height_px=HEIGHT_PX
                ) as page:
                    page.set_default_timeout(patience_ms)
                    photographer = Photographer(
                        page,
                        out,
                        i18n=load_i18n(),
                        language=language,
                        catalog=default_catalog(None),
                    )
                    await photographer.take_all()
                    if read:
                        await photographer.take_the_rest()
            finally:
                await bot.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--language", choices=languages(), default="en")
    parser.add_argument("--scheme", choices=["light", "dark"], default="light")
    parser.add_argument("--size", type=int, default=512, help="long side in pixels")
    parser.add_argument("--read", action="store_true", help="all texts, and no real paintings")
    args = parser.parse_args()
    if CHROMIUM is None:
        parser.exit(1, NO_CHROMIUM + "\n")
    args.out.mkdir(parents=True, exist_ok=True)
    settings = {"DEFAULT_SIZE_PX": str(args.size)}
    if args.read:
        settings |= STEPS | {"FAST_STEP_S": "0.7", "DAILY_PICTURES_PER_USER": str(A_DAY)}
    asyncio.run(
        take_screenshots(
            args.out,
            language=args.language,
            scheme=args.scheme,
            settings=settings,
            read=args.read,
        )
    )


if __name__ == "__main__":
    main()
