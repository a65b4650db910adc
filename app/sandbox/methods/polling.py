"""Updates and files on their way to the bot."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app.sandbox.errors import MAX_DOWNLOAD_BYTES, bad_request
from app.sandbox.methods.method import Json, Method
from app.sandbox.params import Params
from app.sandbox.updates import MAX_BATCH
from app.sandbox.world import World

MAX_POLL_S = 50


async def get_updates(world: World, params: Params) -> list[Json]:
    return await world.updates.get(
        offset=params.number("offset", 0),
        limit=params.number("limit", MAX_BATCH),
        timeout_s=min(max(params.number("timeout", 0), 0), MAX_POLL_S),
    )


async def delete_webhook(world: World, params: Params) -> bool:
    if params.flag("drop_pending_updates"):
        world.updates.drop_all()
    return True


async def get_webhook_info(world: World, params: Params) -> Json:
    return {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": len(world.updates),
    }


async def get_file(world: World, params: Params) -> Json:
    stored = world.files.get(params.text("file_id"))
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if world.local_folder is not None:
        # As a server that runs with --local: whoever asked reads the file itself.
        path = world.local_folder / stored.path
        await asyncio.to_thread(_write, path, stored.data)
        called = (world.name_of_local_folder or world.local_folder) / stored.path
        return stored.as_json() | {"file_path": str(called)}
    if len(stored.data) > MAX_DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    return stored.as_json() | {"file_path": stored.path}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


METHODS: dict[str, Method] = {
    "getUpdates": get_updates,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "getFile": get_file,
}
