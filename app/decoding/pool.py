"""Pictures made ready for painting in processes that may be killed, whatever file it was."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

from app.decoding.process import DecoderCrashed, DecoderProcess, DecoderTooBusy, Json
from app.decoding.queue import DecodingQueue
from models.pictures.headers import MAX_DECODE_BYTES, PictureFacts
from models.pictures.problems import PictureError, PictureProblem

logger = logging.getLogger(__name__)

AT_ONCE: Final = 3
MEMORY_BYTES: Final = MAX_DECODE_BYTES + 150_000_000
"""Of all that is decoded at once: a few ordinary photos, or one of the largest."""
CPU_LIMIT_S: Final = 15
"""Of a processor's time: the largest pictures that are taken need five."""
TIME_LIMIT_S: Final = 45.0
"""By the clock, while others have the processor."""
_INSPECTION_BYTES: Final = 30_000_000
_ROOM_BYTES: Final = 400_000_000
"""Of addresses, on top of what is really used: libraries reserve more than they write to."""


class DecoderPool:
    """A few processes, started when they are needed; one that is killed is replaced."""

    def __init__(
        self,
        *,
        at_once: int = AT_ONCE,
        memory_bytes: int = MEMORY_BYTES,
        time_limit_s: float = TIME_LIMIT_S,
        cpu_limit_s: int = CPU_LIMIT_S,
    ) -> None:
        self._queue = DecodingQueue(at_once=at_once, memory_bytes=memory_bytes)
        self._time_limit_s = time_limit_s
        self._cpu_limit_s = cpu_limit_s
        self._idle: list[DecoderProcess] = []
        self._busy: set[DecoderProcess] = set()

    async def prepare(
        self, source: Path, target: Path, *, long_side_px: int, user_id: int
    ) -> PictureFacts:
        """`reading.prepare_picture` for this person, and what the file's header said.

        Raises PictureError, also for what takes too long or takes the decoder down, and OSError.
        """
        async with self._queue.turn(user_id, _INSPECTION_BYTES):
            looked_at = await self._ask(_request(source, None, long_side_px, _ROOM_BYTES))
        facts = PictureFacts(**looked_at)
        async with self._queue.turn(user_id, facts.work_bytes):
            memory_bytes = facts.work_bytes + _ROOM_BYTES
            await self._ask(_request(source, target, long_side_px, memory_bytes))
        return facts

    async def close(self) -> None:
        """Kill them all."""
        doomed = [*self._idle, *self._busy]
        self._idle.clear()
        await asyncio.gather(*(decoder.kill() for decoder in doomed))

    async def _ask(self, request: Json) -> Json:
        """What a decoder answers; raises PictureError for what it complains about."""
        decoder = self._idle.pop() if self._idle else await DecoderProcess.start()
        self._busy.add(decoder)
        is_well = False
        try:
            request |= {"cpu_s": self._cpu_limit_s}
            answer = await decoder.ask(request, time_limit_s=self._time_limit_s)
            is_well = True
        except (TimeoutError, DecoderTooBusy):
            logger.warning("a picture took too long to decode")
            raise PictureError(PictureProblem.TOO_MUCH_WORK) from None
        except DecoderCrashed:
            logger.warning("a picture took a decoder down")
            raise PictureError(PictureProblem.DAMAGED) from None
        finally:
            if is_well:
                self._idle.append(decoder)
            else:
                await decoder.kill()
            self._busy.discard(decoder)
        return _without_problem(answer)


def _request(source: Path, target: Path | None, long_side_px: int, memory_bytes: int) -> Json:
    """To look at a header, or to make a picture ready; with paths for a decoder elsewhere."""
    return {
        "source": str(source.absolute()),
        "target": target and str(target.absolute()),
        "long_side_px": long_side_px,
        "memory_bytes": memory_bytes,
    }


def _without_problem(answer: Json) -> Json:
    if "not_written" in answer:
        raise OSError(f"a picture could not be written: {answer['not_written']}")
    if "problem" not in answer:
        return answer
    if "error" in answer:
        logger.warning("a picture can't be decoded", extra={"error": answer["error"]})
    problem = PictureProblem(answer["problem"])
    if "max_pixels" in answer:
        raise PictureError(problem, max_pixels=answer["max_pixels"])
    raise PictureError(problem)
