"""The bot as a process: logs, signals, exit codes. `app.application` says what it is made of."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial

from app.application import Application, LoadStylizers
from app.bot.transport.poller import WRONG_TOKEN
from app.engine import load_engines, remote_engines
from app.errors import CannotRunError
from app.exit_codes import ExitCode
from app.jobs.running.clips import Engine
from app.jobs.running.endings import WorkerMustEnd
from app.monitoring.logs import set_up_logs
from app.monitoring.stall_guard import STALLED_AFTER_S, stall_guard
from app.monitoring.systemd import SOCKET_VARIABLE, SystemdNotifier
from app.settings import Settings
from models.interface import DeviceSettingError, EngineError

logger = logging.getLogger(__name__)


def run_bot(
    settings: Settings,
    *,
    load_stylizers: LoadStylizers | None = None,
    stalled_after_s: float = STALLED_AFTER_S,
) -> int:
    """Run the bot until SIGTERM or SIGINT; returns the exit code of the process.

    `load_stylizers` brings other engines than the real ones. Where a thread of the engine hangs,
    the process ends here instead: nothing else would end it. So it does where the event loop stands
    still for `stalled_after_s`.
    """
    os.umask(0o077)  # whatever is written from here on is the bot's own account's alone
    token = settings.bot_token.get_secret_value() if settings.bot_token else ""
    set_up_logs(log_format=settings.log_format, level=settings.log_level, secrets=[token])
    if not token:
        logger.critical("BOT_TOKEN is not set")
        return ExitCode.CONFIG
    try:
        remote = remote_engines(settings) if load_stylizers is None else None
    except DeviceSettingError as error:
        logger.critical("%s", error)
        return ExitCode.USAGE
    local = load_engines if remote is None else _load_none
    load = partial(_load_and_settle, load_stylizers or local)
    systemd = SystemdNotifier(os.environ.get(SOCKET_VARIABLE))
    with stall_guard(stalled_after_s) as loop_runs:

        def beat() -> None:
            loop_runs()
            systemd.beat()

        application = Application(
            settings,
            token,
            load_stylizers=load,
            remote_engines=remote,
            gpu_memory=gpu_memory,
            on_beat=beat,
            on_ready=systemd.ready,
        )
        return asyncio.run(_run_and_end(application))


def _load_none(_: Settings) -> Mapping[str, Engine]:
    """Where the engines are on other machines."""
    return {}


def _load_and_settle(load_stylizers: LoadStylizers, settings: Settings) -> Mapping[str, Engine]:
    """Load the engines, and spare the garbage collector what stays for good.

    The models of aiogram and the modules of torch are hundreds of thousands of objects: looking
    through them all for garbage would hold the event loop up for a quarter of a second each time.
    """
    stylizers = load_stylizers(settings)
    gc.collect()
    gc.freeze()
    return stylizers


def gpu_memory(device: str) -> tuple[int, int] | None:
    """Bytes in use and bytes in all, of a GPU that an engine paints on."""
    # Whoever brings an engine of their own may have brought no torch.
    if "torch" not in sys.modules:
        return None
    from models.devices import gpu

    return gpu.gpu_memory(device)


async def _run_and_end(application: Application) -> int:
    code = await _until_signalled(application)
    logger.info("the bot has ended", extra={"exit_code": code})
    if application.has_stuck_thread:
        # Here, not after the loop: to end the loop is to wait for its own threads, and what has
        # the engine's thread hanging (a GPU that answers nobody) may have caught one of those.
        logging.shutdown()
        os._exit(code)
    return code


async def _until_signalled(application: Application) -> int:
    """Cancel everything on a signal; what has to be tidied up is tidied up on the way out."""

    def end() -> None:
        # Once: a second signal, from an impatient hand, must not cut the tidying up short.
        if not running.cancelling():
            running.cancel()

    running = asyncio.create_task(application.run())
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end)
    try:
        await running
    except asyncio.CancelledError:
        return 0
    except WRONG_TOKEN:
        logger.critical("Telegram does not know this BOT_TOKEN; ask @BotFather for the right one")
        return ExitCode.CONFIG
    except WorkerMustEnd as reason:
        logger.critical("painting can't go on in this process: %s", type(reason).__name__)
        return reason.exit_code
    except DeviceSettingError as error:
        logger.critical("%s", error)
        return ExitCode.USAGE
    except (EngineError, CannotRunError) as error:
        logger.critical("%s", error)
    except Exception:
        logger.critical("the bot can't go on", exc_info=True)
    return ExitCode.FAILED
