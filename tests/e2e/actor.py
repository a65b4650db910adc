"""A person at a phone who writes, presses, sends pictures and looks at what comes back."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any, TypeVar

from PIL import Image

from app.sandbox.people import Attachment, Person
from app.sandbox.world import CallbackQuery, Chat, Message
from models.clips.interface import ClipKind
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.patience import PATIENCE_S

T = TypeVar("T")

LOOK_UP_EVERY_S = 0.3
MORE = "⋯"
"""What stands on the button that shows the others, in every language."""
ACCEPTED = "Please wait|▰|▱"
"""What a job's message says until it is painted; on a quick machine the first words are brief."""


class Actor:
    """Plays one person; what was seen once is not seen again."""

    def __init__(self, sandbox: FaultySandbox, person: Person, chat: Chat | None = None) -> None:
        self._sandbox = sandbox
        self.person = person
        self.chat = chat or person.chat
        self._seen: set[tuple[int, int]] = set()

    @property
    def id(self) -> int:
        return self.person.user.id

    @property
    def received(self) -> list[Message]:
        """All that the bot has in the chat now, oldest first."""
        bot = self._sandbox.world.bot
        return [message for message in self.chat.messages.values() if message.sender is bot]

    # Doing

    async def sends(self, text: str, *, reply_to: Message | None = None) -> Message:
        return self.person.write(text, chat=self.chat, reply_to=reply_to)

    async def edits(self, message: Message, text: str) -> None:
        self.person.edit(message, text)

    async def sends_photo(
        self, data: bytes, *, caption: str = "", reply_to: Message | None = None
    ) -> Message:
        return (await self.sends_photos(data, caption=caption, reply_to=reply_to))[0]

    async def sends_photos(
        self, *photos: bytes, caption: str = "", reply_to: Message | None = None
    ) -> list[Message]:
        """Several are an album."""
        attachments = [Attachment(data) for data in photos]
        return await self.person.send_photos(
            *attachments, caption=caption, chat=self.chat, reply_to=reply_to
        )

    async def sends_files(self, *files: bytes, name: str = "picture.png") -> list[Message]:
        """Untouched, as documents."""
        attachments = [Attachment(data, name, "application/octet-stream") for data in files]
        return await self.person.send_files(*attachments, chat=self.chat)

    async def sends_clip(
        self,
        data: bytes,
        kind: ClipKind = ClipKind.VIDEO,
        *,
        caption: str = "",
        seconds: int = 1,
        reply_to: Message | None = None,
    ) -> Message:
        """As a phone sends it."""
        about = {"width": 96, "height": 72, "length": 72, "duration": seconds}
        file = Attachment(data, "clip.mp4", "video/mp4")
        return await self.person.send_clip(
            kind.value, file, about, caption=caption, chat=self.chat, reply_to=reply_to
        )

    async def sends_other(self, content: dict[str, Any]) -> Message:
        """A sticker, a voice message, a location."""
        return self.person.send(content, chat=self.chat)

    async def cancels_all(self) -> None:
        """Takes all jobs back that wait or are painted."""
        for message in self.received:
            if any("Cancel" in button["text"] for button in message.buttons):
                await self.presses("Cancel", on=message)

    async def presses(
        self, label: str, *, on: Message | None = None, within_s: float = PATIENCE_S
    ) -> CallbackQuery:
        """Press the newest button that says `label`, and wait until the bot has answered.

        Where `on` keeps it behind "More", that is pressed first; if the bot refuses to show more,
        its answer is what comes back.
        """
        awaited = f"a button {label!r}"
        if on is None:
            on = await self.until(
                lambda: self._with_button(label), within_s=within_s, awaited=awaited
            )
        refusal = await self._uncovers(on, label)
        if refusal is not None:
            return refusal
        query = self.hammers(on, label, times=1)[0]
        awaited = f"an answer to {label!r}"
        await self.until(lambda: query.answer, within_s=within_s, awaited=awaited)
        return query

    async def _uncovers(self, message: Message, label: str) -> CallbackQuery | None:
        """Wait for the button and press "More" if it takes that; returns a refusal to do so."""
        await self.until(
            lambda: has_label(message, label) or has_label(message, MORE),
            awaited=f"a button {label!r}",
        )
        if has_label(message, label):
            return None
        query = await self.presses(MORE, on=message)
        if query.answer and query.answer["text"]:
            return query
        await self.finds(message, label)
        return None

    def hammers(self, message: Message, label: str, *, times: int) -> list[CallbackQuery]:
        """Press a button several times without waiting."""
        data = next(b.get("callback_data", "") for b in message.buttons if label in b["text"])
        return [self.person.press(message, data) for _ in range(times)]

    async def waits_until_idle(self, *, within_s: float = PATIENCE_S) -> None:
        """Ask for the queue until nothing of one's own is in it any more."""
        async with asyncio.timeout(within_s):
            await self.sends("/queue")
            while not (await self.sees("Nothing of yours|Your pictures")).text.startswith("Noth"):
                await asyncio.sleep(0.5)
                await self.sends("/queue")

    # Seeing

    async def sees(self, pattern: str, *, within_s: float = PATIENCE_S) -> Message:
        """The first text or caption, new or edited, that matches and was not seen before."""
        return await self.until(
            lambda: self._unseen(lambda m: re.search(pattern, m.text) is not None),
            within_s=within_s,
            awaited=f"to see {pattern!r}",
        )

    async def sees_result(self, *, within_s: float = 1.5 * PATIENCE_S) -> Message:
        """A finished picture: the buttons under it say so."""
        return await self.until(
            lambda: self._unseen(lambda m: is_result(m)), within_s=within_s, awaited="a result"
        )

    async def reads(self, message: Message, pattern: str) -> re.Match[str]:
        """Wait until this very message says so."""
        return await self.until(
            lambda: re.search(pattern, message.text, re.MULTILINE),
            awaited=f"{pattern!r} instead of {message.text!r}",
        )

    async def finds(self, message: Message, label: str) -> None:
        """Wait until this very message has the button."""
        await self.until(
            lambda: has_label(message, label),
            awaited=f"a button {label!r}",
        )

    def has_button(self, label: str) -> bool:
        return self._with_button(label) is not None

    def clip(self, message: Message) -> bytes:
        """The MP4 of a message."""
        kinds = [kind.value for kind in ClipKind if kind.value in message.content]
        stored = self._sandbox.world.files.get(message.content[kinds[0]]["file_id"])
        assert stored is not None, "the clip is no longer on the server"
        return stored.data

    def picture(self, message: Message) -> Image.Image:
        """The picture of a message, decoded."""
        sent = message.content.get("photo") or [message.content["document"]]
        stored = self._sandbox.world.files.get(sent[-1]["file_id"])
        assert stored is not None, "the picture is no longer on the server"
        image = Image.open(io.BytesIO(stored.data))
        image.load()
        return image

    async def until(
        self,
        look: Callable[[], T | None],
        *,
        within_s: float = PATIENCE_S,
        awaited: str = "something",
    ) -> T:
        """Look again whenever something happens in the chat, until there is something to see.

        Two hundred people who all looked up at whatever happens to anybody would be busier than
        the bot that they watch. Now and then one looks unasked: it may be about something else.
        """
        try:
            async with asyncio.timeout(within_s):
                with self._sandbox.world.watch(self.chat) as feed:
                    while not (found := look()):
                        with suppress(TimeoutError):
                            async with asyncio.timeout(LOOK_UP_EVERY_S):
                                await feed.get()
                    return found
        except TimeoutError:
            raise AssertionError(
                f"waited for {awaited}; the chat is:\n{self.transcript()}"
            ) from None

    def transcript(self) -> str:
        """The chat as text, for a failing test."""
        lines = []
        for message in self.chat.messages.values():
            kind = next(iter(message.content))
            buttons = " ".join(f"[{button['text']}]" for button in message.buttons)
            edits = f" ({len(message.versions)} edits)" if message.versions else ""
            name = message.sender.first_name
            lines.append(f"{name}: <{kind}> {message.text!r} {buttons}{edits}")
        return "\n".join(lines)

    def _with_button(self, label: str) -> Message | None:
        found = [m for m in self.received if has_label(m, label)]
        return found[-1] if found else None

    def _unseen(self, matches: Callable[[Message], bool]) -> Message | None:
        for message in self.received:
            # Other buttons alone make no new sight.
            shown = [*message.versions, message.content]
            sight = (message.id, sum(a != b for a, b in pairwise(shown)))
            if sight not in self._seen and matches(message):
                self._seen.add(sight)
                return message
        return None


def has_label(message: Message, label: str) -> bool:
    """Whether one of its buttons says so."""
    return any(label in button["text"] for button in message.buttons)


def is_result(message: Message) -> bool:
    """Whether it shows a finished picture with the buttons for the next one."""
    shown = {"photo", "document", *(kind.value for kind in ClipKind)}
    is_picture = bool(shown & message.content.keys())
    again = [button.get("callback_data", "").startswith("again:") for button in message.buttons]
    return is_picture and any(again)
