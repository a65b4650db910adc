from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from app.jobs.model import Delivery, Job, PrintSize
from app.jobs.running import result_files
from app.jobs.running.result_files import save_result
from models.interface import Note
from tests.app.jobs.data_folder import make_job


def print_job(sheet: PrintSize = PrintSize.A4) -> Job:
    job = make_job(7)
    request = replace(job.request, print_size=sheet, delivery=Delivery.FILE)
    return replace(job, request=request)


def test_a_print_is_enlarged_and_says_so(tmp_path: Path) -> None:
    saved = save_result(Image.new("RGB", (400, 300), "teal"), print_job(), tmp_path)
    assert saved.notes == {Note.ENLARGED}
    with Image.open(saved.path) as printed:
        assert (printed.format, printed.size) == ("JPEG", (3307, 2480))


def test_what_is_larger_than_its_sheet_is_not_called_enlarged(tmp_path: Path) -> None:
    saved = save_result(Image.new("RGB", (4000, 3000), "teal"), print_job(), tmp_path)
    assert saved.notes == frozenset()


@pytest.mark.parametrize("error", [MemoryError(), OSError("no room in the encoder")])
def test_a_print_that_fails_keeps_the_painting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> bytes:
        raise error

    monkeypatch.setattr(result_files, "encode_for_print", fail)
    saved = save_result(Image.new("RGB", (400, 300), "teal"), print_job(), tmp_path)
    assert saved.notes == {Note.NOT_FOR_PRINT}
    with Image.open(saved.path) as painting:
        assert (painting.format, painting.size) == ("PNG", (400, 300))


def test_a_print_that_telegram_would_not_take_keeps_the_painting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_files, "MAX_FILE_BYTES", 10_000)
    saved = save_result(Image.new("RGB", (400, 300), "teal"), print_job(), tmp_path)
    assert saved.notes == {Note.NOT_FOR_PRINT}
    assert saved.path.stat().st_size < 10_000
