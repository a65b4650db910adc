"""Keeps other sites out of a server that trusts whoever reaches it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob: data:; media-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@web.middleware
async def only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Host (DNS rebinding) and a foreign Origin (another site's script)."""
    port = request.url.port
    sockname = request.transport.get_extra_info("sockname") if request.transport else None
    if sockname is not None:
        port = sockname[1]
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    origin = request.headers.get("Origin")
    if request.host not in hosts or (
        origin is not None and origin.removeprefix("http://") not in hosts
    ):
        raise web.HTTPForbidden(text="This server speaks with this machine only.\n")
    return await handler(request)


async def harden(_: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that keep the page to itself (a signal handler)."""
    response.headers.update(HEADERS)
