"""Debian's Chromium, or the reason why there is none."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from playwright.async_api import Page, async_playwright

from tests.app.sandbox.faulty_sandbox import FaultySandbox

Scheme = Literal["light", "dark"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NO_CHROMIUM = "there is no Chromium here; Debian's package is called chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def open_page(
    sandbox: FaultySandbox,
    *,
    scheme: Scheme = "light",
    width_px: int = 560,
    height_px: int = 980,
    scale: float = 1.0,
) -> AsyncIterator[Page]:
    """The chat page in a headless browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(
            viewport={"width": width_px, "height": height_px},
            color_scheme=scheme,
            device_scale_factor=scale,
        )
        await page.goto(sandbox.page_url)
        await page.wait_for_selector("#people button[aria-pressed=true]")
        yield page
        await browser.close()
