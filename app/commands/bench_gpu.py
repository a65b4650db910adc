"""`make gpu`: everything that only a GPU can tell, within ten minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from app.commands.bench_chat import measure_throughput
from app.engine import load_engine
from models.interface import Quality
from styles.catalog import Catalog

if TYPE_CHECKING:
    from app.settings import Settings
    from models.benchmarks.gpu import Budget, Measurable

NO_GPU = "There is no GPU that torch can use: nothing was measured."
_SECONDS = 420.0
"""With the tests before it `make gpu` ends within ten minutes."""
_SIZES_MAY_TAKE_S, _VARIANTS_MAY_TAKE_S, _STARTS_TAKE_S = 170.0, 140.0, 40.0
_PEOPLE = 8
_BOT_SIZE_PX = 512

Say = Callable[[str], None]
Figures = dict[str, object]


def measure_gpu(settings: Settings, catalog: Catalog, say: Say) -> Figures | None:
    """The figures as JSON has them, None where there is no GPU; tables go to `say`, as Markdown.

    Raises EngineError.
    """
    from models.benchmarks.gpu import Budget, encoder_at_hand, find_gpu

    device = find_gpu()
    if device is None:
        say(NO_GPU)
        return None
    budget = Budget(_SECONDS)
    at_hand = {
        "encoder": encoder_at_hand(settings.encoder, settings.cache_dir),
        "device": str(device.device),
    }
    settings = settings.model_copy(update=at_hand)
    figures = _measure_engine(device, settings, catalog, say, budget)
    return figures | _measure_bot(settings, catalog, say, budget)


def _measure_engine(
    device: Measurable, settings: Settings, catalog: Catalog, say: Say, budget: Budget
) -> Figures:
    """By quality and size, and the ways to use a GPU side by side, as far as the budget goes."""
    from models.benchmarks import gpu

    about = gpu.describe(device.device) | {"encoder": settings.encoder}
    say("\n".join(f"{key}: {value}" for key, value in about.items()) + "\n")
    engine = load_engine(settings)
    preset = catalog.presets()[0].picture
    sizes = list(
        gpu.measure_sizes(
            engine,
            catalog.sample,
            preset,
            budget.part(_SIZES_MAY_TAKE_S),
            sizes_px=device.sizes_px,
        )
    )
    say(gpu.sizes_table(sizes) + "\n")
    del engine
    pairs = [(catalog.sample, each.picture) for each in catalog.presets()[: device.pairs]]
    variants = list(
        gpu.measure_variants(
            device,
            pairs,
            budget.part(_VARIANTS_MAY_TAKE_S),
            encoder=settings.encoder,
            cache_dir=settings.cache_dir,
        )
    )
    say(gpu.variants_table(variants) + "\n")
    return {
        **about,
        "sizes": [asdict(one) for one in sizes],
        "variants": [asdict(one) for one in variants],
    }


def _measure_bot(settings: Settings, catalog: Catalog, say: Say, budget: Budget) -> Figures:
    """Pictures a minute through the whole bot."""
    rates = {}
    engine = {"DEVICE": settings.device, "ENCODER": settings.encoder}
    for quality in (Quality.DRAFT, Quality.STANDARD):
        # Half of what is left for the first, all of it for the second.
        within_s = budget.left_s / (2 if quality is Quality.DRAFT else 1) - _STARTS_TAKE_S
        if within_s > 0:
            rates[quality.value] = measure_throughput(
                catalog.sample,
                quality=quality,
                size_px=_BOT_SIZE_PX,
                people=_PEOPLE,
                engine=engine,
                within_s=within_s,
            )
            say(f"whole bot, {quality}, {_BOT_SIZE_PX} px: {rates[quality.value]:.1f} a minute")
    return {"bot_pictures_per_minute": rates}
