"""HTTP servers for this machine alone: other sites are kept out, whatever name they give us."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

HOST: Final = "127.0.0.1"
_HTTP_PORT: Final = 80
"""The one that a client leaves out of an address."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Host (DNS rebinding) and a foreign Origin (another site's script)."""
    sockname = request.transport.get_extra_info("sockname") if request.transport else None
    hosts = own_hosts(sockname[1]) if sockname else frozenset()
    # As it was sent: `request.url` can't be made of every Host that somebody may write.
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
    is_foreign = origin is not None and origin.lower().removeprefix("http://") not in hosts
    if host.lower() not in hosts or is_foreign:
        raise web.HTTPForbidden(text="This server speaks with this machine only.\n")
    return await handler(request)


def own_hosts(port: int) -> frozenset[str]:
    """What a client on this machine writes into Host for a server at `port`."""
    names = {HOST, "localhost"}
    with_port = {f"{name}:{port}" for name in names}
    return frozenset(with_port | names if port == _HTTP_PORT else with_port)
