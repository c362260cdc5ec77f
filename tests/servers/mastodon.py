"""A server that speaks Mastodon's API: `mastodon-mock` from PyPI, in memory, with its fault injection. People are made while it runs.

Faults are the whole server's, so each test process has one of its own: `name()`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from tests.servers.registry import Missing, Started, free_port, spawn, wait_for

FAR = "far.example"
"""Where the people live who were made beforehand: somewhere else. Their tokens are `far-0`, `far-1` and so on."""
FAR_PEOPLE = 6


def name() -> str:
    """The server of this test process."""
    return f"mastodon-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"


def start(directory: Path) -> Started:
    """Start it. Info: `url` without a trailing slash, and `far`: the names of the people from elsewhere."""
    if importlib.util.find_spec("mastodon_mock") is None:
        raise Missing("the package mastodon-mock (PyPI)")
    people = [f"far{number}" for number in range(FAR_PEOPLE)]
    seeds = "".join(
        f'[[seed.accounts]]\nusername = "{who}"\ndomain = "{FAR}"\naccess_token = "far-{number}"\n' for number, who in enumerate(people)
    )
    (directory / "mock.toml").write_text(seeds)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mastodon_mock", "serve", "--in-memory", "--config", "mock.toml", "--host", "127.0.0.1"]
    process = spawn([*command, "--port", str(port)], directory, env={"PYTHONWARNINGS": "ignore"})
    wait_for(f"{url}/api/v2/instance", process)
    return Started(info={"url": url, "far": people}, pids=(process.pid,))
