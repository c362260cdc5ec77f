"""Who else has a ticket's panel open, from the questions that the panels ask. In this process's memory: it is advice, and gone after 20 seconds.

With several receivers each knows those who ask it; what really keeps two agents apart is the lock, which is in the database.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 20.0
_MOST_TICKETS = 20_000
DOINGS = ("viewing", "typing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Somebody who is there. `doing`: viewing or typing."""

    agent_id: str
    name: str
    doing: str
    seen: float


class Presence:
    """Everybody who is there, by ticket. Any thread may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._there: dict[tuple[str, str], dict[str, Present]] = {}

    def seen(self, helpdesk: str, ticket: str, agent_id: str, name: str, *, doing: str) -> list[Present]:
        """An agent's panel has asked. Returns who is there now, this one included, by name."""
        now, key = self._clock(), (helpdesk, ticket)
        with self._lock:
            if len(self._there) > _MOST_TICKETS:
                self._forget(now)
            here = self._there.setdefault(key, {})
            here[agent_id] = Present(agent_id=agent_id, name=name, doing=doing if doing in DOINGS else DOINGS[0], seen=now)
            for gone in [other for other, item in here.items() if item.seen < now - SECONDS]:
                del here[gone]
            return sorted(here.values(), key=lambda item: (item.name, item.agent_id))

    def _forget(self, now: float) -> None:
        for key in [key for key, here in self._there.items() if all(item.seen < now - SECONDS for item in here.values())]:
            del self._there[key]
