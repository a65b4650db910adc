"""Running the bot: on Telegram, or without it on a chat page of its own."""

from __future__ import annotations

import argparse
import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from app.commands.errors import UsageError
from app.process import run_bot
from app.sandbox.server import Sandbox
from app.settings import Settings


def serve(args: argparse.Namespace, settings: Settings) -> int:
    """Run the bot; without a token in the sandbox."""
    if settings.bot_token is None:
        print("No BOT_TOKEN is set, so this is the sandbox. (@BotFather gives you a token.)")
        return sandbox(args, settings)
    return run_bot(settings)


def sandbox(args: argparse.Namespace, settings: Settings) -> int:
    """Run the bot on a loopback Bot API with a chat page. Raises `UsageError`."""
    with _sandbox_beside(settings.sandbox_port) as served:
        print(f"Open {served.page_url} in a browser. Ctrl+C ends it.", flush=True)
        return run_bot(
            settings.model_copy(
                update={
                    "bot_token": SecretStr(served.token),
                    "telegram_api_url": served.api_url,
                    # Apart from a real bot's jobs and people.
                    "data_dir": settings.data_dir / "sandbox",
                    # Whoever tries it is the only one there.
                    "admin_ids": frozenset(served.people),
                    "allowed_user_ids": frozenset(),
                    "allowed_chat_ids": frozenset(),
                }
            )
        )


@contextmanager
def _sandbox_beside(port: int) -> Iterator[Sandbox]:
    """A sandbox in a thread and a loop of its own: the bot's loop is as alone as on Telegram."""
    loop = asyncio.new_event_loop()
    served = Sandbox(port=port)
    try:
        loop.run_until_complete(served.__aenter__())
    except OSError as error:
        loop.close()
        raise UsageError(f"port {port} is taken; set SANDBOX_PORT to another ({error})") from error
    thread = threading.Thread(target=loop.run_forever, name="sandbox", daemon=True)
    thread.start()
    try:
        yield served
    finally:
        asyncio.run_coroutine_threadsafe(served.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
