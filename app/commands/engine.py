"""`--encoder` and `--device`, for the commands that paint."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.settings import Settings


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Declare the two arguments; without them the settings count."""
    parser.add_argument("--encoder", choices=["auto", "vgg16", "slim"])
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"])


def with_engine(args: argparse.Namespace, settings: Settings) -> Settings:
    """`settings` with the engine that the command line asks for."""
    asked = {"encoder": args.encoder, "device": args.device}
    return settings.model_copy(update={name: value for name, value in asked.items() if value})
