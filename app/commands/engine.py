"""`--encoder` and `--device`, for the commands that paint."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from models.interface import named_devices

if TYPE_CHECKING:
    from app.settings import Settings


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Declare the two arguments; without them the settings count."""
    parser.add_argument("--encoder", choices=["auto", "vgg16", "slim"])
    parser.add_argument(
        "--device",
        type=_one_device,
        metavar="DEVICE",
        help="auto, cpu, cuda, or a GPU such as cuda:1",
    )


def _one_device(value: str) -> str:
    try:
        (name,) = named_devices(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{value!r} is not auto, cpu, cuda or one GPU such as cuda:1"
        ) from error
    return name


def with_engine(args: argparse.Namespace, settings: Settings) -> Settings:
    """`settings` with the engine that the command line asks for."""
    asked = {"encoder": args.encoder, "device": args.device}
    return settings.model_copy(update={name: value for name, value in asked.items() if value})
