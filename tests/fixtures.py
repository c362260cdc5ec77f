"""Fixtures of the whole suite: the run's servers, a database of one's own per test, and no way out of the machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.servers import debian, postgres, registry, valkey

_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3
"""Free bytes that a folder in memory needs: a run's servers use well under one of the four gigabytes."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the run's folder, once, in the process that leads the run."""
    if not hasattr(config, "workerinput"):
        os.environ[registry.RUN_FOLDER] = tempfile.mkdtemp(prefix="crossdesk-tests-", dir=_memory())


def _memory() -> Path | None:
    """Where the servers' files may stand in memory, if there is room: a database of its own for each test is a lot of small files."""
    available = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    has_memory = available is not None and int(available.group(1)) * 1024 > 2 * _ROOM
    return _MEMORY if has_memory and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the run started."""
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ[registry.RUN_FOLDER])
        registry.stop_all(folder)
        shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List, one line each, what could not run on this machine."""
    reasons = {
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and "needs" in report.longrepr[2]
    }
    for reason in sorted(reasons):
        terminalreporter.write_line(f"not run: {reason}")


def server(name: str, start: Any) -> dict[str, Any]:
    """The run's server, or a skip that says what is missing; with `CI=true` missing is a failure."""
    try:
        return registry.running(name, start)
    except registry.Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name}: {missing}")
        pytest.skip(f"{name} needs {missing}")


@pytest.fixture
def database_url() -> Iterator[str]:
    """An empty, migrated database of the test's own, as an SQLAlchemy URL."""
    address = server("postgres", postgres.start)["url"]
    template = registry.once("crossdesk_template", lambda: _make_template(address))
    name = f"test_{uuid.uuid4().hex}"
    _administer(address, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield _named(address, name)
    _administer(address, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def redis_url() -> str:
    """An empty Redis database of the test process's own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    address = f"{server('valkey', valkey.start)['url']}?db={int(worker) % 16}"
    with redis.Redis.from_url(address) as client:
        client.flushdb()
    return address


def _make_template(address: str) -> str:
    """Migrate one database; PostgreSQL copies it for each test in a few hundredths of a second."""
    _administer(address, 'CREATE DATABASE "crossdesk_template"')
    if importlib.util.find_spec("plugin.store.schema") is not None:
        importlib.import_module("plugin.store.schema").upgrade(_named(address, "crossdesk_template"))
    return "crossdesk_template"


def _administer(address: str, statement: str) -> None:
    with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement.encode())


def _named(address: str, name: str) -> str:
    return address.replace("@/postgres?", f"@/{name}?")


def package(*names: str) -> None:
    """Have Debian packages, or a skip that says which are missing; with `CI=true` missing is a failure."""
    try:
        debian.install(*names)
    except registry.Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(f"this needs {missing}")


@pytest.fixture
def chromium() -> str:
    """Where Debian's Chromium is."""
    package("chromium")
    return shutil.which("chromium") or "/usr/bin/chromium"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test open a connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1", "localhost")):
            raise AssertionError(f"a test tried to reach {address!r}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
