"""The real bot in a process of its own, started and ended as an owner would."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.prepared_interpreter import PreparedProcess, die_with_parent, is_there

ROOT = Path(__file__).parents[2]
START_S = 180.0
"""Importing torch takes seconds, and more on a busy machine."""
SMALL = {
    "DEVICE": "cpu",
    "ENCODER": "slim",
    "DEFAULT_SIZE_PX": "96",
    "OMP_NUM_THREADS": "1",
}
REAL = ("run.py",)
FAST = ("-m", "tests.e2e.fast_bot")
"""The same with an engine that only pretends to think."""
CALM_SIZE_PX = 512
"""A size at which the best quality takes half a minute on two cores."""
STEPS = {"FAST_STEPS": "10", "FAST_STEP_S": "0.05"}
"""How long it pretends for."""
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


class BotProcess:
    """`python run.py` against a sandbox, with a data folder of its own.

    Where the tests have a prepared interpreter it comes from that, unless `is_prepared` is False.
    """

    def __init__(
        self,
        sandbox: FaultySandbox,
        data: Path,
        *,
        settings: Mapping[str, str] | None = None,
        command: tuple[str, ...] = REAL,
        is_prepared: bool = True,
    ) -> None:
        self._sandbox = sandbox
        self._command = command
        self._is_prepared = is_prepared and is_there()
        self._process: asyncio.subprocess.Process | PreparedProcess | None = None
        self.log_path = data / "bot.log"
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        self._environment = {
            **kept,
            **SMALL,
            "PYTHONPATH": str(ROOT),
            "BOT_TOKEN": sandbox.token,
            "TELEGRAM_API_URL": sandbox.api_url,
            "DATA_DIR": str(data),
            **(settings or {}),
        }

    @property
    def log(self) -> str:
        """Everything that all starts have written to stdout and stderr."""
        return self.log_path.read_text(encoding="utf-8") if self.log_path.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None, "the bot was never started"
        return self._process.pid

    async def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it polls."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = await self._open(log)
        if wait:
            await self.until_polling()

    async def _open(self, log: IO[bytes]) -> asyncio.subprocess.Process | PreparedProcess:
        if self._is_prepared:
            return await PreparedProcess.start(
                self._command, cwd=ROOT, env=self._environment, output=log
            )
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *self._command,
            cwd=ROOT,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
        )

    async def until_polling(self) -> None:
        """Wait until updates are asked for from now on."""
        before = self._sandbox.world.updates.polls
        async with asyncio.timeout(START_S):
            while self._sandbox.world.updates.polls == before:
                assert not self.has_ended, f"the bot ended with {self.exit_code}:\n{self.log}"
                await asyncio.sleep(0.05)

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.returncode

    @property
    def has_ended(self) -> bool:
        return self.exit_code is not None

    async def ended(self, within_s: float = 30.0) -> int:
        """The exit code, as soon as it ends by itself."""
        assert self._process is not None, "the bot was never started"
        async with asyncio.timeout(within_s):
            return await self._process.wait()

    async def stop(self, within_s: float = 30.0) -> int:
        """SIGTERM, as from a supervisor; the exit code."""
        return await self._signal(signal.SIGTERM, within_s)

    async def kill(self) -> None:
        """SIGKILL: what a crash or a power cut leaves behind."""
        await self._signal(signal.SIGKILL, 30.0)

    async def _signal(self, number: signal.Signals, within_s: float) -> int:
        assert self._process is not None, "the bot was never started"
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self.ended(within_s)
