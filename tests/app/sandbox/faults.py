"""Faults on demand: what goes wrong, at which method, how often."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from app.sandbox.errors import BLOCKED, SECOND_BOT, ApiError, too_many_requests

DOWNLOAD = "download"
"""Stands where a method's name would, for the download of a file."""
EVERY_METHOD = "*"


class Accident(enum.StrEnum):
    """What happens to a call besides a plain refusal."""

    REFUSED = "refused"
    """Answered with an error, without any effect."""
    DROPPED_BEFORE = "dropped before"
    """The connection breaks before anything has happened."""
    DROPPED_AFTER = "dropped after"
    """Everything happened, but the answer is lost."""
    STALLED = "stalled"
    """Nothing comes for `seconds`; then the connection breaks without an effect."""
    SHORT = "short"
    """A download ends early, against its own Content-Length."""
    LYING_SIZE = "lying size"
    """A download is as large as `size` says, whatever was announced."""


@dataclass(slots=True)
class Fault:
    """One kind of accident, `times` times (None: until cleared), after `skip` good calls."""

    accident: Accident
    method: str = EVERY_METHOD
    times: int | None = 1
    skip: int = 0
    chat_id: int | None = None
    error: ApiError | None = None
    seconds: float = 0.0
    size: int = 0
    met: int = 0
    """How often it has happened."""

    def meets(self, method: str, chat_id: int | None) -> bool:
        """Whether this call is the unlucky one; counts it."""
        if self.method not in {EVERY_METHOD, method} or self.times == self.met:
            return False
        if self.chat_id is not None and self.chat_id != chat_id:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.met += 1
        return True


@dataclass(slots=True)
class Faults:
    """What goes wrong from now on. Methods are named as in the Bot API (`editMessageMedia`)."""

    _faults: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def meeting(self, method: str, chat_id: int | None) -> Fault | None:
        """The accident that this call has, if any."""
        return next((f for f in self._faults if f.meets(method, chat_id)), None)

    def too_many_requests(
        self, method: str, *, retry_after_s: int, times: int | None = 1, chat_id: int | None = None
    ) -> Fault:
        error = too_many_requests(retry_after_s)
        return self.refuse(method, error, times=times, chat_id=chat_id)

    def server_error(self, method: str, *, code: int = 502, times: int | None = 1) -> Fault:
        text = "Bad Gateway" if code == 502 else "Internal Server Error"
        return self.refuse(method, ApiError(code, text), times=times)

    def unauthorized(self, method: str = EVERY_METHOD, *, times: int | None = 1) -> Fault:
        return self.refuse(method, ApiError(401, "Unauthorized"), times=times)

    def conflict(self, *, times: int | None = 1) -> Fault:
        return self.refuse("getUpdates", ApiError(409, SECOND_BOT), times=times)

    def blocked(self, method: str, *, times: int | None = 1) -> Fault:
        return self.refuse(method, ApiError(403, BLOCKED), times=times)

    def drop(self, method: str, *, after_effect: bool = False, times: int | None = 1) -> Fault:
        accident = Accident.DROPPED_AFTER if after_effect else Accident.DROPPED_BEFORE
        return self.add(Fault(accident, method, times))

    def stall(self, method: str, *, seconds: float, times: int | None = 1) -> Fault:
        return self.add(Fault(Accident.STALLED, method, times, seconds=seconds))

    def short_download(self, *, times: int | None = 1) -> Fault:
        return self.add(Fault(Accident.SHORT, DOWNLOAD, times))

    def lying_download(self, *, size: int, times: int | None = 1) -> Fault:
        return self.add(Fault(Accident.LYING_SIZE, DOWNLOAD, times, size=size))

    def refuse(
        self,
        method: str,
        error: ApiError,
        *,
        times: int | None = 1,
        chat_id: int | None = None,
    ) -> Fault:
        fault = Fault(Accident.REFUSED, method, times, chat_id=chat_id, error=error)
        return self.add(fault)
