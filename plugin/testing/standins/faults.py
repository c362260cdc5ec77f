"""What the stand-in can be told to do wrong. A fault strikes a number of calls, then is gone."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a call goes wrong."""

    RATE_LIMIT = "rate_limit"
    """429 with `retry_after` = value; not applied."""
    ERROR_BEFORE = "error_before"
    """Status value; not applied."""
    ERROR_AFTER = "error_after"
    """Status value; applied."""
    STALL_BEFORE = "stall_before"
    """Waits value seconds, then applies: late, if the caller has given up."""
    STALL_AFTER = "stall_after"
    """Applies, then waits value seconds with the answer."""
    DROP_BEFORE = "drop_before"
    """Cuts the connection; not applied."""
    DROP_AFTER = "drop_after"
    """Applies, then cuts the connection."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault. `at` is the call, as its stand-in names it (any, when empty); `value` a status, or seconds; `times` how many it strikes."""

    kind: Kind | str
    at: str = ""
    value: float = 0.0
    times: int = 1


class Faults:
    """The armed faults, oldest first."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, fault: Fault) -> None:
        """Let a fault strike from now on."""
        fault.kind = Kind(fault.kind)
        with self._lock:
            self._armed.append(fault)

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._armed.clear()

    def strike(self, at: str) -> Fault | None:
        """The fault that meets this call, counted."""
        with self._lock:
            for fault in self._armed:
                if fault.at.lower() in ("", at.lower()) and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None
