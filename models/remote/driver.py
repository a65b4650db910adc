"""`python -m models.remote.driver`: a process that is a part of the Ray cluster, for the bot.

Its one argument is the number of the socket to the bot (`link`). It ends with the bot, and by
Ray's doing when the cluster goes; its actors end with it.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from models.interface import DeviceAwayError, EngineError
from models.remote.cluster import Cluster
from models.remote.messages import ClusterOrder, Ended, Look, PaintClip, PaintPicture, Stop


def main() -> None:
    """Serve until the bot is gone."""
    # A supervisor, or Ctrl+C, signals the whole group; this one ends when its parent does, which
    # has painting to end before.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection = Connection(int(sys.argv[1]))
    try:
        _, order = connection.recv()
        _Server(connection, order).serve()
    except (EOFError, OSError):
        pass
    # At once: the raylet sees that it is gone, and ends the actors.
    os._exit(0)


class _Server:
    def __init__(self, connection: Connection, order: ClusterOrder) -> None:
        self._connection = connection
        self._cluster = Cluster(order)
        self._sending = threading.Lock()

    def serve(self) -> None:
        """Raises EOFError once the bot is gone."""
        while True:
            number, order = self._connection.recv()
            if isinstance(order, Stop):
                self._stop(number, order)
            else:
                threading.Thread(target=self._answer, args=(number, order), daemon=True).start()

    def _stop(self, number: int, order: Stop) -> None:
        try:
            self._cluster.actor(order.engine).stop(number, cancel=order.cancel)
        except Exception:  # whoever waits for that picture hears why it doesn't come
            return

    def _answer(self, number: int, order: Look | PaintPicture | PaintClip) -> None:
        try:
            for answer in self._answers(number, order):
                self._send(number, answer)
        except Exception as error:
            self._send(number, Ended(_as_it_arrives(error)))
        else:
            self._send(number, Ended())

    def _answers(self, number: int, order: Look | PaintPicture | PaintClip) -> Iterator[Any]:
        if isinstance(order, Look):
            yield self._cluster.look(order.ended)
            return
        try:
            actor = self._cluster.actor(order.engine)
        except LookupError:
            raise DeviceAwayError(f"{order.engine} is gone") from None
        if isinstance(order, PaintClip):
            yield from actor.paint_clip(number, order)
        else:
            yield from actor.paint(number, order)

    def _send(self, number: int, answer: Any) -> None:
        with self._sending:
            self._connection.send((number, answer))


def _as_it_arrives(error: Exception) -> Exception:
    """The error, or one that says the same, where another process could not unpickle it."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:
        return EngineError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    main()
