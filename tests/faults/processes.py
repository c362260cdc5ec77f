"""The bridge as separate processes that can be killed and frozen one by one, and the servers below it. Children come from a fork server that has
imported everything, so that a restart costs a fork and not a second of imports; what they run is the `crossdesk` command itself.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Self

import psutil

from workers.embedded import EmbeddedServer, start_postgres, start_valkey
from workers.leash import die_with_parent
from workers.places import EmbeddedUnavailable

ROLES = {"receiver": "serve", "worker-1": "work", "worker-2": "work", "sweeper": "sweep"}
_ROOT = Path(__file__).resolve().parents[2]


def context() -> ForkServerContext:
    """Where our processes come from."""
    paths = [str(_ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["plugin.cli", "tests.faults.processes", "tests.faults.alone"])
    return found


def enter(log: Path) -> None:
    """Make a forked child a process of its own: own session, output into `log`, gone with the fork server."""
    os.setsid()
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    die_with_parent(os.getppid(), by=signal.SIGKILL)


def _run(command: str, config: str, log: str, faults: str) -> None:
    enter(Path(log))
    if faults:
        arm(faults, "")
    from plugin.cli import main

    main(["--config", config, command], standalone_mode=True)


def arm(faults: str, log: str) -> None:
    """Arm the fault points of this process, as `CROSSDESK_FAULTS` does at its start."""
    from plugin import faults as points

    points._points = points.FaultPoints(faults, log)


class Bridge:
    """The processes of one bridge. Whoever dies is started again, as a supervisor would."""

    def __init__(self, config: Path, folder: Path, roles: Sequence[str] = tuple(ROLES)) -> None:
        self._config, self._folder = config, folder
        self._context = context()
        self._roles = tuple(roles)
        self._processes: dict[str, ForkServerProcess] = {}
        self._sessions: set[int] = set()
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True, name="faults-supervisor")
        self.restarts = 0

    def __enter__(self) -> Self:
        """Start everything."""
        for role in self._roles:
            self._start(role)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing running."""
        self._is_over.set()
        self._watcher.join(timeout=10)
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid or 0, signal.SIGCONT)
                process.terminate()
        until = time.monotonic() + 5
        for process in self._processes.values():
            process.join(max(0.0, until - time.monotonic()))
        for pid in self._everyone():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self._processes.values():
            process.join(5)
            process.close()

    def pid(self, role: str) -> int:
        """Whoever plays the role now."""
        with self._lock:
            return self._processes[role].pid or 0

    def below(self, role: str) -> list[int]:
        """The children of a role's process: the horse of a worker, the serving process of the receiver."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child.pid for child in psutil.Process(self.pid(role)).children()]
        return []

    def strike(self, pids: Sequence[int], number: signal.Signals) -> int:
        """Send a signal to those that are there; returns how many."""
        struck = 0
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
                struck += 1
        return struck

    @contextlib.contextmanager
    def frozen(self, pids: Sequence[int]) -> Iterator[None]:
        """Those processes stand still meanwhile."""
        self.strike(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            self.strike(pids, signal.SIGCONT)

    def everyone(self) -> list[int]:
        """Every process of the bridge, orphans included."""
        return self._everyone()

    def _everyone(self) -> list[int]:
        found = []
        for pid in psutil.pids():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) in self._sessions:
                    found.append(pid)
        return found

    def _start(self, role: str) -> None:
        arguments = (ROLES[role], str(self._config), str(self._folder / f"{role}.log"), "")
        process = self._context.Process(target=_run, args=arguments, daemon=True)
        process.start()
        with self._lock:
            self._processes[role] = process
            self._sessions.add(process.pid or 0)

    def _watch(self) -> None:
        while not self._is_over.wait(0.05):
            for role, process in list(self._processes.items()):
                if not process.is_alive() and not self._is_over.is_set():
                    process.join()
                    self.restarts += 1
                    self._start(role)
                    process.close()


class Servers:
    """A PostgreSQL and a Valkey of one's own, to be killed and started again. Use it from one thread: they end with that one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.postgres: EmbeddedServer = start_postgres(folder / "postgres", detached=False)
        self.valkey: EmbeddedServer = start_valkey(folder / "valkey", detached=False)

    def kill_postgres(self) -> None:
        """`kill -9` of the whole server."""
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [self.postgres.pid, *(child.pid for child in psutil.Process(self.postgres.pid).children())]
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        _wait_for_end(self.postgres)

    def start_postgres(self) -> None:
        """Start it again on the same data."""
        for _ in range(20):
            try:
                self.postgres = start_postgres(self._folder / "postgres", detached=False)
            except EmbeddedUnavailable as problem:
                print(problem, file=sys.stderr)
                time.sleep(0.25)
            else:
                return
        raise AssertionError("PostgreSQL does not come up again")

    def kill_valkey(self) -> None:
        """`kill -9`."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.valkey.pid, signal.SIGKILL)
        _wait_for_end(self.valkey)

    def start_valkey(self) -> None:
        """Start it again."""
        self.valkey = start_valkey(self._folder / "valkey", detached=False)

    def stop(self) -> None:
        """End both."""
        self.valkey.stop()
        self.postgres.stop()


def _wait_for_end(server: EmbeddedServer) -> None:
    until = time.monotonic() + 10
    while server.is_running and time.monotonic() < until:
        time.sleep(0.01)
