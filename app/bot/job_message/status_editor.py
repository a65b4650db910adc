"""Keeps one status message up to date at a calm pace; only the latest state counts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from aiogram.exceptions import AiogramError

from app.bot.job_message.status_message import MessageContent, StatusMessage
from app.bot.transport.outgoing import Pacer
from app.bot.transport.telegram_errors import is_recipient_gone

log = logging.getLogger(__name__)

Render = Callable[[], Awaitable[MessageContent]]


class StatusEditor:
    """One task that edits one message; `changed` wakes it, `close` ends it.

    The worker and the queue only say that something changed. What is shown is rendered in the
    moment of the edit, so a slow chat skips states and never falls behind.
    """

    def __init__(
        self,
        message: StatusMessage,
        *,
        render: Render,
        pacer: Pacer,
        every_s: Callable[[], float],
        on_shown: Callable[[], None],
        on_gone: Callable[[], None],
    ) -> None:
        """`every_s` is asked anew whenever something changes: what is shown may become urgent.

        `on_gone` is called when nothing will ever arrive there; no edit follows.
        """
        self.message = message
        self._render = render
        self._pacer = pacer
        self._every_s = every_s
        self._on_shown = on_shown
        self._on_gone = on_gone
        self._dirty = asyncio.Event()
        self._woken = asyncio.Event()
        self._editing = asyncio.Lock()
        self._edited_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def changed(self) -> None:
        """There is something new to show; returns at once."""
        if self._closed:
            return
        self._dirty.set()
        self._woken.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """No more edits of its own; returns when none is in flight.

        An edit that was given up could still arrive after, and undo, the one that follows: so it
        is waited for, not cancelled.
        """
        self._closed = True
        async with self._editing:
            task, self._task = self._task, None
            if task is not None:
                task.cancel()
        if task is not None and task is not asyncio.current_task():
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def abandon(self) -> None:
        """End at once, with an edit in flight if need be: the process is about to end."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while not self._closed:
            await self._dirty.wait()
            await self._rest()
            await self.message.locate()
            is_first = self.message.message_id is None
            if is_first:
                await self._update()  # at once: somebody waits for this first word
            else:
                async with self._pacer.low_priority_slot(self.message.chat_id):
                    await self._update()
            # The draft may follow the first word at once, if it didn't come with it.
            if self.message.has_picture or not is_first:
                self._edited_at = asyncio.get_running_loop().time()

    async def _update(self) -> None:
        async with self._editing:
            self._dirty.clear()
            try:
                await self.message.show(await self._render())
                self._on_shown()
            except AiogramError as error:
                if is_recipient_gone(error):
                    self._closed = True
                    self._on_gone()
                    return
                # A text whose confirmation was lost is sent again here: better twice than never.
                log.info("status not shown: %s", type(error).__name__)
                self._dirty.set()
                self._edited_at = asyncio.get_running_loop().time()
            except Exception:
                log.exception("status not shown")

    async def _rest(self) -> None:
        """Wait until the next edit may follow the last one."""
        loop = asyncio.get_running_loop()
        while loop.time() < (until := self._edited_at + self._every_s()):
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._woken.wait()
