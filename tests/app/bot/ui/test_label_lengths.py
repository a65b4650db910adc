"""Labels of buttons that share a row: clients cut what is wider than its share of a phone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiogram.types import InlineKeyboardMarkup

from app.bot.job_message.job_buttons import open_job_keyboard, result_keyboard
from app.bot.ui.i18n import languages, load_i18n
from app.bot.ui.keyboards import gallery_keyboard, see_data_keyboard, which_data_keyboard
from app.bot.ui.pages import page_of
from app.bot.ui.settings_menu import Field, choices_keyboard, overview_keyboard
from app.jobs.model import StyleChoice
from models.interface import StyleOptions
from styles.catalog import default_catalog
from tests.app.jobs.data_folder import make_job

PHONE = 46
"""In Latin letters; Chinese ones and emoji count twice."""


def keyboards(language: str) -> Iterator[InlineKeyboardMarkup]:
    job = make_job(1)
    swappable = (StyleChoice(Path("style.jpg")),)
    for keep in (True, False):
        options = StyleOptions(size_px=512, keep_colors=keep, keep_faces=keep)
        request = replace(job.request, options=options, styles=swappable)
        yield result_keyboard(
            [replace(job, request=request, faces=1, frames=9)], can_share=True, is_open=True
        )
    yield result_keyboard(
        [replace(job, request=replace(job.request, is_trial=True))], can_share=True
    )
    yield open_job_keyboard(1, stop=True)
    yield overview_keyboard(1)
    yield from (choices_keyboard(1, field) for field in Field)
    presets = page_of(default_catalog().presets(), 0)
    yield gallery_keyboard(presets, 1, language=language)
    yield see_data_keyboard(1)
    yield which_data_keyboard(1)


def width(label: str) -> int:
    visible = [letter for letter in label if unicodedata.category(letter) != "Mn"]
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in visible)


@pytest.mark.parametrize("language", languages())
def test_labels_that_share_a_row_are_seen_whole(language: str) -> None:
    i18n = load_i18n()
    with i18n.context(), i18n.use_locale(language):
        rows = [row for keyboard in keyboards(language) for row in keyboard.inline_keyboard]
    shared = [(button.text, PHONE // len(row)) for row in rows if len(row) > 1 for button in row]
    assert len(shared) > 40
    assert {label for label, share in shared if width(label) > share} == set()
