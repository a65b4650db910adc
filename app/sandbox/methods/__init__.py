"""The Bot API's methods by their names, lower-cased as the Bot API ignores case."""

from __future__ import annotations

from app.sandbox.methods import callbacks, editing, inline, polling, profile, sending
from app.sandbox.methods.method import Method

METHODS: dict[str, Method] = {
    name.lower(): method
    for module in (callbacks, editing, inline, polling, profile, sending)
    for name, method in module.METHODS.items()
}
