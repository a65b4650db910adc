"""The bot's VGG16 in Ray's object store, from where each machine takes it once."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.remote.messages import SentWeights
from models.weights_cache import WeightsError, read_vgg16

_log = logging.getLogger(__name__)


def _put(weights: SentWeights) -> Any:
    import ray

    return ray.put(weights)


class Vgg16:
    """Put there when it is first asked for, and never again."""

    def __init__(self, cache_dir: Path, *, put: Callable[[SentWeights], Any] = _put) -> None:
        self._cache_dir = cache_dir
        self._put = put
        self._lock = threading.Lock()
        self._reference: Any = None

    def reference(self) -> Any:
        """What Ray hands out for it; None where the bot's machine can't have it itself.

        Where it isn't in the bot's cache it is downloaded there: once, and not by each machine.
        """
        with self._lock:
            if self._reference is None:
                try:
                    content = self._content()
                except WeightsError as error:
                    _log.warning("the machines have to see to VGG16 themselves: %s", error)
                    return None
                sha256 = hashlib.sha256(content).hexdigest()
                self._reference = self._put(SentWeights(content, sha256))
            return self._reference

    def _content(self) -> bytes:
        try:
            return read_vgg16(self._cache_dir)
        except WeightsError:
            # Here and not above: it imports torch, which this process can do without.
            from models.weight_files import fetch_vgg16

            fetch_vgg16(self._cache_dir)
            return read_vgg16(self._cache_dir)
