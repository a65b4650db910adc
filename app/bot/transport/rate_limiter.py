"""How much may be sent where, and when: arithmetic over a clock, no waiting and no Telegram."""

from __future__ import annotations

from dataclasses import dataclass, field

FORGET_ABOVE_CHATS = 1024
"""From here on chats that may send a full burst again are forgotten: memory stays flat."""
SILENT_CHATS_MEAN_ALL = 3
"""Telegram doesn't say whether a 429 is meant for one chat or for the bot: so many at once is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many calls a minute in the long run, and so many at once after a rest."""

    per_minute: float
    burst: int

    @property
    def interval_s(self) -> float:
        return 60 / self.per_minute


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """Telegram's rates as people measured them; edits count like messages.

    Rate and burst together stay within 30 a second everywhere, and 20 a minute in a group.
    """

    everywhere: Rate = Rate(per_minute=25 * 60, burst=5)
    private: Rate = Rate(per_minute=60, burst=12)
    group: Rate = Rate(per_minute=15, burst=5)

    def of(self, chat_id: int | str) -> Rate:
        # Groups and channels have negative ids, or names.
        return self.private if isinstance(chat_id, int) and chat_id > 0 else self.group


@dataclass(slots=True)
class TokenBucket:
    """A token bucket kept as one number (GCRA): the moment by which all that was taken is earned.

    https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
    """

    rate: Rate
    earned_at: float = float("-inf")

    def take(self, now: float) -> float:
        """Reserve the next call; returns how many seconds it has to wait."""
        wait_s = self.wait_s(now)
        self.earned_at = max(self.earned_at, now) + self.rate.interval_s
        return wait_s

    def wait_s(self, now: float, *, keep: int = 0) -> float:
        """Seconds until a call may go that leaves `keep` calls of the burst for others."""
        allowance_s = (self.rate.burst - 1 - keep) * self.rate.interval_s
        return max(0.0, self.earned_at - allowance_s - now)

    def is_full(self, now: float) -> bool:
        return self.earned_at <= now


@dataclass(slots=True)
class RateLimiter:
    """The token buckets of all chats and of the whole bot, and Telegram's requests for silence."""

    limits: RateLimits
    _all: TokenBucket = field(init=False)
    _chats: dict[int | str, TokenBucket] = field(default_factory=dict)
    _silent_until: dict[int | str, float] = field(default_factory=dict)
    _all_silent_until: float = float("-inf")

    def __post_init__(self) -> None:
        self._all = TokenBucket(self.limits.everywhere)

    def __len__(self) -> int:
        """How many chats are remembered."""
        return len(self._chats)

    def take_of_chat(self, chat_id: int | str, now: float) -> float:
        """Reserve a call to the chat; returns how many seconds it has to wait."""
        return self._chat(chat_id, now).take(now)

    def take_of_all(self, now: float) -> float:
        """Reserve one of the calls of the whole bot, for one whose chat is ready; likewise."""
        return self._all.take(now)

    def low_priority_wait_s(self, chat_id: int | str, now: float) -> float:
        """Seconds until a call that nobody waits for may go; it leaves some of each burst."""
        chat = self._chat(chat_id, now)
        return max(
            self.silent_s(chat_id, now),
            *(bucket.wait_s(now, keep=bucket.rate.burst // 4) for bucket in (self._all, chat)),
        )

    def silence(self, chat_id: int | str | None, seconds: float, now: float) -> None:
        """Telegram asked for silence: in this chat, or everywhere if it named none."""
        until = now + seconds
        if chat_id is not None:
            self._silent_until = {c: t for c, t in self._silent_until.items() if t > now}
            self._silent_until[chat_id] = max(until, self._silent_until.get(chat_id, until))
        if chat_id is None or len(self._silent_until) >= SILENT_CHATS_MEAN_ALL:
            self._all_silent_until = max(self._all_silent_until, until)

    def silent_s(self, chat_id: int | str, now: float) -> float:
        """Seconds for which nothing may be sent to the chat."""
        until = max(self._all_silent_until, self._silent_until.get(chat_id, now))
        return max(0.0, until - now)

    def _chat(self, chat_id: int | str, now: float) -> TokenBucket:
        if len(self._chats) > FORGET_ABOVE_CHATS:
            self._chats = {c: b for c, b in self._chats.items() if not b.is_full(now)}
        return self._chats.setdefault(chat_id, TokenBucket(self.limits.of(chat_id)))
