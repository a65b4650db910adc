"""What is said to systemd, on the socket that it would listen on."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.monitoring.systemd import SystemdNotifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """A socket as systemd opens one; abstract ones have no file."""
    with (
        tempfile.TemporaryDirectory() as folder,  # pytest's own may be too long for a socket
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        address = str(Path(folder) / "notify")
        listener.bind(address if request.param == "path" else "\0" + address)
        listener.settimeout(10)
        yield listener


def address_of(manager: socket.socket) -> str:
    name = manager.getsockname()
    return name if isinstance(name, str) else name.decode().replace("\0", "@", 1)


def heard(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().splitlines()


def test_each_beat_of_a_start_asks_for_more_time(manager: socket.socket) -> None:
    SystemdNotifier(address_of(manager)).beat()
    said = heard(manager)
    assert "WATCHDOG=1" in said
    assert "EXTEND_TIMEOUT_USEC=60000000" in said
    assert not any(line.startswith("READY") for line in said)


def test_after_the_start_a_beat_is_the_watchdog_s(manager: socket.socket) -> None:
    notifier = SystemdNotifier(address_of(manager))
    notifier.ready()
    notifier.beat()
    assert "READY=1" in heard(manager)
    assert heard(manager) == ["WATCHDOG=1"]


def test_a_socket_that_nobody_reads_holds_nothing_up(manager: socket.socket) -> None:
    notifier = SystemdNotifier(address_of(manager))
    for _ in range(10_000):
        notifier.beat()


@pytest.mark.parametrize("address", [None, "", "/nowhere/notify"])
def test_without_systemd_nothing_happens(address: str | None) -> None:
    notifier = SystemdNotifier(address)
    notifier.ready()
    notifier.beat()
