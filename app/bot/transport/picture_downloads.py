"""Pictures and clips that people send: fetched within bounds, made ready, kept durably.

Nothing of a name that a person chose gets near a path. Of a picture nothing of the bytes that they
sent is kept: a decoder process writes it anew, in the largest size that anything is painted in. A
clip is looked at, and kept as it came; only processes that may be killed ever decode it.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import shutil
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import aiofiles
import aiohttp
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest

from app.bot.transport.sent_files import Sent, kind_said, seconds_said
from app.decoding.clips import ClipProber
from app.decoding.pool import DecoderPool
from app.jobs.model import Clip
from app.storage.disk_room import DiskRoom, NoRoomError, Reservation
from app.storage.folders import flush_folder
from models.clips.interface import ClipError, ClipKind, ClipLimits, ClipProblem, check_clip
from models.files import flushed
from models.interface import MAX_SIZE_PX
from models.pictures.problems import PictureError, PictureProblem

logger = logging.getLogger(__name__)

MAX_BYTES: Final = 20 * 1024 * 1024
"""What Telegram lets a bot fetch; held against the bytes that come, not against what is said."""
LOCAL_MAX_BYTES: Final = 200 * 1024 * 1024
"""By a Bot API server of one's own, which gives up to 2 GB: no picture that can be decoded here is
larger."""
_CHUNK_BYTES: Final = 256 * 1024
_MAX_PREPARED_BYTES: Final = 3 * MAX_SIZE_PX**2
_WORTH_ANOTHER_TRY = (
    aiohttp.ClientError,
    TimeoutError,
    AiogramError,
    ConnectionError,
    FileNotFoundError,
    PermissionError,
)
"""The last two where a server's folder can't be read. A full disk is something else."""
TOTAL_TIMEOUT_S: Final = 60
STALL_TIMEOUT_S: Final = 10.0
TRIES: Final = 2
RETRY_PAUSE_S: Final = 1.0
"""What has just broken is likely to break again at once."""
AT_ONCE: Final = 8
_GROWS_BY_BYTES: Final = 1024 * 1024
"""More room for a file that is larger than Telegram said."""
MIN_FREE_BYTES: Final = 200_000_000
"""The databases must never meet a full disk."""

CLIP_SUFFIX: Final = ".clip"
"""Whatever the container: it is known by its bytes."""
UNFINISHED: Final = ("received", "prepared")
"""What the names of files end in that are on their way to be a picture."""

T = TypeVar("T")


class DownloadProblem(enum.StrEnum):
    """Why a file did not come over."""

    TOO_LARGE = "too_large"
    FAILED = "failed"
    NO_ROOM = "no_room"
    """On the bot's own disk, or in the person's share of it."""


class DownloadError(Exception):
    """A file that could not be fetched; never carries an address, for it holds the token."""

    def __init__(self, problem: DownloadProblem, *, max_bytes: int = MAX_BYTES) -> None:
        super().__init__(f"download: {problem.value}")
        self.problem = problem
        self.max_bytes = max_bytes
        """What may be fetched."""


_SAID_IN_WHOLE_S: Final = 1.0
"""Telegram rounds."""
_MOVES: Final = {
    PictureProblem.VIDEO: ClipKind.VIDEO,
    PictureProblem.ANIMATED: ClipKind.ANIMATION,
}
"""What a file that was taken for a picture may turn out to be."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A picture or clip that is on the disk."""

    path: Path
    clip: Clip | None = None
    """What it is if it moves."""


