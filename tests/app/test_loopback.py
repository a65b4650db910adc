"""Who may speak with the servers on loopback."""

from __future__ import annotations

import pytest

from app.loopback import own_hosts


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "localhost:80", "127.0.0.1:80"])
def test_the_usual_port_need_not_be_said(host: str) -> None:
    assert host in own_hosts(80)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "localhost:80", "evil.example:8080"])
def test_any_other_port_must_be_said(host: str) -> None:
    assert host not in own_hosts(8080)
