"""Waiting in tests for what other threads, processes and servers bring about: until it is there, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T | None], *, seconds: float = 30.0, pause: float = 0.1) -> T:
    """What `look` finds, as soon as it finds something true; it looks again after each `pause`."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, f"still {found!r} after {seconds:g} s"
        time.sleep(pause)
    return found
