"""An encoder in half precision, or replayed as CUDA graphs, or both."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

from models.devices.precision import half_precision
from models.devices.torch_errors import is_device_lost, is_out_of_memory
from models.encoders import Encoder
from models.lru_cache import LruCache

_log = logging.getLogger(__name__)

Maps = tuple[Tensor, ...]
Graphed = Callable[[Tensor], Maps]
Record = Callable[[Graphed, Tensor], Graphed]
"""From a function and an image of the shape it will be called with to what replays it."""

MOST_GRAPHS = 24
"""A painting of one size has about ten: one for each scale, tile's shape and set of layers."""


class FastEncoder(Encoder):
    """The same layers of the same encoder, in half precision if so made.

    Used in one thread at a time. With `graphs` the activations of an image with a gradient are
    buffers that the next such call writes over: take the gradient before.
    """

    def __init__(
        self, encoder: Encoder, *, half: bool, graphs: bool, record: Record | None = None
    ) -> None:
        """`record` stands in for CUDA's where there is none."""
        nn.Module.__init__(self)
        self.stack = encoder.stack
        self._encoder = encoder
        self._half = half
        self._record = (record or _Recorder()) if graphs else None
        self._graphs: LruCache[tuple[torch.Size, tuple[str, ...]], Graphed] = LruCache(MOST_GRAPHS)
        self.eval()

    def forward(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """See `Encoder.forward`."""
        names = tuple(sorted(set(layers)))
        if self._record is None or not (torch.is_grad_enabled() and image.requires_grad):
            return self._encoded(image, names)
        graph = self._graphs.get((image.shape, names)) or self._recorded(image, names)
        if graph is None:
            return self._encoded(image, names)
        return dict(zip(names, graph(image), strict=True))

    def _encoded(self, image: Tensor, names: tuple[str, ...]) -> dict[str, Tensor]:
        # Uncached: what is kept would be what a graph has recorded.
        with half_precision(image.device, enabled=self._half, cached=False):
            found: dict[str, Tensor] = self._encoder(image, names)
        return found

    def _recorded(self, image: Tensor, names: tuple[str, ...]) -> Graphed | None:
        """None where recording does not work: from then on nothing is recorded."""

        def encode(pixels: Tensor) -> Maps:
            found = self._encoded(pixels, names)
            return tuple(found[name] for name in names)

        assert self._record is not None  # noqa: S101 - asked by `forward`
        try:
            graph = self._record(encode, image)
        except RuntimeError as error:
            if is_out_of_memory(error) or is_device_lost(error):
                raise
            _log.warning("painting without CUDA graphs: %s", error)
            self._record = None
            return None
        self._graphs.keep((image.shape, names), graph)
        return graph


class _Recorder:
    """CUDA's: all graphs share their memory, because none is replayed within another."""

    def __init__(self) -> None:
        self._pool: Any = None

    def __call__(self, function: Graphed, image: Tensor) -> Graphed:
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        sample = torch.zeros_like(image, memory_format=torch.contiguous_format).requires_grad_()
        graph = torch.cuda.make_graphed_callables(function, (sample,), pool=self._pool)
        return cast("Graphed", graph)
