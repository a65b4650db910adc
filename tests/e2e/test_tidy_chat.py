"""What is left in the chat: so many messages, one keyboard under each result, one open question."""

from __future__ import annotations

import pytest
from PIL import Image

from app.sandbox.world import Message
from models.pictures.formats import set_up_pillow
from tests.e2e.actor import Actor, is_result
from tests.e2e.conftest import BotHarness
from tests.e2e.pictures import encoded, painting, photo, sideways_heic
from tests.e2e.test_conversations import preset_names
from tests.models.icc_profiles import DISPLAY_P3, matrix_profile

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

FIRST = preset_names("en")[0]
IPHONE_FILE = "IMG_0001.HEIC"
RED_IN_P3, RED_IN_SRGB = (234, 51, 35), (255, 0, 0)
LEVELS = 3


@pytest.fixture
def ben(stub_harness: BotHarness) -> Actor:
    return stub_harness.new_person()


def keyboards(person: Actor) -> list[Message]:
    """All messages of the bot whose buttons can be pressed."""
    return [message for message in person.received if message.buttons]


def results(person: Actor) -> list[Message]:
    return [message for message in person.received if is_result(message)]


async def until_counted(person: Actor, *, messages: int, keyboards_: int) -> None:
    """Wait until the bot has so many messages in the chat, and so many of them buttons."""
    await person.until(
        lambda: (len(person.received), len(keyboards(person))) == (messages, keyboards_),
        awaited=f"{messages} messages with {keyboards_} keyboards",
    )


async def chooses_a_style(person: Actor) -> None:
    await person.sends("/style")
    await person.presses("Yes")
    await person.presses(FIRST)
    await person.sees("send me a photo")


async def painted(person: Actor) -> Message:
    await chooses_a_style(person)
    await person.sends_photo(photo(1))
    result = await person.sees_result()
    await until_counted(person, messages=2, keyboards_=1)
    return result


async def test_a_burst_of_five_leaves_five_paintings_and_what_was_chosen(ben: Actor) -> None:
    await chooses_a_style(ben)
    for number in range(5):
        await ben.sends_photo(photo(number))
    await ben.until(lambda: len(results(ben)) == 5, awaited="five results")
    await until_counted(ben, messages=6, keyboards_=5)
    assert keyboards(ben) == results(ben)
    assert all(FIRST in result.text for result in results(ben))


async def test_an_iphone_s_file_is_painted_upright(ben: Actor) -> None:
    await chooses_a_style(ben)
    await ben.sends_files(sideways_heic(), name=IPHONE_FILE)
    assert ben.picture(await ben.sees_result()).size == (72, 96)
    await until_counted(ben, messages=2, keyboards_=1)


@pytest.mark.parametrize("kind", ["JPEG", "HEIF"])
async def test_a_display_p3_photo_keeps_its_red(ben: Actor, kind: str) -> None:
    set_up_pillow()
    red = Image.new("RGB", (160, 120), RED_IN_P3)
    profile = matrix_profile(DISPLAY_P3)
    await chooses_a_style(ben)
    await ben.sends_files(encoded(red, kind, icc_profile=profile), name=IPHONE_FILE)
    result = await ben.sees_result()
    await ben.presses("Before / after", on=result)
    await until_counted(ben, messages=3, keyboards_=1)
    both = ben.picture(ben.received[-1])
    patch = both.getpixel((both.width // 4, both.height // 2))
    assert patch == pytest.approx(RED_IN_SRGB, abs=LEVELS)


async def test_an_old_button_says_what_to_do_and_is_gone(ben: Actor) -> None:
    await ben.sends_photos(photo(1), painting(1))
    question = await ben.sees("Which one gives the style")
    (old,) = (button for button in question.buttons if button["text"] == "2")
    await ben.sends("/style")
    await ben.sees("ready styles")
    await until_counted(ben, messages=1, keyboards_=1)
    query = ben.person.press(question, old["callback_data"])
    await ben.until(lambda: query.answer, awaited="an answer")
    assert query.answer
    assert "out of date" in query.answer["text"]
    await until_counted(ben, messages=1, keyboards_=1)
    assert not results(ben)


async def test_what_is_shared_comes_from_its_owner_alone_and_leaves_the_chat_as_it_is(
    stub_harness: BotHarness, ben: Actor
) -> None:
    result = await painted(ben)
    await ben.waits_until_idle()
    before = len(ben.received)
    (button,) = (button for button in result.buttons if "Share" in button["text"])
    text = button["switch_inline_query_chosen_chat"]["query"]
    eve = stub_harness.new_person("Eve")
    asked = [actor.person.ask_inline(text) for actor in (ben, eve)]
    await ben.until(
        lambda: all(query.contents is not None for query in asked), awaited="two answers"
    )
    own, foreign = (query.contents for query in asked)
    assert foreign == {}
    assert own is not None
    (result_id,) = own
    there, _eve = stub_harness.group(ben, eve)
    shared = ben.person.send_inline(asked[0], result_id, there.chat)
    assert shared.content["photo"] == result.content["photo"]
    assert FIRST in shared.text
    assert not shared.buttons
    await until_counted(ben, messages=before, keyboards_=1)


async def test_what_is_deleted_leaves_nothing_and_its_button_says_so(
    stub_harness: BotHarness, ben: Actor
) -> None:
    result = await painted(ben)
    await ben.waits_until_idle()
    others = len(ben.received) - 1
    await ben.presses("More", on=result)
    await ben.finds(result, "Delete")
    (delete,) = (button for button in result.buttons if "Delete" in button["text"])
    (stronger,) = (button for button in result.buttons if "Stronger" in button["text"])
    await ben.presses("Delete", on=result)
    await until_counted(ben, messages=others, keyboards_=0)
    for folder in ("originals", "results"):
        kept = (stub_harness.data / folder / str(ben.id)).rglob("*")
        assert not [path for path in kept if path.is_file()]
    pressed = [ben.person.press(result, old["callback_data"]) for old in (delete, stronger)]
    await ben.until(lambda: all(query.answer for query in pressed), awaited="two answers")
    assert all(query.answer and query.answer["text"] for query in pressed)
    await until_counted(ben, messages=others, keyboards_=0)
