"""Starts each server once per run, whichever test process asks first, and stops all of them when the run ends.

A run's folder holds `NAME.lock`, `NAME.json` (what the tests need to know, and the process ids) and `NAME/` (the server's own files).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

RUN_FOLDER = "CROSSDESK_TEST_RUN"
_spawned: list[subprocess.Popen[bytes]] = []
"""Kept for as long as this process lives: a process object that is dropped while its process runs is a warning, so an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A running server: JSON-able `info` for the tests, and the leaders of its process groups in the order in which to stop them."""

    info: dict[str, Any]
    pids: tuple[int, ...]


class Missing(Exception):
    """A server cannot run here; the sentence says what is needed."""


def running(name: str, start: Callable[[Path], Started]) -> dict[str, Any]:
    """The info of the run's server `name`, started now if nobody did yet.

    Raises:
        Missing: it cannot run on this machine; the reason is remembered for the whole run.
    """
    folder = Path(os.environ[RUN_FOLDER])
    record = folder / f"{name}.json"
    with _locked(folder / f"{name}.lock"):
        if not record.exists():
            directory = folder / name
            directory.mkdir()
            try:
                started = start(directory)
                record.write_text(json.dumps({"info": started.info, "pids": started.pids}))
            except Missing as missing:
                record.write_text(json.dumps({"missing": str(missing), "pids": []}))
        stored = json.loads(record.read_text())
    if "missing" in stored:
        raise Missing(stored["missing"])
    return cast(dict[str, Any], stored["info"])


def once(name: str, make: Callable[[], str]) -> str:
    """What `make` returns, made once per run whichever test process asks first."""
    record = Path(os.environ[RUN_FOLDER]) / f"{name}.made"
    with _locked(record.with_suffix(".lock")):
        if not record.exists():
            record.write_text(make())
        return record.read_text()


def stop_all(folder: Path) -> None:
    """Stop every server of the run, last started first; what does not end within ten seconds is killed."""
    records = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for record in records:
        for pid in json.loads(record.read_text())["pids"]:
            _stop_group(pid)


def spawn(command: list[str], directory: Path, *, env: dict[str, str] | None = None, name: str = "server") -> subprocess.Popen[bytes]:
    """Start a server as leader of its own process group, with its output in `directory/NAME.log`."""
    with (directory / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _spawned.append(process)
    return process


def free_port() -> int:
    """A TCP port on loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return cast(int, probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], *, seconds: float = 90.0) -> None:
    """Wait until `url` answers with anything below 500.

    Raises:
        RuntimeError: the process ended or the time ran out; the sentence names its log.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode} before it answered")
        with contextlib.suppress(OSError):
            try:
                urllib.request.urlopen(url, timeout=2).close()
            except urllib.error.HTTPError as answer:
                answer.close()
                if answer.code >= 500:
                    raise OSError from answer
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer within {seconds:.0f} s")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _stop_group(pid: int) -> None:
    for force, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, force)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            try:
                os.killpg(pid, 0)
            except (ProcessLookupError, PermissionError):
                return
            time.sleep(0.05)
