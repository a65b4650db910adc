"""/addstyle, /delstyle, /stats and the metrics; /forget."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import aiosqlite
import pytest
import pytest_asyncio

from app.jobs.interface import Stats, WorkerState, WorkerView
from app.monitoring.health import Health, Report
from app.monitoring.metrics import serving_metrics
from styles.catalog import default_catalog
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.e2e.actor import Actor
from tests.e2e.pictures import painting, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN_ID = 600_001


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    folder = tmp_path_factory.mktemp("data")
    async with open_harness(folder, admin_ids=frozenset({ADMIN_ID})) as harness, harness.running():
        yield harness


@pytest.fixture(scope="module")
def admin(harness: ApplicationHarness) -> Actor:
    return Actor(harness.sandbox, harness.sandbox.add_person(ADMIN_ID, "Ada", "ada", "en"))


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


async def offered(actor: Actor) -> list[str]:
    """The names of the styles that the gallery shows."""
    await actor.sends("/style")
    await actor.presses("Yes")
    return [button["text"] for button in (await actor.sees("Choose a style")).buttons]


async def test_a_style_is_tried_kept_offered_and_removed(admin: Actor, ben: Actor) -> None:
    await admin.sends_photo(painting(3), caption="/addstyle Wild <Stripes>")
    await admin.presses("Keep the style")
    await admin.sees("Wild <Stripes>.* is there for everyone")
    assert "Wild <Stripes>" in await offered(ben)
    await admin.sends("/delstyle wild <stripes>")
    await admin.sees("Wild <Stripes>.* is removed")
    assert "Wild <Stripes>" not in await offered(ben)


async def test_a_style_on_trial_can_be_dropped(admin: Actor, harness: ApplicationHarness) -> None:
    await admin.sends_photo(painting(4), caption="/addstyle Dull")
    trial = await admin.until(lambda: admin._with_button("Drop it"), awaited="a trial")
    data = next(b["callback_data"] for b in trial.buttons if "Keep" in b["text"])
    await admin.presses("Drop it", on=trial)
    await admin.reads(trial, "Dropped")
    query = admin.person.press(trial, data)
    await admin.until(lambda: query.answer is not None, awaited="an answer")
    await admin.sends("/delstyle")
    await admin.sees("No style was added")


async def test_added_styles_are_removed_by_a_button(admin: Actor) -> None:
    await admin.sends_photo(painting(5), caption="/addstyle Brief")
    await admin.presses("Keep the style")
    await admin.sees("Brief.* is there for everyone")
    await admin.sends("/delstyle")
    question = await admin.sees("Which style shall I remove")
    await admin.presses("Brief", on=question)
    await admin.reads(question, "Brief.* is removed")


@pytest.mark.parametrize(
    ("caption", "answer"),
    [
        ("/addstyle", "and a name"),
        ("/addstyle " + "x" * 41, "can't be called that"),
        ("/addstyle \u202e\u200f", "and a name|can't be called that"),
    ],
)
async def test_names_that_can_not_be(admin: Actor, caption: str, answer: str) -> None:
    await admin.sends_photo(painting(6), caption=caption)
    await admin.sees(answer)


async def test_taken_names_missing_pictures_and_packaged_styles(
    admin: Actor, harness: ApplicationHarness
) -> None:
    preset = default_catalog().presets()[0].name("en")
    await admin.sends_photo(painting(7), caption=f"/addstyle {preset}")
    await admin.sees("of this name already")
    await admin.sends("/addstyle Lonely")
    await admin.sees("with the caption")
    await admin.sends(f"/delstyle {preset}")
    await admin.sees("Only styles that were added")


async def test_admins_see_the_figures(admin: Actor, harness: ApplicationHarness) -> None:
    await admin.sends("/stats")
    stats = await admin.sees("Waiting: 0")
    assert "Free on the disk" in stats.text
    assert "cpu: idle, pictures since the start: " in stats.text


@pytest.mark.parametrize("words", ["/stats", "/delstyle", "/addstyle Mine"])
async def test_for_others_these_words_mean_nothing(ben: Actor, words: str) -> None:
    await ben.sends(words)
    assert (await ben.sees(r"^\d+$")).text.isdigit()


async def test_a_trial_is_no_button_for_others(admin: Actor, ben: Actor) -> None:
    await admin.sends_photo(painting(8), caption="/addstyle Secret")
    trial = await admin.until(lambda: admin._with_button("Keep"), awaited="a trial")
    await ben.presses("Keep the style", on=trial)
    assert "Secret" not in await offered(ben)
    await admin.presses("Drop it", on=trial)


async def rows_of(file: Path, table: str, user_id: int) -> int:
    async with aiosqlite.connect(file) as connection:
        question = f"SELECT count(*) FROM {table} WHERE user_id = ?"  # noqa: S608
        rows = list(await connection.execute_fetchall(question, (user_id,)))
    return int(rows[0][0])


async def test_forget_deletes_everything(harness: ApplicationHarness, ben: Actor) -> None:
    await ben.sends_photo(photo(1))
    await ben.sends_photo(painting(1))
    await ben.presses("2", on=await ben.sees("Which one gives the style"))
    await ben.sees_result()
    await ben.sends("/settings")
    await ben.presses("Strength")
    await ben.presses("85%")
    await ben.sends("/forget")
    await ben.presses("Yes, everything")
    await ben.sees("nothing about you")
    folder = harness.settings.data_dir
    for file, table in (
        ("jobs.sqlite3", "jobs"),
        ("preferences.sqlite3", "preferences"),
        ("chats.sqlite3", "conversations"),
    ):
        assert await rows_of(folder / file, table, ben.id) == 0
    assert not list((folder / "originals" / str(ben.id)).glob("*"))


async def test_forget_can_be_taken_back(ben: Actor) -> None:
    await ben.sends("/settings")
    await ben.presses("Strength")
    await ben.presses("85%")
    await ben.sends("/forget")
    await ben.presses("No")
    await ben.sees("stays as it is")
    await ben.sends("/settings")
    await ben.sees("Strength: 85%")


class Figures(Health):
    """Figures of a machine that isn't this one."""

    def __init__(self) -> None:
        """Nothing to ask."""

    async def report(self) -> Report:
        stats = Stats(
            by_state={"delivered": 7},
            waiting=2,
            seconds_by_quality={"draft": 0.5},
            failures={"hung": 1},
            disk_bytes=1000,
            workers=(
                WorkerView("cuda:0", WorkerState.PAINTING, 4),
                WorkerView("cuda:1", WorkerState.LOST, 2),
            ),
        )
        return Report(stats, disk_free_bytes=5000, gpu_memory={"cuda:0": (3, 8)})


