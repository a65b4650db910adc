"""What one message shows of an album whose photos are painted side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.bot.job_message.status_content import StatusContent
from app.bot.ui.i18n import load_i18n
from app.jobs.model import Job
from models.interface import StepReport
from styles.catalog import default_catalog
from tests.app.jobs.data_folder import make_job


def album(size: int) -> list[Job]:
    jobs = [make_job(number) for number in range(1, size + 1)]
    return [replace(job, request=replace(job.request, album="a", album_size=size)) for job in jobs]


def step(number: int) -> StepReport:
    return StepReport(step=number, steps=10, seconds_spent=1.0, seconds_left=None)


@pytest.fixture
def jobs() -> list[Job]:
    return album(3)


@pytest.fixture
def content(jobs: list[Job]) -> StatusContent:
    content = StatusContent(jobs[0], i18n=load_i18n(), catalog=default_catalog())
    for place, job in enumerate(jobs, start=1):
        content.waiting(job, place, 10.0 * place)
    return content


async def shown(content: StatusContent) -> str:
    return (await content.render()).text


async def test_of_two_in_work_the_first_is_shown_until_it_ends(
    content: StatusContent, jobs: list[Job]
) -> None:
    one, two, three = jobs
    content.started(one)
    content.started(two)
    content.stepped(one, step(3))
    content.stepped(two, step(7))
    text = await shown(content)
    assert "Photo 1 of 3" in text
    assert "3 / 10" in text
    content.stepped(one, step(10))
    assert content.painting_ended(one)
    text = await shown(content)
    assert "Photo 2 of 3" in text
    assert "7 / 10" in text
    content.started(three)
    assert "Photo 2 of 3" in await shown(content)
    content.painting_ended(two)
    assert "Photo 3 of 3" in await shown(content)


async def test_one_that_ends_beside_the_shown_one_leaves_it_there(
    content: StatusContent, jobs: list[Job]
) -> None:
    one, two, _ = jobs
    content.started(one)
    content.started(two)
    content.stepped(one, step(3))
    assert not content.painting_ended(two)
    text = await shown(content)
    assert "3 / 10" in text
    assert "Photo 2 of 3" in text, "one is done, and this is the second that is not"


async def test_one_that_goes_back_to_the_queue_leaves_the_message_to_the_other(
    content: StatusContent, jobs: list[Job]
) -> None:
    one, two, three = jobs
    content.started(one)
    content.started(two)
    content.painting_ended(one)
    for place, job in enumerate((one, three), start=1):
        content.waiting(job, place, 10.0)
    content.stepped(two, step(5))
    assert "5 / 10" in await shown(content)
