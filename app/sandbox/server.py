"""Starting and stopping the sandbox on 127.0.0.1."""

from __future__ import annotations

import secrets
from typing import Self

from aiohttp import web

from app.loopback import HOST, only_this_machine
from app.sandbox.api import BotApi
from app.sandbox.errors import MAX_ALBUM_ITEMS, MAX_UPLOAD_BYTES
from app.sandbox.guard import harden
from app.sandbox.page import Page, refusals
from app.sandbox.people import Person
from app.sandbox.world import User, World

SHUTDOWN_S = 0.5
# Ids that stay the same over restarts, so that settings and open jobs find their people again.
ANNA = (100001, "Анна", "anna", "ru")
BEN = (100002, "Ben", "ben", "en")


class Sandbox:
    """A Bot API server with a chat page; `port` 0 takes a free one.

    `async with Sandbox(port=8080) as sandbox:` serves until the block ends.
    Raises OSError if the port is taken.
    """

    def __init__(self, *, port: int, token: str | None = None) -> None:
        self.world = World()
        self.token = token or f"{self.world.bot.id}:{secrets.token_urlsafe(26)}"
        self.people: dict[int, Person] = {}
        self._port = port
        self._runner: web.AppRunner | None = None
        for about in (ANNA, BEN):
            self.add_person(*about)

    def add_person(
        self,
        user_id: int,
        first_name: str,
        username: str | None = None,
        language_code: str | None = None,
    ) -> Person:
        """Let someone in who can be played on the page and by tests."""
        user = self.world.join(User(user_id, first_name, username, language_code))
        self.people[user_id] = Person(self.world, user)
        return self.people[user_id]

    @property
    def api_url(self) -> str:
        """What TELEGRAM_API_URL is to be."""
        return f"http://{HOST}:{self._port}"

    @property
    def page_url(self) -> str:
        return f"{self.api_url}/"

    def _make_api(self) -> BotApi:
        return BotApi(self.world, self.token)

    async def __aenter__(self) -> Self:
        page = Page(self.world, self.people)
        app = web.Application(
            middlewares=[only_this_machine, refusals],
            client_max_size=MAX_ALBUM_ITEMS * MAX_UPLOAD_BYTES,
        )
        app.add_routes(page.routes())
        app.add_routes(self._make_api().routes())
        app.on_response_prepare.append(harden)
        app.on_shutdown.append(page.close)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
