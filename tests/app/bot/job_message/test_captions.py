"""What a caption says of the style and the options, in every place where the picture is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.bot.job_message.captions import Captions
from app.bot.ui.i18n import languages, load_i18n
from app.jobs.model import Job, PrintSize, StyleChoice
from app.sandbox.world import Message
from models.interface import MAX_STYLES, Note, Quality, StyleOptions
from styles.catalog import default_catalog
from styles.names import MAX_NAME_LENGTH
from tests.app.bot.application_harness import ApplicationHarness, open_harness
from tests.app.jobs.data_folder import make_job
from tests.app.jobs.stub_stylizers import Inverter
from tests.e2e.actor import Actor
from tests.e2e.pictures import painting, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAX_CAPTION = 1024
"""In UTF-16 units, as Telegram counts."""
PRESETS = default_catalog().presets()
FIRST = PRESETS[0].name("en")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ApplicationHarness]:
    async with open_harness(tmp_path_factory.mktemp("data")) as harness:
        harness.stylizer = Inverter(shows=True, faces=1)
        async with harness.running():
            yield harness


@pytest.fixture
def ben(harness: ApplicationHarness) -> Actor:
    return harness.new_person()


async def result(actor: Actor) -> Message:
    await actor.sends_photo(photo(1, (120, 90)))
    await actor.presses("Choose a ready style")
    await actor.presses(FIRST)
    return await actor.sees_result()


async def sets(actor: Actor, **choices: str) -> None:
    await actor.sends("/settings")
    menu = await actor.sees("Your settings")
    for field, choice in choices.items():
        await actor.presses(field.replace("_", " "), on=menu)
        await actor.presses(choice, on=menu)
        await actor.finds(menu, "Language")


async def reply(actor: Actor, to: Message, kind: str) -> Message:
    def found() -> Message | None:
        return next((m for m in actor.received if m.reply_to is to and kind in m.content), None)

    return await actor.until(found, awaited=f"a {kind} in reply")


async def test_where_all_is_as_usual_the_style_is_all_there_is_to_say(ben: Actor) -> None:
    assert (await result(ben)).text == f"Ready ✨ {FIRST}"


async def test_a_button_says_what_it_changed(ben: Actor) -> None:
    painted = await result(ben)
    await ben.presses("Stronger", on=painted)
    stronger = await ben.sees_result()
    assert stronger.text == f"Ready ✨ {FIRST}\nStrength: {PRESETS[0].strength + 15}%"
    await ben.presses("Photo's colours", on=stronger)
    await ben.sees(f"Strength: {PRESETS[0].strength + 15}% · Colours: of the photo$")
    await ben.presses("Faces as painted", on=painted)
    await ben.sees("\nFaces: as painted$")
    await ben.presses("Smaller brush", on=painted)
    await ben.sees("\nBrush: × 1.4$")


async def test_settings_are_named_with_the_words_of_their_menu(ben: Actor) -> None:
    await sets(ben, Quality="high, takes longer", Size="512 px")
    assert (await result(ben)).text.splitlines()[1] == "Quality: high · Size: 512 px"


async def test_files_prints_and_what_is_made_of_them_say_it_too(ben: Actor) -> None:
    await sets(ben, Strength="40%", Result_as="a file")
    painted = await result(ben)
    assert "document" in painted.content
    said = "Strength: 40%"
    assert painted.text == f"Ready ✨ {FIRST}\n{said}"
    await ben.presses("Before / after", on=painted)
    assert (await reply(ben, painted, "photo")).text == f"Before and after: {FIRST}\n{said}"
    await ben.presses("Film", on=painted)
    assert (await reply(ben, painted, "video")).text == f"How it was painted: {FIRST}\n{said}"
    await ben.presses("A4", on=painted)
    printed = await ben.sees_result()
    assert printed.text.splitlines()[:3] == [f"Ready ✨ {FIRST}", said, "For A4 at 300 dpi."]


async def test_albums_say_it_under_each_picture(ben: Actor) -> None:
    await sets(ben, Strength="25%")
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(FIRST)
    await ben.sends_photos(photo(1), photo(2))
    offer = await ben.sees("All of them once more")
    said = f"{FIRST}\nStrength: 25%"
    assert texts_of_albums(ben) == [f"Ready ✨ {said}"] * 2
    await ben.presses("Before / after", on=offer)
    await ben.until(lambda: len(texts_of_albums(ben)) == 4, awaited="the comparisons")
    assert texts_of_albums(ben)[2:] == [f"Before and after: {said}"] * 2
    await ben.waits_until_idle()
    await ben.sends("/history")
    await ben.sees("Your last pictures")
    assert texts_of_albums(ben)[4:] == [f"1. {said}", f"2. {said}"]


def texts_of_albums(actor: Actor) -> list[str]:
    return [message.text for message in actor.received if message.media_group_id]


async def test_a_shared_picture_says_it_in_the_other_chat(
    harness: ApplicationHarness, ben: Actor
) -> None:
    painted = await result(ben)
    await ben.presses("Weaker", on=painted)
    weaker = await ben.sees_result()
    await ben.waits_until_idle()
    query = ben.person.ask_inline("")
    await ben.until(lambda: query.contents is not None, awaited="an answer")
    assert query.contents is not None
    (there,) = harness.group(ben)
    newest = next(iter(query.contents))
    shared = ben.person.send_inline(query, newest, there.chat)
    assert shared.text.splitlines() == [
        f"Painted in the style “{FIRST}”",
        weaker.text.splitlines()[1],
    ]


async def test_styles_of_ones_own_are_counted(ben: Actor) -> None:
    await ben.sends_photos(photo(1), painting(2), painting(3))
    await ben.presses("1")
    assert (await ben.sees_result()).text == "Ready ✨ 2 styles of your own"


def job_of(*styles: StyleChoice, options: StyleOptions, **changes: Any) -> Job:
    job = make_job(1)
    print_size = changes.pop("print_size", None)
    request = replace(job.request, styles=styles, options=options, print_size=print_size)
    return replace(job, request=request, **changes)


OTHERWISE = StyleOptions(
    quality=Quality.DRAFT,
    size_px=2048,
    strength=100,
    brush=0.25,
    keep_colors=True,
    keep_faces=False,
)


@pytest.mark.parametrize("language", languages())
async def test_the_longest_is_short_enough(language: str, tmp_path: Path) -> None:
    wide = "🖼"
    names = [f"{number}{wide * (MAX_NAME_LENGTH - 1)}" for number in range(MAX_STYLES)]
    catalog = default_catalog(tmp_path / "styles")
    own = [catalog.add(name, PRESETS[0].picture) for name in names]
    styles = [StyleChoice(preset.picture, preset.slug) for preset in own]
    captions, i18n = Captions(catalog, StyleOptions()), load_i18n()
    with i18n.context(), i18n.use_locale(language):
        for print_size in (None, PrintSize.A3):
            job = job_of(
                *styles,
                options=OTHERWISE,
                faces=1,
                notes=frozenset(Note),
                print_size=print_size,
            )
            said = [
                captions.ready(job),
                captions.numbered(10, job),
                captions.shared(job),
                captions.compared(job),
                captions.filmed(job),
            ]
            for text in said:
                assert all(name in text for name in names)
                assert len(text.encode("utf-16-le")) // 2 <= MAX_CAPTION


@pytest.mark.parametrize(
    ("language", "line"),
    [
        (
            "en",
            "Strength: 100% · Brush: × 0.25 · Colours: of the photo · Faces: as painted"
            " · Quality: draft · Size: 2048 px",
        ),
        (
            "ru",
            "Сила стиля: 100\u00a0% · Кисть: × 0,25 · Цвета: фотографии · Лица: как вся картина"
            " · Качество: набросок · Размер: 2048 px",
        ),
    ],
)
async def test_all_options_stand_in_one_line(language: str, line: str) -> None:
    captions, i18n = Captions(default_catalog(), StyleOptions()), load_i18n()
    job = job_of(StyleChoice(Path("style.jpg")), options=OTHERWISE, faces=1)
    with i18n.context(), i18n.use_locale(language):
        assert captions.ready(job).splitlines()[1] == line


@pytest.mark.parametrize(
    ("changes", "unsaid"),
    [
        ({"faces": 0}, "Faces"),
        ({"notes": frozenset({Note.SHRUNK})}, "Size"),
        ({"print_size": PrintSize.A4}, "Size"),
    ],
)
async def test_what_is_not_so_is_not_said(changes: dict[str, Any], unsaid: str) -> None:
    captions, i18n = Captions(default_catalog(), StyleOptions()), load_i18n()
    style = StyleChoice(Path("style.jpg"))
    with i18n.context(), i18n.use_locale("en"):
        assert unsaid in captions.ready(job_of(style, options=OTHERWISE, faces=1))
        assert unsaid not in captions.ready(
            job_of(style, options=OTHERWISE, **{"faces": 1, **changes})
        )
