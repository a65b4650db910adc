"""Lists of any length: whatever grows has pages, and Telegram takes every one of them."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.bot.ui.pages import PAGE_SIZE, page_of
from app.sandbox.world import Message
from styles.catalog import default_catalog
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.app.jobs.stub_stylizers import Inverter
from tests.e2e.actor import Actor
from tests.e2e.pictures import painting, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN_ID = 600_101
ADDED = 110


def add_styles(data: Path) -> None:
    """So many styles of the owner's own that no keyboard could hold them."""
    (data / "one.jpg").write_bytes(painting(1))
    own = data / "styles"
    default_catalog(own).add("Style 1", data / "one.jpg")
    entries = own / "presets.toml"
    entry = entries.read_text(encoding="utf-8")
    with entries.open("a", encoding="utf-8") as file:
        for number in range(2, ADDED + 1):
            shutil.copy(own / "images" / "style-1.jpg", own / "images" / f"style-{number}.jpg")
            file.write(entry.replace("tyle 1", f"tyle {number}").replace("-1", f"-{number}"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    data = tmp_path_factory.mktemp("data")
    add_styles(data)
    more = {"admin_ids": frozenset({ADMIN_ID}), "queue_max_jobs_per_user": 200}
    async with open_harness(data, **more) as harness:
        harness.stylizer = Inverter(gate=threading.Semaphore(0))
        async with harness.running():
            yield harness


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


def labels(message: Message) -> list[str]:
    return [button["text"] for button in message.buttons]


async def turns(actor: Actor, message: Message, label: str) -> None:
    """Press, and wait until the page is another one."""
    before = labels(message)
    await actor.presses(label, on=message)
    await actor.until(lambda: labels(message) != before, awaited="another page")


async def test_every_style_can_be_chosen_however_many_there_are(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    gallery = await ben.sees("Choose a style")
    seen, pictures = set(labels(gallery)), [ben.picture(gallery).tobytes()]
    while any(label.endswith("▶️") for label in labels(gallery)):
        await turns(ben, gallery, "▶️")
        seen |= set(labels(gallery))
        pictures.append(ben.picture(gallery).tobytes())
    assert {f"Style {number}" for number in range(1, ADDED + 1)} < seen
    assert len(set(pictures)) == len(pictures) == 5
    assert len(ben.received) == 1


async def test_a_mixture_is_made_of_several_pages(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    gallery = await ben.sees("Choose a style")
    await ben.presses("Add another style", on=gallery)
    await ben.reads(gallery, "up to five styles")
    await ben.presses("Style 3", on=gallery)
    await ben.finds(gallery, "✓ Style 3")
    await turns(ben, gallery, "2/5 ▶️")
    await ben.presses("Style 30", on=gallery)
    await ben.finds(gallery, "✓ Style 30")
    await ben.reads(gallery, r"Style 3\W+Style 30\W")
    await turns(ben, gallery, "◀️ 1/5")
    await ben.finds(gallery, "✓ Style 3")


async def test_a_page_that_a_forger_asks_for_is_the_nearest_one(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    gallery = await ben.sees("Choose a style")
    ben.person.press(gallery, f"page:{ben.id}:gallery:{10**20}")
    await ben.finds(gallery, "◀️ 4/5")
    ben.person.press(gallery, f"page:{ben.id}:gallery:-7")
    await ben.finds(gallery, "2/5 ▶️")


async def test_ones_own_jobs_are_listed_however_many_there_are(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses("Style 3")
    await ben.sees("send me a photo")
    for number in range(6):
        await ben.sends_photos(*[photo(number)] * 10)
    await ben.until(
        lambda: sum("✖️ Cancel" in labels(message) for message in ben.received) == 6,
        within_s=90,
        awaited="six albums in the queue",
    )
    await ben.sends("/queue")
    listed = await ben.sees("Your pictures")
    await turns(ben, listed, "2/3 ▶️")
    first = PAGE_SIZE + 1
    assert re.search(rf"^{first}\. ", listed.text, re.MULTILINE)
    assert f"✖️ {first}" in labels(listed)
    await turns(ben, listed, "3/3 ▶️")
    before = listed.text
    await ben.presses(f"✖️ {2 * PAGE_SIZE + 1}", on=listed)
    await ben.until(lambda: listed.text != before, awaited="the list without it")
    assert re.search(rf"^{2 * PAGE_SIZE + 1}\. ", listed.text, re.MULTILINE)


async def test_added_styles_are_removed_from_any_page(harness: ApplicationHarness) -> None:
    admin = Actor(harness.sandbox, harness.sandbox.add_person(ADMIN_ID, "Ada", "ada", "en"))
    await admin.sends("/delstyle")
    question = await admin.sees("Which style shall I remove")
    await turns(admin, question, "2/5 ▶️")
    await admin.presses("Style 40", on=question)
    await admin.reads(question, "Style 40.* is removed")


@pytest.mark.parametrize(
    ("count", "number", "shown", "pages"),
    [
        (0, 0, 0, 1),
        (PAGE_SIZE, 0, PAGE_SIZE, 1),
        (PAGE_SIZE + 1, 1, 1, 2),
        (PAGE_SIZE, 1, PAGE_SIZE, 1),
        (5, -1, 5, 1),
    ],
)
async def test_a_page_is_never_empty_but_where_nothing_is(
    count: int, number: int, shown: int, pages: int
) -> None:
    page = page_of(range(count), number)
    assert (len(page.items), page.count) == (shown, pages)
