"""Every conversation, with the real bot and real pictures."""

from __future__ import annotations

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

from app.bot.ui.i18n import languages
from styles.catalog import default_catalog
from tests.e2e.actor import Actor
from tests.e2e.conftest import BotHarness
from tests.e2e.pictures import encoded, hills, painting, photo

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

EMOJI = r"^[^\w\s]{1,4}$"


def preset_names(language: str) -> list[str]:
    return [preset.name(language) for preset in default_catalog(None).presets()]


def assert_painted(result: Image.Image, original: bytes) -> None:
    """It has the photo's shape, and is another picture."""
    before = Image.open(io.BytesIO(original))
    assert max(result.size) == 96
    assert result.width / result.height == pytest.approx(before.width / before.height, abs=0.05)
    small = np.asarray(before.resize(result.size).convert("RGB"), dtype=float)
    assert np.abs(np.asarray(result, dtype=float) - small).mean() > 3


async def test_start_greets_in_three_lines(anna: Actor, ben: Actor) -> None:
    await anna.sends("/start")
    greeting = await anna.sees("Анна")
    assert len(greeting.text.splitlines()) == 3
    assert "/style" in greeting.text
    await ben.sends("/start")
    assert "Ben" in (await ben.sees("Hello")).text


async def test_help_says_both_ways_in_the_persons_language(anna: Actor, ben: Actor) -> None:
    await ben.sends("/help")
    english = await ben.sees("/style")
    assert "two pictures" in english.text
    await anna.sends("/help")
    russian = await anna.sees("/style")
    assert russian.text != english.text
    assert any("а" <= letter <= "я" for letter in russian.text)


async def test_the_command_menu_stands_in_every_language(harness: BotHarness) -> None:
    codes = [language.replace("_", "-").lower() for language in languages()]
    menus = [harness.sandbox.world.profile.menu(code) for code in codes]
    commands = [[line["command"] for line in menu] for menu in menus]
    assert {"start", "help", "style", "button"} <= set(commands[0])
    assert all(each == commands[0] for each in commands)
    about = {tuple(line["description"] for line in menu) for menu in menus}
    assert len(about) == len(codes)


