"""Hostile input: forged buttons, names that try to be markup or paths; and being forgotten."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

import pytest

from tests.e2e.actor import ACCEPTED, Actor
from tests.e2e.bot_process import FAST, STEPS
from tests.e2e.conftest import BotHarness, running_harness
from tests.e2e.pictures import painting, photo

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def harness(stub_harness: BotHarness) -> BotHarness:
    stub_harness.sandbox.faults.clear()
    return stub_harness


@pytest.mark.parametrize(
    "name",
    [
        "<b>bold</b> & <script>alert(1)</script>",
        "{0.__class__} %s %(x)s",
        "\u202egnp.exe\u202c and more",
        "x" * 4096,
        "../../etc/passwd",
    ],
    ids=["html", "format", "right to left", "long", "path"],
)
async def test_a_name_can_not_leave_its_place(harness: BotHarness, name: str) -> None:
    stranger = harness.new_person(name)
    await stranger.sends("/start")
    greeting = await stranger.sees("Hello")
    assert len(greeting.text) < 500
    assert "\u202e" not in greeting.text
    kinds = {entity["type"] for entity in greeting.content.get("entities", [])}
    assert kinds <= {"bot_command"}


@pytest.mark.parametrize("text", ["<b>unclosed", "{0}", "/style; rm -rf /", "a" * 4096, "\u202e"])
async def test_a_text_can_not_break_anything(ben: Actor, text: str) -> None:
    await ben.sends(text)
    await ben.until(lambda: ben.received, awaited="any answer")


async def test_a_file_name_can_not_lead_out_of_the_data_folder(
    harness: BotHarness, ben: Actor
) -> None:
    await ben.sends_files(photo(1), name="../../../../tmp/owned.jpg")
    await ben.sees("second one")
    kept = list((harness.data / "originals" / str(ben.id)).iterdir())
    assert len(kept) == 1
    assert "owned" not in kept[0].name


async def test_forged_buttons_are_refused(harness: BotHarness, ben: Actor) -> None:
    eve = harness.new_person("Eve")
    await ben.sends_photos(photo(2), painting(2))
    await ben.presses("2")
    status = await ben.sees(ACCEPTED)
    await eve.sends("/help")
    hers = await eve.sees("two ways")
    jobs = [button["callback_data"].rpartition(":")[2] for button in status.buttons]
    forged = [
        *(f"job:{deed}:{job}" for deed in ("stop", "cancel", "explode") for job in jobs),
        "job:cancel:99999999",
        "job:cancel:-1",
        "job:cancel:99999999999999999999999",
        f"again:stronger:{jobs[0]}",
        f"source:{ben.id}:1",
        f"preset:{eve.id}:../../etc/passwd",
        "set:1:strength:100",
        "",
        ":" * 64,
        "\x00" * 8,
    ]
    queries = {data: eve.person.press(hers, data) for data in forged}
    with suppress(AssertionError):
        await eve.until(lambda: all(query.answer for query in queries.values()))
    assert [data for data, query in queries.items() if query.answer is None] == []
    await ben.sees_result()


async def test_forget_deletes_everything_about_a_person(harness: BotHarness, ben: Actor) -> None:
    await ben.sends_photos(photo(3), painting(3))
    await ben.presses("2")
    await ben.sees_result()
    await ben.sends("/settings")
    await ben.presses("Strength")
    await ben.presses("40%")
    await ben.sends_photo(photo(4))
    await ben.sees("second one")
    assert mentions(harness, ben.id)
    await ben.sends("/forget")
    await ben.presses("Yes, everything")
    await ben.sees("know nothing about you")
    assert not (harness.data / "originals" / str(ben.id)).exists()
    # Which update was seen is no word about anybody; everything else would be.
    assert mentions(harness, ben.id) <= {"updates", "inbox"}


def mentions(harness: BotHarness, user_id: int) -> set[str]:
    """The tables in which a person's id stands, in whatever column."""
    found = set()
    for path in harness.data.glob("*.sqlite3"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            names = database.execute("select name from sqlite_master where type = 'table'")
            for (table,) in names.fetchall():
                rows = database.execute(f'select * from "{table}"').fetchall()  # noqa: S608
                if any(str(user_id) in str(cell) for row in rows for cell in row):
                    found.add(table)
        database.close()
    return found


async def test_only_invited_people_come_in(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("club")
    settings = {**STEPS, "ALLOWED_USER_IDS": "1000001", "ADMIN_IDS": "1000002"}
    async with running_harness(data, settings, command=FAST) as harness:
        people = [
            Actor(harness.sandbox, harness.sandbox.add_person(user_id, "P", None, "en"))
            for user_id in (1000001, 1000002, 1000003)
        ]
        for person in people:
            await person.sends("/stats")
        invited, admin, stranger = people
        await admin.until(lambda: admin.received, awaited="statistics")
        await invited.sends("/help")
        await invited.sees("two ways")
        assert "two ways" not in stranger.transcript()
        await stranger.sends("/help")
        await stranger.until(lambda: stranger.received, awaited="a polite refusal")
        assert "/style" not in stranger.transcript().replace("Ben:", "")
