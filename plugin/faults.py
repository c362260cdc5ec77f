"""Named fault points. They do nothing unless `CROSSDESK_FAULTS` is set, which only the fault harness does.

`CROSSDESK_FAULTS="send.before_call=3:kill,turn.after_commit=1:stop"` kills (SIGKILL) or freezes (SIGSTOP) this process when the named
point is passed for the third, or the first, time. `CROSSDESK_FAULTS_LOG=path` appends each point's name once per process, so that a clean
run tells the harness which points there are.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class FaultPoints:
    """The armed points of one process."""

    def __init__(self, armed: str = "", log: str = "") -> None:
        self._armed: dict[str, tuple[int, signal.Signals]] = {}
        for item in filter(None, armed.split(",")):
            name, _, what = item.partition("=")
            count, _, action = what.partition(":")
            self._armed[name] = (int(count or 1), _SIGNALS[action or "kill"])
        self._log = Path(log) if log else None
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()

    def passed(self, name: str) -> None:
        """Count the point and strike if it is armed for this count."""
        with self._lock:
            self._seen[name] = self._seen.get(name, 0) + 1
            count = self._seen[name]
            if count == 1 and self._log is not None:
                with self._log.open("a", encoding="utf-8") as log:
                    log.write(name + "\n")
            armed = self._armed.get(name)
        if armed is not None and armed[0] == count:
            os.kill(os.getpid(), armed[1])


def _from_environment() -> FaultPoints | None:
    armed, log = os.environ.get("CROSSDESK_FAULTS", ""), os.environ.get("CROSSDESK_FAULTS_LOG", "")
    return FaultPoints(armed, log) if armed or log else None


_points = _from_environment()


def point(name: str) -> None:
    """Mark a moment at which a crash must lose, double and reorder nothing."""
    if _points is not None:
        _points.passed(name)
