"""The unit and the container: bounded, restarted when that helps, and not when it doesn't."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from app.exit_codes import ExitCode
from app.monitoring.heartbeat import BEAT_EVERY_S
from app.monitoring.stall_guard import STALLED_AFTER_S

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "style-bot.service"
MAX_EXPOSURE = 30
"""Tenths of what `systemd-analyze security` prints."""


def lines(path: Path) -> list[str]:
    """What it says, without comments."""
    text = path.read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if not line.lstrip().startswith("#")]


def test_systemd_watches_the_loop_and_leaves_a_wrong_token_alone() -> None:
    said = lines(UNIT)
    assert {"Type=notify", f"RestartPreventExitStatus={ExitCode.CONFIG}"} <= set(said)
    (watchdog,) = [line for line in said if line.startswith("WatchdogSec=")]
    # Many beats; and the process's own end comes first, which says what every thread was doing.
    assert STALLED_AFTER_S >= 10 * BEAT_EVERY_S
    assert float(watchdog.removeprefix("WatchdogSec=")) > STALLED_AFTER_S


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_the_unit_is_little_exposed() -> None:
    done = subprocess.run(  # noqa: S603 - our own file
        [
            *("systemd-analyze", "security", "--offline=yes", "--no-pager"),
            *(f"--threshold={MAX_EXPOSURE}", str(UNIT)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "bound",
    [
        "MemoryMax=90%",
        "TasksMax=512",
        "LogRateLimitBurst=2000",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "SystemCallFilter=@system-service",
    ],
)
def test_the_unit_is_bounded(bound: str) -> None:
    assert bound in lines(UNIT)


def test_the_unit_keeps_the_devices_that_cuda_needs() -> None:
    """Each of these shuts /dev/nvidia* out, or forbids the code that torch makes at run time."""
    forbidding = ("PrivateDevices=yes", "DeviceAllow", "ProtectClock=yes", "MemoryDenyWrite")
    assert not [line for line in lines(UNIT) if line.startswith(forbidding)]


@pytest.mark.parametrize(
    "bound",
    [
        "cap_drop: [ALL]",
        'security_opt: ["no-new-privileges:true"]',
        "read_only: true",
        "memory: ${MEMORY_LIMIT:-12g}",
        "pids: 512",
        "max-size: 10m",
        "restart: unless-stopped",
    ],
)
def test_the_container_is_bounded(bound: str) -> None:
    assert bound in lines(DEPLOY / "compose.yml")


def test_the_container_waits_instead_of_trying_a_wrong_token_again() -> None:
    """Docker's own policies know no exit code that isn't worth another try."""
    (entrypoint,) = [
        line for line in lines(DEPLOY / "compose.yml") if line.startswith("entrypoint:")
    ]
    assert "run-supervised.sh" in entrypoint


def test_the_image_runs_without_root_and_by_stages() -> None:
    said = lines(DEPLOY / "Dockerfile")
    stages = [number for number, line in enumerate(said) if line.startswith("FROM ")]
    assert len(stages) == 2
    users = [line for line in said[stages[-1] :] if line.startswith("USER ")]
    assert users == ["USER 10001"]


def test_the_image_gets_every_file_that_it_copies() -> None:
    """.dockerignore leaves out everything but what it names."""
    let_in = {line[1:] for line in lines(ROOT / ".dockerignore") if line.startswith("!")}
    copied = [
        source
        for line in lines(DEPLOY / "Dockerfile")
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    assert copied
    assert set(copied) == let_in
    assert not [name for name in copied if not (ROOT / name).exists()]


class Supervised:
    """`run-supervised.sh` with a bot that ends as told; in a group of its own, as under tini -g."""

    def __init__(self, folder: Path, bot: str) -> None:
        fake = folder / "python"
        fake.write_text(f"#!/bin/sh\n{bot}\n")
        fake.chmod(0o755)
        self.process = subprocess.Popen(  # noqa: S603 - our own script
            [str(DEPLOY / "run-supervised.sh")],
            env={"PATH": f"{folder}:{os.environ['PATH']}"},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self) -> str:
        """The next line on stderr; waits for it."""
        assert self.process.stderr
        return self.process.stderr.readline()

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)

    def end(self) -> int:
        code = self.process.wait(20)
        self.process.communicate()
        return code


@pytest.mark.parametrize("code", [0, 1, 70, 71])
def test_every_other_end_is_passed_on(tmp_path: Path, code: int) -> None:
    assert Supervised(tmp_path, f"exit {code}").end() == code


def test_a_container_with_a_wrong_token_waits(
    tmp_path: Path,
) -> None:
    container = Supervised(tmp_path, f"exit {ExitCode.CONFIG}")
    assert ".env" in container.said()
    with pytest.raises(subprocess.TimeoutExpired):
        container.process.wait(0.5)
    container.stop()
    assert container.end() == -signal.SIGTERM


def test_a_container_that_is_stopped_waits_for_the_bot_s_own_end(tmp_path: Path) -> None:
    tidying = "trap 'sleep 0.3; exit 0' TERM; echo ready >&2; while :; do sleep 0.05; done"
    container = Supervised(tmp_path, tidying)
    assert container.said() == "ready\n"
    container.stop()
    assert container.end() == 0


def test_the_image_and_the_project_have_one_version() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"^ARG VERSION=(.+)$", dockerfile, re.MULTILINE)
    assert found
    assert f'version = "{found[1]}"' in project
