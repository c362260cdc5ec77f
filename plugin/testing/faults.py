"""The bad days of a fake: which call goes wrong in which way, written down beforehand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
    WindowClosed,
)

T = TypeVar("T")


class Fault(StrEnum):
    """What goes wrong in one call."""

    LOSE_ANSWER = "lose the answer after applying"
    LOSE_REQUEST = "lose the request, so that nobody knows"
    REFUSE = "refuse"
    GONE = "the target is gone"
    RATE_LIMIT = "ask to wait"
    UNAVAILABLE = "not reachable"
    BAD_CREDENTIALS = "reject the credentials"
    CLOSE_WINDOW = "the reply window is closed"


class Faults:
    """A script for each call by its name, used up from the front. Thread-safe; nothing is left to chance."""

    def __init__(self) -> None:
        self._scripts: dict[str, list[Fault | None]] = {}
        self._lock = threading.Lock()

    def script(self, call: str, *faults: Fault | None) -> None:
        """The next calls of this name go so, one after the other; None goes well. What is scripted already comes first."""
        with self._lock:
            self._scripts.setdefault(call, []).extend(faults)

    def clear(self) -> None:
        """All is well from now on."""
        with self._lock:
            self._scripts.clear()

    def around(self, call: str, apply: Callable[[], T]) -> T:
        """What `apply` returns, or what the script says.

        Raises:
            RemoteError: as scripted.
        """
        with self._lock:
            waiting = self._scripts.get(call)
            fault = waiting.pop(0) if waiting else None
        if fault is None:
            return apply()
        if fault is Fault.LOSE_ANSWER:
            apply()
        raise _error(fault, call)


def _error(fault: Fault, call: str) -> RemoteError:
    sentence = f"The fake was told to do this to {call}: {fault.value}. Nothing else is wrong; go on as for the real one."
    if fault is Fault.RATE_LIMIT:
        return RateLimited(sentence, retry_after=1.0)
    kinds: dict[Fault, type[RemoteError]] = {
        Fault.LOSE_ANSWER: OutcomeUnknown,
        Fault.LOSE_REQUEST: OutcomeUnknown,
        Fault.REFUSE: RemoteRejected,
        Fault.GONE: TargetGone,
        Fault.UNAVAILABLE: RemoteUnavailable,
        Fault.BAD_CREDENTIALS: CredentialsRejected,
        Fault.CLOSE_WINDOW: WindowClosed,
    }
    return kinds[fault](sentence)
