"""Which engine a command paints with."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from app.settings import Settings

if TYPE_CHECKING:
    from models.engine.stylizer import TorchStylizer


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Declare `--encoder` and `--device`; without them the settings count."""
    parser.add_argument("--encoder", choices=["auto", "vgg16", "slim"])
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"])


def load_engine(args: argparse.Namespace, settings: Settings) -> TorchStylizer:
    """Load the networks. Raises EngineError."""
    # Here and not above: torch takes seconds to import, and `--help` does not need it.
    from models.engine.loading import load_stylizer

    return load_stylizer(
        encoder=getattr(args, "encoder", None) or settings.encoder,
        device=getattr(args, "device", None) or settings.device,
        cache_dir=settings.cache_dir,
    )
