"""Fixtures of the whole suite: the run's servers, a database of one's own per test, and no way out of the machine."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.servers import registry

_MISSING: dict[str, str] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Make the run's folder, once, in the process that leads the run."""
    if not hasattr(config, "workerinput"):
        os.environ[registry.RUN_FOLDER] = tempfile.mkdtemp(prefix="crossdesk-tests-")


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


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test open a connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1", "localhost")):
            raise AssertionError(f"a test tried to reach {address!r}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
