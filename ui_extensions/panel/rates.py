"""How often somebody may ask: a bucket of tries for each, refilled steadily. In this process's memory; the web server in front may be stricter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_MOST = 20_000


class Rates:
    """`a_second` tries on average, `at_once` in a burst, for each name."""

    def __init__(self, *, a_second: float, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._a_second, self._at_once, self._clock = a_second, at_once, clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, name: str) -> float:
        """Take one try: 0 if there was one, else the seconds until there is."""
        with self._lock:
            left = self._now(name)
            if left >= 1.0:
                left -= 1.0
                self._left[name] = (left, self._clock())
                return 0.0
            return (1.0 - left) / self._a_second

    def left(self, name: str) -> float:
        """The same without taking one."""
        with self._lock:
            return max(0.0, (1.0 - self._now(name)) / self._a_second)

    def _now(self, name: str) -> float:
        """Tries that there are now."""
        if len(self._left) > _MOST:
            self._left.clear()
        left, then = self._left.get(name, (float(self._at_once), 0.0))
        return min(float(self._at_once), left + (self._clock() - then) * self._a_second)
