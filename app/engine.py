"""The engine that paints, as the settings want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.settings import Settings
    from models.engine.stylizer import TorchStylizer


def load_engine(settings: Settings) -> TorchStylizer:
    """Load the networks; blocking, takes seconds. Raises EngineError."""
    # Here and not above: torch takes seconds to import, and neither the chat nor `--help` needs it.
    from models.engine.loading import load_stylizer

    return load_stylizer(
        encoder=settings.encoder, device=settings.device, cache_dir=settings.cache_dir
    )
