"""A painter that some pictures are too much for, in an actor: `python -m tests.troubled_painter`
stands in for `models.remote.driver`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from models.remote import actors
from models.remote.driver import main
from models.remote.messages import Answer, PictureOrder
from models.remote.painter import RemotePainter

HUNGRY_PX = 200
"""Of this size take ever more memory, until the process is killed."""
SILENT_PX = 201
"""Of this size are never done. All others are painted as ever."""
MOST_MB = 7_000
"""Should nobody kill it."""


class TroubledPainter(RemotePainter):
    def paint(self, order: PictureOrder) -> Iterator[Answer]:
        answers = super().paint(order)
        yield next(answers)
        if order.options.size_px == HUNGRY_PX:
            eaten: list[bytearray] = []
            while len(eaten) < MOST_MB // 100:
                eaten.append(bytearray(b"x") * 100_000_000)
                time.sleep(0.05)
        while order.options.size_px == SILENT_PX:
            time.sleep(1)
        yield from answers


if __name__ == "__main__":
    setattr(actors, "RemotePainter", TroubledPainter)  # noqa: B010 - mypy knows it as imported
    main()
