"""A real PostgreSQL from PyPI's wheel, on a socket in its own folder. As root it runs under an unprivileged account of its own."""

from __future__ import annotations

from pathlib import Path

from tests.servers.registry import Started
from workers.embedded import start_postgres


def start(directory: Path) -> Started:
    """Start it. Info: `url` (SQLAlchemy's form, database `postgres`)."""
    server = start_postgres(directory / "data")
    return Started(info={"url": server.url}, pids=(server.pid,))
