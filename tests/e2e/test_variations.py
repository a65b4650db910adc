"""Under every result: what each button starts, once, and from the original photo."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.sandbox.world import Message
from tests.e2e.actor import Actor, has_label, is_result
from tests.e2e.conftest import BotHarness
from tests.e2e.pictures import painting, photo, sideways_jpeg
from tests.e2e.test_conversations import preset_names

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


async def first_result(person: Actor, seed: int = 0) -> Message:
    """Two pictures of one's own, painted."""
    await person.sends_photos(photo(seed, (200, 100)), painting(seed, (100, 130)))
    await person.presses("2")
    return await person.sees_result()


def pixels(person: Actor, message: Message) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(person.picture(message), dtype=np.float64)


async def test_stronger_and_weaker_differ_and_keep_the_result_above(ben: Actor) -> None:
    result = await first_result(ben)
    before = pixels(ben, result)
    await ben.presses("Weaker", on=result)
    weaker = await ben.sees_result()
    await ben.presses("Stronger", on=result)
    stronger = await ben.sees_result()
    assert len({result.id, weaker.id, stronger.id}) == 3
    assert (pixels(ben, result) == before).all()
    photo_itself = Image.open(io.BytesIO(photo(0, (200, 100)))).resize(ben.picture(result).size)
    distances = [
        np.abs(pixels(ben, each) - np.asarray(photo_itself, dtype=np.float64)).mean()
        for each in (weaker, stronger)
    ]
    assert distances[0] < distances[1]


async def test_the_photos_colours_can_be_kept_and_left_again(ben: Actor) -> None:
    result = await first_result(ben, 1)
    await ben.presses("Photo's colours", on=result)
    kept = await ben.sees_result()
    await ben.presses("More", on=kept)
    await ben.finds(kept, "Painting's colours")
    assert np.abs(pixels(ben, kept) - pixels(ben, result)).mean() > 1


async def test_faces_can_be_painted_like_the_rest_and_kept_again(ben: Actor) -> None:
    face = (Path(__file__).parents[2] / "styles" / "samples" / "face.jpg").read_bytes()
    await ben.sends_photos(face, painting(1, (100, 130)))
    await ben.presses("2")
    natural = await ben.sees_result()
    await ben.presses("Faces as painted", on=natural)
    painted = await ben.sees_result()
    await ben.presses("Natural faces", on=painted)
    again = await ben.sees_result()
    changed = np.abs(pixels(ben, painted) - pixels(ben, natural)).mean(2)
    face, below = changed[11:33, 33:51], changed[60:]
    assert face.mean() > 10 * below.mean()
    assert (pixels(ben, again) == pixels(ben, natural)).all()
    result = await first_result(ben, 3)
    await ben.presses("More", on=result)
    await ben.finds(result, "Less")
    assert not has_label(result, "aces")


@pytest.mark.parametrize("label", ["Larger brush", "Smaller brush"])
async def test_the_brush_can_be_changed(ben: Actor, label: str) -> None:
    result = await first_result(ben, 2)
    await ben.presses(label, on=result)
    other = await ben.sees_result()
    assert other.id != result.id


async def test_swap_paints_the_style_in_the_manner_of_the_photo(ben: Actor) -> None:
    result = await first_result(ben, 3)
    assert ben.picture(result).width > ben.picture(result).height
    await ben.presses("Swap", on=result)
    swapped = await ben.sees_result()
    assert ben.picture(swapped).width < ben.picture(swapped).height


async def test_another_style_for_the_same_photo(ben: Actor) -> None:
    result = await first_result(ben, 4)
    await ben.presses("Other style", on=result)
    await ben.presses(preset_names("en")[4])
    assert ben.picture(await ben.sees_result()).size == ben.picture(result).size


async def test_the_same_style_for_another_photo(ben: Actor) -> None:
    result = await first_result(ben, 5)
    await ben.presses("Other photo", on=result)
    await ben.sees("Send me a photo")
    await ben.sends_photo(photo(6, (90, 120)))
    assert ben.picture(await ben.sees_result()).size == (72, 96)


async def test_a_button_that_is_pressed_many_times_starts_one_job(ben: Actor) -> None:
    result = await first_result(ben, 7)
    queries = ben.hammers(result, "Stronger", times=4)
    await ben.until(lambda: all(query.answer for query in queries), awaited="four answers")
    await ben.sees_result()
    await ben.waits_until_idle()
    assert len([m for m in ben.received if is_result(m)]) == 2


async def test_hd_comes_as_a_file_and_looks_like_the_preview(
    harness: BotHarness, ben: Actor
) -> None:
    result = await first_result(ben, 8)
    await ben.presses("HD", on=result)
    hd = await ben.sees_result()
    assert "document" in hd.content
    large = ben.picture(hd)
    assert max(large.size) == 2048
    small = large.resize(ben.picture(result).size, Image.Resampling.LANCZOS)
    preview = pixels(ben, result)
    close = np.corrcoef(np.asarray(small, dtype=float).ravel(), preview.ravel())[0, 1]
    assert close > 0.6


