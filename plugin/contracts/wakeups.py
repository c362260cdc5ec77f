"""Wake-ups: hints that there is work. Losing every one of them loses nothing."""

from __future__ import annotations

from typing import Protocol


class WakeUps(Protocol):
    """Tells sleeping workers that the database holds something due."""

    def wake(self) -> None:
        """Say it. Never raises, never takes longer than 300 ms."""
        ...
