"""A real Valkey from PyPI's wheel, on a socket in its own folder."""

from __future__ import annotations

from pathlib import Path

from tests.servers.registry import Started
from workers.embedded import start_valkey


def start(directory: Path) -> Started:
    """Start it. Info: `url`."""
    server = start_valkey(directory / "data", detached=True)
    return Started(info={"url": server.url}, pids=(server.pid,))