async def test_prometheus_reads_the_figures_on_loopback() -> None:
    async with (
        serving_metrics(Figures(), 0) as port,
        aiohttp.request("GET", f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        lines = (await answer.text()).splitlines()
    for line in (
        'style_bot_jobs{state="delivered"} 7.0',
        "style_bot_jobs_waiting 2.0",
        "style_bot_painting_paused 0.0",
        'style_bot_job_seconds_median{quality="draft"} 0.5',
        'style_bot_job_failures{cause="hung"} 1.0',
        'style_bot_worker_pictures{device="cuda:1"} 2.0',
        'style_bot_worker_up{device="cuda:0"} 1.0',
        'style_bot_worker_up{device="cuda:1"} 0.0',
        'style_bot_gpu_memory_used_bytes{device="cuda:0"} 3.0',
        'style_bot_gpu_memory_bytes{device="cuda:0"} 8.0',
    ):
        assert line in lines
    assert any(line.startswith("process_resident_memory_bytes") for line in lines)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "evil.example:9090"}, {"Origin": "http://evil.example"}],
    ids=["host", "host and port", "origin"],
)
async def test_no_other_site_reads_the_figures(headers: dict[str, str]) -> None:
    async with (
        serving_metrics(Figures(), 0) as port,
        aiohttp.request("GET", f"http://127.0.0.1:{port}/metrics", headers=headers) as answer,
    ):
        assert answer.status == 403
        assert "style_bot" not in await answer.text()