async def test_a_photo_that_is_gone_is_said_so_kindly(harness: BotHarness, ben: Actor) -> None:
    result = await first_result(ben, 9)
    for kept in (harness.data / "originals" / str(ben.id)).iterdir():
        kept.unlink()
    query = await ben.presses("Stronger", on=result)
    assert query.answer
    assert "gone" in query.answer["text"]


async def test_albums_come_back_as_albums(ben: Actor) -> None:
    await ben.sends("/style")
    await ben.presses("Yes")
    await ben.presses(preset_names("en")[0])
    await ben.sees("send me a photo")
    shapes = [(120 + 12 * number, 96) for number in range(10)]
    await ben.sends_photos(*[photo(number, shape) for number, shape in enumerate(shapes)])
    await ben.until(lambda: len(album_of(ben)) == 10, within_s=120, awaited="an album of ten")
    ratios = [ben.picture(m).width / ben.picture(m).height for m in album_of(ben)]
    assert ratios == pytest.approx([width / height for width, height in shapes], abs=0.05)


def album_of(person: Actor) -> list[Message]:
    return [m for m in person.received if m.media_group_id is not None]


async def test_presets_can_be_mixed(ben: Actor) -> None:
    await ben.sends_photo(photo(10))
    await ben.sees("second one")
    await ben.presses("Choose a ready style")
    await ben.presses("Add another style")
    names = preset_names("en")[:2]
    for name in names:
        await ben.presses(name)
    await ben.presses("Paint")
    result = await ben.sees_result()
    assert all(name in result.text for name in names)


async def test_up_to_five_styles_of_ones_own_are_mixed(ben: Actor) -> None:
    await ben.sends_photos(photo(11), *[painting(seed) for seed in range(5)])
    await ben.sees("Which one shall I paint")
    await ben.presses("1")
    await ben.sees_result()


async def test_queue_is_empty_when_all_is_done(ben: Actor) -> None:
    await ben.sends("/queue")
    await ben.sees("Nothing of yours")


async def test_settings_change_in_place_and_count_for_the_next_picture(ben: Actor) -> None:
    await ben.sends("/settings")
    menu = await ben.sees("Your settings")
    await ben.presses("Result as", on=menu)
    await ben.presses("a file", on=menu)
    await ben.reads(menu, "Result as: a file")
    result = await first_result(ben, 12)
    assert "document" in result.content
    assert len([m for m in ben.received if "settings" in m.text]) == 1


async def test_the_language_can_be_chosen(anna: Actor) -> None:
    await anna.sends("/settings")
    await anna.presses("Язык")
    await anna.presses("English")
    await anna.sends("/help")
    await anna.sees("two ways")


async def test_in_a_group_only_what_is_addressed_to_the_bot_is_answered(
    harness: BotHarness,
) -> None:
    ben, eve = harness.group(harness.new_person("Ben"), harness.new_person("Eve"))
    await eve.sends("good morning everyone")
    await eve.sends("/style@another_bot")
    await eve.sends_photo(photo(13))
    shot = await ben.sends_photo(photo(14, (100, 60)))
    await ben.sends("/style", reply_to=shot)
    question = await ben.sees("ready styles")
    assert ben.received == [question]
    query = await eve.presses("Yes", on=question)
    assert query.answer
    assert "for the one who asked" in query.answer["text"]
    await ben.presses("Yes", on=question)
    await ben.presses(preset_names("en")[0])
    result = ben.picture(await ben.sees_result())
    assert result.width / result.height == pytest.approx(100 / 60, abs=0.05)


async def test_nothing_of_exif_is_sent_back(harness: BotHarness, ben: Actor) -> None:
    await ben.sends("/settings")
    await ben.presses("Result as")
    await ben.presses("a file")
    await ben.sends_files(sideways_jpeg(), painting(15))
    await ben.presses("2")
    result = ben.picture(await ben.sees_result())
    assert not result.getexif()
    assert not {"exif", "comment", "icc_profile"} & set(result.info)


async def test_what_is_made_of_a_picture_and_how_it_goes(stub_harness: BotHarness) -> None:
    ben = stub_harness.new_person()
    result = await first_result(ben, 16)
    await ben.presses("Film", on=result)
    await ben.presses("Before / after", on=result)

    def answers() -> list[Message]:
        return [m for m in ben.received if m.reply_to is result]

    await ben.until(lambda: len(answers()) == 2, awaited="the film and the comparison")
    assert {kind for m in answers() for kind in ("video", "photo") if kind in m.content} == {
        "video",
        "photo",
    }
    await ben.waits_until_idle()
    await ben.sends("/history")
    again = await ben.sees_result()
    await ben.presses("Delete", on=again)
    await ben.until(
        lambda: not any(m in ben.received for m in (result, again)), awaited="both messages to go"
    )
    assert not list((stub_harness.data / "originals" / str(ben.id)).glob("*"))
    await ben.sends("/history")
    await ben.sees("I keep no pictures")


async def test_a_draft_has_no_film(ben: Actor) -> None:
    result = await first_result(ben, 17)
    await ben.presses("More", on=result)
    await ben.finds(result, "Before / after")
    assert not has_label(result, "Film")
