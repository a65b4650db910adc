"""Running the bot as a process: logs, signals, exit codes. `app.house` says what it is made of."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from functools import partial
from typing import Final

from app.bot.polling import WRONG_TOKEN
from app.house import House, LoadStylizer
from app.jobs.database import UnusableDatabaseError
from app.jobs.worker import ProcessMustEnd
from app.logs import set_up_logs
from app.settings import Settings
from models.interface import EngineError, Stylizer

logger = logging.getLogger(__name__)

EXIT_FAILED: Final = 1
EXIT_CONFIG: Final = 78
"""EX_CONFIG of sysexits.h: trying again changes nothing, so supervisors should not."""


def run_bot(settings: Settings, *, load_stylizer: LoadStylizer | None = None) -> int:
    """Run the bot until SIGTERM or SIGINT; returns the exit code of the process.

    `load_stylizer` brings another engine than the real one. Where a thread of the engine hangs,
    the process ends here instead: nothing else would end it.
    """
    token = settings.bot_token.get_secret_value() if settings.bot_token else ""
    set_up_logs(log_format=settings.log_format, level=settings.log_level, secrets=[token])
    if not token:
        logger.critical("BOT_TOKEN is not set")
        return EXIT_CONFIG
    load = partial(_load_and_settle, load_stylizer or load_engine)
    house = House(settings, token, load_stylizer=load, card_memory=card_memory)
    return asyncio.run(_live_and_end(house))


def _load_and_settle(load_stylizer: LoadStylizer, settings: Settings) -> Stylizer:
    """Load the engine, and spare the garbage collector what stays for good.

    The models of aiogram and the modules of torch are hundreds of thousands of objects: looking
    through them all for garbage would hold the event loop up for a quarter of a second each time.
    """
    stylizer = load_stylizer(settings)
    gc.collect()
    gc.freeze()
    return stylizer


def load_engine(settings: Settings) -> Stylizer:
    """The real engine; blocking, takes seconds. Raises EngineError."""
    # Here and not above: torch takes seconds to import, and the chat itself doesn't need it.
    from models.stylizer import load_stylizer

    return load_stylizer(
        encoder=settings.encoder, device=settings.device, cache_dir=settings.cache_dir
    )


def card_memory() -> tuple[int, int] | None:
    """Bytes in use and bytes in all, of the card that the engine paints on, if it does."""
    # Whoever brings an engine of their own may have brought no torch.
    if "torch" not in sys.modules:
        return None
    from models import card

    return card.card_memory()


async def _live_and_end(house: House) -> int:
    code = await _until_signalled(house)
    logger.info("the bot has ended", extra={"exit_code": code})
    if house.has_stuck_thread:
        # Here, not after the loop: to end the loop is to wait for its own threads, and what has
        # the engine's thread hanging (a card that answers nobody) may have caught one of those.
        logging.shutdown()
        os._exit(code)
    return code


async def _until_signalled(house: House) -> int:
    """Cancel everything on a signal; what has to be tidied up is tidied up on the way out."""
    living = asyncio.create_task(house.live())

    def end() -> None:
        # Once: a second signal, from an impatient hand, must not cut the tidying up short.
        if not living.cancelling():
            living.cancel()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end)
    try:
        await living
    except asyncio.CancelledError:
        return 0
    except WRONG_TOKEN:
        logger.critical("Telegram does not know this BOT_TOKEN; ask @BotFather for the right one")
        return EXIT_CONFIG
    except ProcessMustEnd as order:
        logger.critical("painting can't go on in this process: %s", type(order).__name__)
        return order.exit_code
    except (EngineError, UnusableDatabaseError) as error:
        logger.critical("%s", error)
    except Exception:
        logger.critical("the bot can't go on", exc_info=True)
    return EXIT_FAILED
