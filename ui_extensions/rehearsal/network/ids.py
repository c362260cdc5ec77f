"""Ids of the network's own making."""

from __future__ import annotations

import threading
import time


class Ids:
    """Ids that rise with time and never repeat, also after the data was thrown away."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def new(self, prefix: str) -> str:
        """The next id; `prefix` tells people what it is of."""
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1000)
            return f"{prefix}_{self._last:x}"