async def test_a_ready_style_is_chosen_from_a_gallery_and_painted(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.sees("ready styles")
    await ben.presses("Yes")
    gallery = await ben.sees("Choose a style")
    assert min(ben.picture(gallery).size) >= 300
    names = preset_names("en")
    assert len(names) >= 9
    assert all(ben.has_button(name) for name in names)
    await ben.presses(names[0])
    await ben.sees("send me a photo")
    original = photo(1)
    await ben.sends_photo(original)
    assert_painted(ben.picture(await ben.sees_result()), original)


async def test_the_same_in_russian(anna: Actor) -> None:
    await anna.sends("/style")
    await anna.presses("Да")
    await anna.presses(preset_names("ru")[1])
    await anna.sends_photo(photo(2))
    waiting = await anna.sees("Ожидайте…")
    result = await anna.sees_result()
    assert result.id == waiting.id
    assert preset_names("ru")[1] in result.text


async def test_a_photo_sent_before_style_is_used(ben: Actor) -> None:
    original = photo(3)
    await ben.sends_photo(original)
    await ben.sees("second one")
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(preset_names("en")[2])
    assert_painted(ben.picture(await ben.sees_result()), original)


async def test_a_photo_sent_while_the_question_is_open_is_used(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.sees("ready styles")
    await ben.sends_photo(photo(4))
    await ben.sees("have your photo|have your picture")
    await ben.presses("Yes")
    await ben.presses(preset_names("en")[0])
    await ben.sees_result()


@pytest.mark.parametrize("way", ["one by one", "album", "files"])
async def test_two_pictures_and_which_is_the_style(ben: Actor, way: str) -> None:
    content, style = photo(5, (200, 100)), painting(5, (100, 130))
    if way == "one by one":
        await ben.sends_photo(content)
        await ben.sees("second one")
        await ben.sends_photo(style)
    elif way == "album":
        await ben.sends_photos(content, style)
    else:
        await ben.sends_files(content, style)
    question = await ben.sees("Which one gives the style")
    assert ben.picture(question).width > ben.picture(question).height
    await ben.presses("2")
    assert_painted(ben.picture(await ben.sees_result()), content)


async def test_the_other_answer_swaps_them(ben: Actor) -> None:
    first, second = painting(6, (100, 130)), photo(6, (200, 100))
    await ben.sends_photos(first, second)
    await ben.presses("1")
    assert_painted(ben.picture(await ben.sees_result()), second)


async def test_own_pictures_after_saying_no(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("No")
    await ben.sees("two pictures")
    await ben.sends_photo(photo(7))
    await ben.sends_photo(painting(7))
    await ben.sees("Which one gives the style")
    await ben.presses("2")
    await ben.sees_result()


async def test_a_third_picture_joins_as_a_style(ben: Actor) -> None:
    await ben.sends_photos(photo(8), painting(8))
    await ben.sees("Which one gives the style")
    await ben.sends_photo(painting(9))
    await ben.sees("Which one shall I paint")
    await ben.presses("1")
    assert_painted(ben.picture(await ben.sees_result()), photo(8))


async def test_cancel_leaves_nothing_behind(ben: Actor) -> None:
    await ben.sends_photos(photo(10), painting(10))
    await ben.sees("Which one gives the style")
    await ben.sends("/cancel")
    await ben.sees("(?i)cancel|start over|forgot")
    await ben.sends_photo(photo(11))
    await ben.sees("second one")


async def test_a_change_of_mind_in_mid_conversation(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.sends("/button")
    await ben.sees("data")
    await ben.sends_photos(photo(12), photo(13))
    await ben.sees("your 2 photos")
    await ben.sends("/style")
    await ben.presses("No, I have")
    await ben.sees("Which one gives the style")
    await ben.sends("/help")
    await ben.sees("two ways")
    await ben.presses("A ready style for all")
    await ben.presses(preset_names("en")[3])
    await ben.until(
        lambda: len([m for m in ben.received if "Ready" in m.text]) == 2, awaited="both"
    )


async def test_button_shows_the_id_or_the_nickname(ben: Actor) -> None:
    await ben.sends("/button")
    await ben.presses("Yes")
    await ben.presses("ID")
    await ben.sees(str(ben.id))
    await ben.sends("/button")
    await ben.presses("Yes")
    await ben.presses("Nickname")
    await ben.sees("ben")


async def test_button_takes_no_for_an_answer(ben: Actor) -> None:
    await ben.sends("/button")
    question = await ben.sees("data")
    await ben.presses("No")
    await ben.until(lambda: not question.buttons or len(ben.received) > 1)
    assert str(ben.id) not in ben.transcript()


async def test_any_text_is_answered_with_a_random_number(ben: Actor) -> None:
    numbers = []
    for text in ("hello", "what is <b>this</b> & that?", "7"):
        sent = await ben.sends(text)
        numbers.append(int((await ben.sees(r"^\d+$")).text))
    await ben.edits(sent, "eight")
    numbers.append(int((await ben.sees(r"^\d+$")).text))
    assert all(1 <= number <= 100 for number in numbers)


@pytest.mark.parametrize(
    "content",
    [
        {
            "sticker": {
                "file_id": "s",
                "file_unique_id": "s",
                "type": "regular",
                "width": 512,
                "height": 512,
                "is_animated": False,
                "is_video": False,
            }
        },
        {"voice": {"file_id": "v", "file_unique_id": "v", "duration": 2}},
        {"location": {"latitude": 55.75, "longitude": 37.62}},
    ],
    ids=["sticker", "voice", "location"],
)
async def test_anything_else_is_answered_with_an_emoji(
    ben: Actor, content: dict[str, object]
) -> None:
    await ben.sends_other(content)
    await ben.sees(EMOJI)


def sticker(harness: BotHarness, *, is_animated: bool = False) -> dict[str, object]:
    """As Telegram sends them: a WEBP with nothing around the figure."""
    figure = hills(41, (512, 384)).convert("RGBA")
    figure.putalpha(Image.linear_gradient("L").resize(figure.size))
    files = harness.sandbox.world.files
    stored = files.add(
        encoded(figure, "WEBP"), name="s.webp", mime_type="image/webp", folder="stickers"
    )
    about = {"type": "regular", "width": 512, "height": 384, "is_video": False}
    return {"sticker": stored.as_json() | about | {"is_animated": is_animated}}


async def test_a_sticker_is_a_picture_while_one_is_awaited(harness: BotHarness, ben: Actor) -> None:
    await ben.sends_photo(photo(40))
    await ben.sees("send the second one")
    await ben.sends_other(sticker(harness, is_animated=True))
    await ben.sees("made of lines")
    await ben.sends_other(sticker(harness))
    await ben.presses("2")
    await ben.sees_result()


async def test_two_people_at_once_each_get_their_own(harness: BotHarness) -> None:
    people = [harness.new_person(f"P{number}") for number in range(3)]
    originals = [photo(20 + number, (160, 80 + 40 * number)) for number in range(3)]
    styles = [painting(20 + number) for number in range(3)]

    async def order(person: Actor, original: bytes, style: bytes) -> Image.Image:
        await person.sends_photos(original, style)
        await person.presses("2")
        return person.picture(await person.sees_result())

    results = await asyncio.gather(*map(order, people, originals, styles))
    for result, original in zip(results, originals, strict=True):
        assert_painted(result, original)
