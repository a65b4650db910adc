from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from app.jobs.model import Delivery, Job, PrintSize
from app.jobs.running import result_files
from app.jobs.running.result_files import SavedResult, save_result
from models.interface import Note
from tests.app.jobs.data_folder import make_job

MAX_BYTES = 45_000_000


def print_job(sheet: PrintSize = PrintSize.A4) -> Job:
    job = make_job(7)
    request = replace(job.request, print_size=sheet, delivery=Delivery.FILE)
    return replace(job, request=request)


def save(size: tuple[int, int], folder: Path, *, max_bytes: int = MAX_BYTES) -> SavedResult:
    return save_result(Image.new("RGB", size, "teal"), print_job(), folder, max_bytes=max_bytes)


def test_a_print_is_enlarged_and_says_so(tmp_path: Path) -> None:
    saved = save((400, 300), tmp_path)
    assert saved.notes == {Note.ENLARGED}
    with Image.open(saved.path) as printed:
        assert (printed.format, printed.size) == ("JPEG", (3307, 2480))


def test_what_is_larger_than_its_sheet_is_not_called_enlarged(tmp_path: Path) -> None:
    saved = save((4000, 3000), tmp_path)
    assert saved.notes == frozenset()


@pytest.mark.parametrize("error", [MemoryError(), OSError("no room in the encoder")])
def test_a_print_that_fails_keeps_the_painting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> bytes:
        raise error

    monkeypatch.setattr(result_files, "encode_for_print", fail)
    saved = save((400, 300), tmp_path)
    assert saved.notes == {Note.NOT_FOR_PRINT}
    with Image.open(saved.path) as painting:
        assert (painting.format, painting.size) == ("PNG", (400, 300))


def test_a_print_that_telegram_would_not_take_keeps_the_painting(tmp_path: Path) -> None:
    saved = save((400, 300), tmp_path, max_bytes=10_000)
    assert saved.notes == {Note.NOT_FOR_PRINT}
    assert saved.path.stat().st_size < 10_000
