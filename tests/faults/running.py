"""A whole bridge of real processes on servers of its own, for the cases that are about processes. One serves many tests."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

from plugin.cli.running import migrate
from plugin.store import ledger
from plugin.store.database import Database
from tests.faults import drill
from tests.faults.processes import Bridge, Servers
from tests.faults.stage import Said, Stage, configuration, raised


class Running:
    """Stage, processes and servers, and what one asks of them."""

    def __init__(self, stage: Stage, bridge: Bridge, servers: Servers, folder: Path) -> None:
        self.stage, self.bridge, self.servers, self.folder = stage, bridge, servers, folder
        self.database = Database(servers.postgres.url, pool_size=1)

    def pair(self) -> tuple[Said, Said]:
        """A public and a private conversation that nobody has used."""
        self.stage.open(2)
        return self.stage.conversations[-2], self.stage.conversations[-1]

    def is_ready(self) -> bool:
        """Whether the receiver answers."""
        try:
            return requests.get(f"http://127.0.0.1:{self.stage.receiver_port}/readyz", timeout=5).ok
        except requests.ConnectionError:
            return False

    def is_whole(self, *, seconds: float = 40.0, told_twins: int = 0) -> None:
        """Soon everything that was ever written stands on both sides, once and in order, and the ledger agrees."""
        until = time.monotonic() + seconds
        while True:
            self.stage.answer_new()
            count = self.stage.count()
            if (count.is_complete and drill.open_work(self.database) == 0) or time.monotonic() > until:
                break
            time.sleep(0.1)
        assert count.missing == ()
        assert len(count.doubled) <= told_twins, count.doubled
        assert count.reordered == ()
        with self.database.begin() as connection:
            balance = ledger.balance(connection)
        assert balance.is_ok, balance

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The database's own word."""
        from sqlalchemy import text

        with self.database.begin() as connection:
            return [dict(row._mapping) for row in connection.execute(text(query))]


def until(condition: Callable[[], Any], *, seconds: float = 20.0) -> Any:
    """Wait for something; what it was."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not so after {seconds} s"
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Start it all; leave nothing."""
    servers = Servers(folder)
    try:
        with raised() as stage:
            config = configuration(stage, folder, database=servers.postgres.url, redis=servers.valkey.url)
            migrate(drill.load(config))
            with Bridge(config, folder) as bridge:
                made = Running(stage, bridge, servers, folder)
                until(made.is_ready)
                yield made
                made.database.dispose()
    finally:
        servers.stop()
