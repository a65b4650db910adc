"""Decoder processes: what they make ready, and what becomes of them when a file is their end."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from app.decoding import process as process_module
from app.decoding.pool import DecoderPool
from models.pictures.problems import PictureError, PictureProblem
from tests.app.decoding.decoders import LINUX_ONLY, decoders_of, first_decoder_of, hang
from tests.e2e.pictures import encoded, hills, photo
from tests.patience import PATIENCE_S

ANNA, BEN = 1, 2


@asynccontextmanager
async def open_pool(
    *, time_limit_s: float = 60.0, cpu_limit_s: int = 30
) -> AsyncIterator[DecoderPool]:
    pool = DecoderPool(at_once=2, time_limit_s=time_limit_s, cpu_limit_s=cpu_limit_s)
    try:
        yield pool
    finally:
        await pool.close()
    assert not children()


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[DecoderPool]:
    async with open_pool() as pool:
        yield pool


def children() -> list[int]:
    return decoders_of(os.getpid())


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def prepare(pool: DecoderPool, folder: Path, data: bytes, user_id: int = ANNA) -> Path:
    source, target = folder / f"{user_id}.received", folder / f"{user_id}.prepared"
    source.write_bytes(data)
    await pool.prepare(source, target, long_side_px=128, user_id=user_id)
    return target


async def problem_of(pool: DecoderPool, folder: Path, data: bytes) -> PictureProblem:
    with pytest.raises(PictureError) as refusal:
        await prepare(pool, folder, data)
    return refusal.value.problem


async def test_a_picture_is_made_ready_and_the_process_serves_again(
    pool: DecoderPool, tmp_path: Path
) -> None:
    for kind, form in (("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "JPEG"), ("TIFF", "PNG")):
        target = await prepare(pool, tmp_path, encoded(hills(1), kind))
        with Image.open(target) as image:
            assert (image.format, image.mode, image.size) == (form, "RGB", (128, 96))
    assert len(children()) == 1


async def test_a_bad_file_is_one_sentence_and_the_process_lives_on(
    pool: DecoderPool, tmp_path: Path
) -> None:
    assert await problem_of(pool, tmp_path, b"no picture") is PictureProblem.NOT_A_PICTURE
    assert await problem_of(pool, tmp_path, photo(1)[:-400]) is PictureProblem.DAMAGED
    assert len(children()) == 1


@LINUX_ONLY
async def test_a_decoder_that_takes_too_long_is_killed_and_replaced(tmp_path: Path) -> None:
    async with open_pool(time_limit_s=6.0) as pool:
        await prepare(pool, tmp_path, photo(1))
        await hang(hung := await first_decoder_of(os.getpid()))
        assert await problem_of(pool, tmp_path, photo(1)) is PictureProblem.TOO_MUCH_WORK
        assert hung not in children()
        assert (await prepare(pool, tmp_path, photo(1))).exists()


@LINUX_ONLY
async def test_a_file_that_keeps_the_processor_busy_is_given_up(tmp_path: Path) -> None:
    """Whatever the format: this PNG of 140 kB takes seconds of a processor."""
    busy = encoded(Image.new("RGBA", (6000, 6000)), "PNG")
    async with open_pool(cpu_limit_s=0) as pool:  # to the end of the second that has begun
        assert await problem_of(pool, tmp_path, busy) is PictureProblem.TOO_MUCH_WORK
    async with open_pool() as pool:
        assert (await prepare(pool, tmp_path, busy)).exists()


@LINUX_ONLY
async def test_a_decoder_that_crashes_is_the_sender_s_sentence_and_nobody_else_s(
    pool: DecoderPool, tmp_path: Path
) -> None:
    await prepare(pool, tmp_path, photo(1))
    await hang(doomed := await first_decoder_of(os.getpid()))
    refused = asyncio.create_task(problem_of(pool, tmp_path, photo(1)))
    await asyncio.sleep(0.05)  # it takes the stopped one, the only one there is
    assert (await prepare(pool, tmp_path, photo(2), BEN)).exists(), "others wait for nobody"
    os.kill(doomed, signal.SIGSEGV)
    os.kill(doomed, signal.SIGCONT)
    assert await refused is PictureProblem.DAMAGED
    assert (await prepare(pool, tmp_path, photo(1))).exists()


@LINUX_ONLY
async def test_nobody_waits_for_a_decoder_when_the_bot_ends(tmp_path: Path) -> None:
    async with open_pool() as pool:
        await prepare(pool, tmp_path, photo(1))
        await hang(await first_decoder_of(os.getpid()))
        waiting = asyncio.create_task(prepare(pool, tmp_path, photo(1)))
        await asyncio.sleep(0.05)
        waiting.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(waiting, return_exceptions=True)
        assert not children()


@LINUX_ONLY
async def test_a_decoder_sees_no_secret_and_ignores_a_supervisor_s_signal(
    pool: DecoderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_TOKEN", "42:secret")
    await prepare(pool, tmp_path, photo(1))
    child = await first_decoder_of(os.getpid())
    assert b"secret" not in environment_of(child)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(child, number)
    assert (await prepare(pool, tmp_path, photo(1))).exists()
    assert children() == [child]


@LINUX_ONLY
async def test_a_decoder_ends_with_its_parent(tmp_path: Path) -> None:
    decoder = await process_module.DecoderProcess.start()
    stdin = decoder._process.stdin
    assert stdin is not None
    stdin.close()
    async with asyncio.timeout(PATIENCE_S):
        assert await decoder._process.wait() == 0


@LINUX_ONLY
async def test_memory_is_bounded(tmp_path: Path) -> None:
    """A file that needs more than its header promised is refused by the kernel."""
    decoder = await process_module.DecoderProcess.start()
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(Image.new("RGB", (7000, 7000)), "PNG"))
    request = {
        "source": str(path),
        "target": str(tmp_path / "out"),
        "long_side_px": 4096,
        "memory_bytes": 50_000_000,
        "cpu_s": 30,
    }
    try:
        answer = await decoder.ask(request, time_limit_s=60)
    finally:
        await decoder.kill()
    assert answer["problem"] == PictureProblem.TOO_MUCH_WORK


async def test_nothing_but_the_picture_is_left_of_a_stranger_s_bytes(
    pool: DecoderPool, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    target = await prepare(pool, tmp_path, encoded(hills(1), "JPEG", exif=exif, comment=b"secret"))
    assert b"secret" not in target.read_bytes()
    with Image.open(io.BytesIO(target.read_bytes())) as kept:
        assert not kept.getexif()


async def test_a_picture_that_can_t_be_written_is_no_fault_of_the_sender_s(
    pool: DecoderPool, tmp_path: Path
) -> None:
    (source := tmp_path / "photo.jpg").write_bytes(photo(1))
    with pytest.raises(OSError, match="could not be written"):
        await pool.prepare(source, tmp_path / "gone" / "x", long_side_px=64, user_id=ANNA)
