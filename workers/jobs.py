"""The one job there is, by name, and the job class that refuses every other.

RQ would run any importable callable that somebody writes into Redis, as its function, callback or web hook. Here a name is looked up
in an allow-list of one; whatever else a job asks for is refused and reported (facts/reliability, case 51).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from rq.job import Job

_log = structlog.get_logger("crossdesk.jobs")
QUEUE = "crossdesk"
WORK = "crossdesk.work"
ALLOWED = frozenset({WORK})
_actions: dict[str, Callable[[], Any]] = {}
_alarms: list[Callable[[str], None]] = []


class JobRefused(Exception):
    """A job in Redis asked for something that Crossdesk never asks for. It was not run."""


def provide(name: str, action: Callable[[], Any], *, alarm: Callable[[str], None]) -> None:
    """Say what an allowed name does in this process, and whom to tell of refused ones."""
    if name not in ALLOWED:
        raise ValueError(f"{name} is not an allowed job")
    _actions[name] = action
    _alarms[:] = [alarm]


class BridgeJob(Job):
    """A job that can only be one of ours: no arguments, no callbacks, no hooks, no dependencies."""

    @property
    def func(self) -> Any:
        """The action behind the name.

        Raises:
            JobRefused: it is not one of ours.
        """
        name = str(self.func_name)
        if name not in ALLOWED or self.instance is not None or self.args or self.kwargs or self._asks_for_more():
            _log.error("job_refused", name=name[:200], job_id=str(self.id)[:80])
            for alarm in _alarms:
                alarm(name[:200])
            raise JobRefused(
                "A job in Redis asked for something that Crossdesk never asks for. It was not run. Find out who can write there."
            )
        return _actions[name]

    @property
    def success_callback(self) -> None:
        """There are none."""
        return

    @property
    def failure_callback(self) -> None:
        """There are none."""
        return

    @property
    def stopped_callback(self) -> None:
        """There are none."""
        return

    def _asks_for_more(self) -> bool:
        names = ("_success_callback_name", "_failure_callback_name", "_stopped_callback_name", "webhooks", "repeats_left", "retries_left")
        return any(getattr(self, name, None) for name in names)