class PictureDownloads:
    """Fetches pictures and clips into one folder per person."""

    def __init__(
        self,
        bot: Bot,
        folder: Path,
        *,
        decoders: DecoderPool,
        room: DiskRoom,
        prober: ClipProber | None = None,
        clip_limits: ClipLimits | None = None,
        max_mb_per_person: int = 500,
        total_timeout_s: int = TOTAL_TIMEOUT_S,
        stall_timeout_s: float = STALL_TIMEOUT_S,
    ) -> None:
        self._bot = bot
        self._folder = folder
        self._room = room
        self._max_bytes_per_person = max_mb_per_person * 1_000_000
        self._total_timeout_s = total_timeout_s
        self._stall_timeout_s = stall_timeout_s
        self._fetching = asyncio.Semaphore(AT_ONCE)
        self._decoders = decoders
        self._prober = prober or ClipProber()
        self._clip_limits = clip_limits or ClipLimits()
        self._coming: Counter[int] = Counter()
        """Bytes on their way, by person."""
        self._in_threads: dict[int, set[asyncio.Future[Any]]] = {}

    async def keep(
        self, sent: Sent, user_id: int, *, name: str | None = None, may_move: bool = True
    ) -> KeptFile:
        """Fetch a picture or clip and make it ready; it is on the disk when this returns.

        `name` is what its file is to be called, without a suffix; a random one if not given. A clip
        is a picture that can't be used unless it `may_move`, and where the owner wants none.
        Raises DownloadError, PictureError and `models.clips.interface.ClipError`; then nothing is
        left behind.
        """
        kind, may_move = kind_said(sent), may_move and self._clip_limits.seconds > 0
        if kind is not None:
            self._check_said(sent, kind, may_move=may_move)
        if (sent.file_size or 0) > self._max_bytes:
            raise DownloadError(DownloadProblem.TOO_LARGE, max_bytes=self._max_bytes)
        base = self._folder / str(user_id) / (name or uuid.uuid4().hex)
        try:
            async with self._room.reserve(sent.file_size or self._max_bytes) as reservation:
                return await self._keep_as(base, sent, reservation, user_id, may_move=may_move)
        except NoRoomError:
            raise DownloadError(DownloadProblem.NO_ROOM) from None

    def _check_said(self, sent: Sent, kind: ClipKind, *, may_move: bool) -> None:
        """Refuse at once what Telegram says is none that can be used."""
        if not may_move:
            is_animation = kind is ClipKind.ANIMATION
            raise PictureError(PictureProblem.ANIMATED if is_animation else PictureProblem.VIDEO)
        if seconds_said(sent) > self._clip_limits.seconds + _SAID_IN_WHOLE_S:
            raise ClipError(ClipProblem.TOO_LONG, limit=self._clip_limits.seconds)

    async def _keep_as(
        self, base: Path, sent: Sent, reservation: Reservation, user_id: int, *, may_move: bool
    ) -> KeptFile:
        """Raises NoRoomError too."""
        received, prepared = (base.with_name(f"{base.name}.{end}") for end in UNFINISHED)
        try:
            await self._receive(sent.file_id, received, reservation, user_id)
            received_bytes = await self._in_thread(user_id, partial(_size, received))
            kind = kind_said(sent)
            if kind is None:
                # Both lie there for a moment.
                needed_bytes = received_bytes + prepared_at_most(received_bytes)
                await self._room.grow(reservation, needed_bytes)
                try:
                    return await self._prepare(received, prepared, base, reservation, user_id)
                except PictureError as error:
                    if not may_move or (kind := _MOVES.get(error.problem)) is None:
                        raise
            facts = await self._prober.look(received, user_id=user_id)
            check_clip(facts, kind, self._clip_limits)
            path = base.with_name(base.name + CLIP_SUFFIX)
            await self._in_thread(user_id, partial(_keep, received, path))
            reservation.kept_bytes = received_bytes
            return KeptFile(path, Clip.of(facts, kind, self._clip_limits))
        finally:
            await self._in_thread(user_id, partial(_delete, received, prepared))

    async def _prepare(
        self, received: Path, prepared: Path, base: Path, reservation: Reservation, user_id: int
    ) -> KeptFile:
        facts = await self._decoders.prepare(
            received, prepared, long_side_px=MAX_SIZE_PX, user_id=user_id
        )
        prepared_bytes = await self._in_thread(user_id, partial(_size, prepared))
        path = base.with_name(base.name + (".png" if facts.is_lossless else ".jpg"))
        await self._in_thread(user_id, partial(_keep, prepared, path))
        reservation.kept_bytes = prepared_bytes
        return KeptFile(path)

    async def forget(self, user_id: int) -> None:
        """Delete every picture that a person ever sent and that is still here.

        Comes when nothing of theirs is being fetched any more. Raises OSError for what can't be
        deleted.
        """
        # Whoever called for these was cut short; threads are not.
        if threads := self._in_threads.get(user_id):
            await asyncio.wait(threads)
        folder = self._folder / str(user_id)
        await asyncio.to_thread(_delete_folder, folder)

    async def _in_thread(self, user_id: int, work: Callable[[], T]) -> T:
        """Blocking work for a person that `forget` waits for, also if its caller does not."""
        threads = self._in_threads.setdefault(user_id, set())
        thread = asyncio.ensure_future(asyncio.to_thread(work))
        threads.add(thread)
        try:
            return await asyncio.shield(thread)
        finally:
            if thread.done():
                self._left_thread(user_id, thread)
            else:
                thread.add_done_callback(partial(self._left_thread, user_id))

    def _left_thread(self, user_id: int, thread: asyncio.Future[Any]) -> None:
        threads = self._in_threads.get(user_id, set())
        threads.discard(thread)
        if not threads:
            self._in_threads.pop(user_id, None)
        if not thread.cancelled():
            thread.exception()  # somebody has looked at it: nobody else may be there any more

    async def _receive(
        self, file_id: str, path: Path, reservation: Reservation, user_id: int
    ) -> None:
        # Nothing at all is begun for more than so many: a thousand small calls for the threads
        # would delay everybody else's.
        async with self._fetching:
            if not await self._in_thread(user_id, partial(self._make_room, path.parent, user_id)):
                raise DownloadError(DownloadProblem.NO_ROOM)
            said_bytes = reservation.size_bytes
            self._coming[user_id] += said_bytes
            try:
                await self._fetch(file_id, path, reservation)
            finally:
                self._coming[user_id] -= said_bytes
                self._coming += Counter()  # whoever has nothing coming is not remembered

    def _make_room(self, folder: Path, user_id: int) -> bool:
        """Blocking: the folder is there and may grow."""
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flush_folder(folder.parent)  # or a power cut takes the folder with all that is in it
        used = sum(_size(path) for path in folder.iterdir())
        is_low = shutil.disk_usage(folder).free < MIN_FREE_BYTES
        used += self._coming[user_id]
        return used < self._max_bytes_per_person and not is_low

    async def _fetch(self, file_id: str, path: Path, reservation: Reservation) -> None:
        for tries_left in reversed(range(TRIES)):
            try:
                return await self._fetch_once(file_id, path, reservation)
            except _WORTH_ANOTHER_TRY as error:
                if isinstance(error, TelegramBadRequest) and "too big" in error.message:
                    raise DownloadError(
                        DownloadProblem.TOO_LARGE, max_bytes=self._max_bytes
                    ) from None
                # The error's own text stays out of the log: it may hold an address with the token.
                logger.warning("download failed", extra={"error": type(error).__name__})
                if not tries_left:
                    raise DownloadError(DownloadProblem.FAILED) from None
                await asyncio.sleep(RETRY_PAUSE_S)
        raise AssertionError("the last try returns or raises")

    async def _fetch_once(self, file_id: str, path: Path, reservation: Reservation) -> None:
        file = await self._bot.get_file(file_id)
        if file.file_path is None:
            raise DownloadError(DownloadProblem.TOO_LARGE, max_bytes=self._max_bytes)
        stream = self._stream(file.file_path)
        received = 0
        async with contextlib.aclosing(stream), aiofiles.open(path, "wb") as target:
            async for chunk in self._without_stalls(stream):
                received += len(chunk)
                if received > self._max_bytes:
                    raise DownloadError(DownloadProblem.TOO_LARGE, max_bytes=self._max_bytes)
                if received > reservation.size_bytes:
                    await self._room.grow(
                        reservation, min(self._max_bytes, received + _GROWS_BY_BYTES)
                    )
                await target.write(chunk)

    def _stream(self, file_path: str) -> AsyncGenerator[bytes, None]:
        api = self._bot.session.api
        if api.is_local:
            return _read(Path(api.wrap_local_file.to_local(file_path)))
        url = api.file_url(self._bot.token, file_path)
        return self._bot.session.stream_content(url, timeout=self._total_timeout_s)

    @property
    def _max_bytes(self) -> int:
        return LOCAL_MAX_BYTES if self._bot.session.api.is_local else MAX_BYTES

    async def _without_stalls(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(self._stall_timeout_s):
                    chunk = await anext(stream)
            except StopAsyncIteration:
                return
            yield chunk


def prepared_at_most(received_bytes: int) -> int:
    """What a picture takes once it is made ready: a grey one has three channels then, and a JPEG
    is written at a quality that loses nothing.
    """
    return min(_MAX_PREPARED_BYTES, max(1_000_000, 4 * received_bytes))


async def _read(file: Path) -> AsyncGenerator[bytes, None]:
    """A file in the folder of a Bot API server of one's own."""
    async with aiofiles.open(file, "rb") as source:
        while chunk := await source.read(_CHUNK_BYTES):
            yield chunk


def _delete_folder(folder: Path) -> None:
    """Blocking. Raises OSError."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
    flush_folder(folder.parent)


def _size(path: Path) -> int:
    """Blocking: its bytes; none of one that has just got another name, or is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _keep(prepared: Path, path: Path) -> Path:
    """Blocking: give a picture its name once it is on the disk."""
    flushed(prepared)
    prepared.replace(path)
    flush_folder(path.parent)
    return path


def _delete(*paths: Path) -> None:
    """Blocking."""
    for path in paths:
        path.unlink(missing_ok=True)
