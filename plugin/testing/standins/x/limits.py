"""How often each call may be made by each caller (X documentation, "Rate limits": windows of 15 minutes, told in headers)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from plugin.testing.standins.x.refusals import Refused

WINDOW = 900.0
_MANY = 450
_FEW: Mapping[str, int] = {
    "POST /2/tweets": 100,
    "DELETE /2/tweets/<one>": 50,
    "PUT /2/tweets/<one>/hidden": 50,
    "POST /2/dm_conversations/with/<one>/messages": 15,
    "POST /2/dm_conversations/<one>/messages": 15,
    "GET /2/dm_events": 15,
    "GET /2/dm_conversations/with/<one>/dm_events": 15,
    "GET /2/dm_conversations/<one>/dm_events": 15,
    "GET /2/users/<one>/mentions": 300,
}


@dataclass(slots=True, kw_only=True)
class Limits:
    """The counters. `most` changes a call's limit, for instance `{"POST /2/tweets": 1}`."""

    now: Callable[[], float]
    most: dict[str, int] = field(default_factory=dict)
    _spent: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, call: str, caller: str) -> dict[str, str]:
        """Count a call; the headers of its answer.

        Raises:
            Refused: 429.
        """
        most = self.most.get(call, _FEW.get(call, _MANY))
        with self._lock:
            now = self.now()
            ends, count = self._spent.get((call, caller), (now + WINDOW, 0))
            if now >= ends:
                ends, count = now + WINDOW, 0
            headers = {
                "x-rate-limit-limit": str(most),
                "x-rate-limit-remaining": str(max(0, most - count - 1)),
                "x-rate-limit-reset": str(int(ends)),
            }
            if count >= most:
                raise Refused(429, "Too Many Requests", "Too Many Requests", headers=headers)
            self._spent[call, caller] = (ends, count + 1)
        return headers
