from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.bot.job_message.variations import BRUSHES, HD_SIZE_PX, Variation, possible_variations, vary
from app.jobs.model import Delivery, JobRequest, PrintSize, StyleChoice
from models.interface import MAX_BRUSH, MIN_BRUSH, StyleOptions

PHOTO, STYLE = Path("photo.jpg"), Path("style.jpg")


def request_of(**options: object) -> JobRequest:
    return JobRequest(
        origin="test",
        user_id=1,
        chat_id=1,
        language="en",
        content=PHOTO,
        styles=(StyleChoice(STYLE),),
        options=replace(StyleOptions(), **options),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("variation", [Variation.STRONGER, Variation.BROADER])
def test_pressing_on_ends_at_a_bound_where_the_button_goes(variation: Variation) -> None:
    request, seen = request_of(), []
    while (varied := vary(request, variation)) is not None:
        assert varied != request
        seen.append(varied)
        request = varied
    assert 1 < len(seen) < 10
    assert variation not in possible_variations(request, has_faces=True)


@pytest.mark.parametrize(
    ("there", "back"),
    [(Variation.STRONGER, Variation.WEAKER), (Variation.BROADER, Variation.FINER)],
)
def test_a_step_there_and_one_back_change_nothing(there: Variation, back: Variation) -> None:
    varied = vary(request_of(), there)
    assert varied is not None
    assert vary(varied, back) == request_of()


def test_a_brush_between_the_steps_finds_the_next_one() -> None:
    finer, broader = (
        vary(request_of(brush=1.2), each) for each in (Variation.FINER, Variation.BROADER)
    )
    assert finer is not None
    assert broader is not None
    assert (finer.options.brush, broader.options.brush) == (1.0, 1.4)
    assert (BRUSHES[0], BRUSHES[-1]) == (MIN_BRUSH, MAX_BRUSH)


def test_a_print_is_painted_like_hd_and_goes_as_a_file() -> None:
    a4 = vary(request_of(), Variation.PRINT_A4)
    assert a4 is not None
    assert (a4.print_size, a4.delivery) == (PrintSize.A4, Delivery.FILE)
    assert a4.options.size_px == HD_SIZE_PX
    assert vary(a4, Variation.PRINT_A4) is None
    a3 = vary(a4, Variation.PRINT_A3)
    assert a3 is not None
    assert (a3.print_size, a3.options) == (PrintSize.A3, a4.options)


def test_what_is_larger_than_hd_is_not_painted_smaller_for_print() -> None:
    a4 = vary(request_of(size_px=4096), Variation.PRINT_A4)
    assert a4 is not None
    assert a4.options.size_px == 4096


def test_colors_go_to_and_fro() -> None:
    kept = vary(request_of(), Variation.COLORS)
    assert kept is not None
    assert kept.options.keep_colors
    assert vary(kept, Variation.COLORS) == request_of()


def test_hd_is_the_same_but_larger_and_a_file() -> None:
    hd = vary(request_of(brush=0.7, strength=40), Variation.HD)
    assert hd is not None
    assert hd.options == replace(request_of(brush=0.7, strength=40).options, size_px=HD_SIZE_PX)
    assert hd.delivery is Delivery.FILE
    assert Variation.HD not in possible_variations(hd, has_faces=True)


def test_photo_and_own_style_change_places() -> None:
    swapped = vary(request_of(), Variation.SWAP)
    assert swapped is not None
    assert (swapped.content, swapped.styles) == (STYLE, (StyleChoice(PHOTO),))


@pytest.mark.parametrize(
    "styles", [(StyleChoice(STYLE, "wave"),), (StyleChoice(STYLE), StyleChoice(PHOTO))]
)
def test_a_preset_or_a_mixture_is_nobodys_photo(styles: tuple[StyleChoice, ...]) -> None:
    assert Variation.SWAP not in possible_variations(
        replace(request_of(), styles=styles), has_faces=True
    )
