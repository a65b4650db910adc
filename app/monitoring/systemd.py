"""What systemd wants to hear of a unit with `Type=notify` and `WatchdogSec=`.

The protocol of sd_notify(3): one datagram to the socket that the environment names. (PyPI's
`sdnotify` does no more and has had no release since 2017; systemd's own bindings need its headers.)
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

SOCKET_VARIABLE: Final = "NOTIFY_SOCKET"
START_MAY_GO_ON_S: Final = 60
"""From one beat on: a start may take as long as a network or a download, while the loop runs."""


class SystemdNotifier:
    """Says nothing where there is no systemd to hear it; a lost message is made up by the next."""

    def __init__(self, address: str | None) -> None:
        """`address` is the value of `SOCKET_VARIABLE`; an `@` begins an abstract one."""
        self._address = address.replace("@", "\0", 1) if address else None
        self._is_ready = False

    def ready(self) -> None:
        """The start is over: updates are asked for."""
        self._is_ready = True
        self._send("READY=1", "STATUS=Running")

    def beat(self) -> None:
        """The loop runs. Until `ready`, this asks for more time to start, too."""
        if self._is_ready:
            self._send("WATCHDOG=1")
        else:
            self._send(
                "WATCHDOG=1",
                f"EXTEND_TIMEOUT_USEC={START_MAY_GO_ON_S * 1_000_000}",
                "STATUS=Starting: waiting for Telegram or loading the engine",
            )

    def _send(self, *assignments: str) -> None:
        if self._address is None:
            return
        # Never waits: a full socket, or none, is no reason for the loop to stand still.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(assignments).encode(), self._address)
