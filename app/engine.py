"""The engines that paint, as the settings want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.jobs.running.clips import Engine
    from app.settings import Settings
    from models.devices.gpu_options import GpuOptions
    from models.engine.stylizer import TorchStylizer
    from models.remote.engines import RemoteEngines


def load_engines(settings: Settings) -> Mapping[str, Engine]:
    """Load an engine for each device of this machine; blocking, takes seconds.

    Raises EngineError.
    """
    # Here and not above: torch takes seconds to import, and neither the chat nor `--help` needs it.
    from models.engine.loading import load_stylizers

    return load_stylizers(
        encoder=settings.encoder,
        device=settings.device,
        cpu_workers=settings.cpu_workers,
        cache_dir=settings.cache_dir,
        gpu=_gpu_options(settings),
    )


def remote_engines(settings: Settings) -> RemoteEngines | None:
    """Those of the Ray cluster that the settings name, if they do; it need not be there yet.

    Raises DeviceSettingError.
    """
    if settings.ray_address is None:
        return None
    from models.remote.engines import RemoteEngines
    from models.remote.messages import ClusterOrder

    return RemoteEngines(
        ClusterOrder(
            address=settings.ray_address,
            encoder=settings.encoder,
            device=settings.device,
            cpu_workers=settings.cpu_workers,
            gpu=_gpu_options(settings),
            cache_dir=settings.cache_dir.absolute(),
        )
    )


def load_engine(settings: Settings) -> TorchStylizer:
    """Load one for the first device, for commands; blocking, takes seconds. Raises EngineError."""
    from models.engine.loading import load_stylizer

    return load_stylizer(
        encoder=settings.encoder,
        device=settings.device,
        cache_dir=settings.cache_dir,
        gpu=_gpu_options(settings),
    )


def _gpu_options(settings: Settings) -> GpuOptions:
    from models.devices.gpu_options import GpuOptions

    return GpuOptions(half=settings.gpu_half_precision, graphs=settings.gpu_graphs)
