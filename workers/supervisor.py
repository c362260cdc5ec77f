"""Keeps a family of processes going: starts them in order, brings back who dies, and leaves nobody behind.

The parent imports the application once and forks its children from there, so that they share its memory; it opens no connection and
starts no thread before it forks. It stays small: what has to happen once before (a migration) happens in a child too. Signals are
waited for, not handled, so nothing of ours runs inside a signal handler. This module knows nothing of what its children do.

When the parent is killed, the kernel kills the children. Whoever forks further (a web server's workers, a queue's horses) ties those
to itself with `leash.die_with_parent`.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import NoReturn, Self

import structlog

from workers import processes
from workers.embedded import EmbeddedServer
from workers.places import EmbeddedUnavailable
from workers.processes import Ready

_STOPS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_WATCHED = _STOPS | {signal.SIGCHLD}
_FIRST_PAUSE, _LONGEST_PAUSE, _STEADY_SECONDS = 0.25, 30.0, 60.0
_STARTS_IN_VAIN = 3
_LOOK_SECONDS = 0.02
_START_SECONDS = 60.0
_LAST_SECONDS = 10.0

log = structlog.get_logger()


class ChildFailed(Exception):
    """A child ended before it was of use; the log says why."""


class Stopped(Exception):
    """We were asked to stop before everything ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process of the family: what it is called, and what it does until it is told to stop by SIGTERM.

    A vital child that never becomes ready ends the start; any other is tried for ever and holds nobody up.
    """

    name: str
    run: Callable[[Ready], None]
    is_vital: bool = True


@dataclass(slots=True, kw_only=True)
class _Member:
    child: Child
    pid: int | None = None
    pipe: int | None = None
    is_ready: bool = False
    was_ready: bool = False
    began: float = 0.0
    deaths: int = 0
    due: float = 0.0


@dataclass(slots=True, kw_only=True)
class _Server:
    name: str
    start: Callable[[], EmbeddedServer]
    running: EmbeddedServer
    deaths: int = 0
    due: float = field(default=0.0)


class Supervisor:
    """The parent. Use it in a `with` block in the main thread: at its end everything that was started is gone.

    `drain_seconds`: how long children may take to finish what they are at.
    """

    def __init__(self, *, drain_seconds: float = 25.0) -> None:
        self._drain_seconds = drain_seconds
        self._members: list[_Member] = []
        self._servers: list[_Server] = []
        self._others: dict[int, int | None] = {}
        """Wait status of children that are no members, by process id; None while they run."""
        self._mask: set[int | signal.Signals] = set()

    def __enter__(self) -> Self:
        """Take over this process's signals, and the orphans of its children."""
        self._mask = set(signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED))
        processes.adopt_orphans(True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        """Stop everything: children first, then servers, last started first. Having been told to stop is no error."""
        self._stop_members()
        for server in reversed(self._servers):
            server.running.stop()
            log.info("stopped", process=server.name)
        processes.adopt_orphans(False)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        return kind is Stopped

    def serve(self, name: str, start: Callable[[], EmbeddedServer]) -> EmbeddedServer:
        """Start an embedded server that the children need; it is brought back when it dies, at the same address.

        Raises:
            EmbeddedUnavailable: it cannot run here.
        """
        running = start()
        log.info("started", process=name, pid=running.pid)
        self._servers.append(_Server(name=name, start=start, running=running))
        return running

    def once(self, name: str, task: Callable[[], None]) -> None:
        """Do something in a child of its own and wait for its end.

        Raises:
            ChildFailed: it did not end well.
            Stopped: we were told to stop meanwhile; the `with` block takes it as the end of its work.
        """
        pid = processes.fork(lambda _ready: task(), mask=self._mask - _WATCHED)
        self._others[pid] = None
        while self._others[pid] is None:
            if self._next_signal(1.0) in _STOPS:
                processes.kill_group(pid)
                raise Stopped
            self._reap()
        status = self._others.pop(pid)
        if status != 0:
            raise ChildFailed(f"{name} failed ({processes.told(status or 0)}); nothing was started. The lines above say why.")

    def run(self, children: Sequence[Child], *, on_ready: Callable[[], None] | None = None) -> NoReturn:
        """Start the children, each when the one before is ready, and keep them going until we are told to stop.

        Raises:
            ChildFailed: a vital one never became ready; the others are stopped when the `with` block ends.
            Stopped: always in the end; the `with` block takes it as the end of its work.
        """
        gc.collect()
        gc.freeze()
        for child in children:
            member = _Member(child=child)
            self._members.append(member)
            self._start(member)
            while not member.is_ready and (child.is_vital or not member.deaths):
                self._turn()
        if on_ready is not None:
            on_ready()
        while True:
            self._turn()

    def _turn(self) -> None:
        """Wait a moment for a signal, then see to everyone."""
        now = time.monotonic()
        dues = [now + _LOOK_SECONDS if member.pid else member.due for member in self._members if not member.is_ready]
        if self._next_signal(max(_LOOK_SECONDS, min([now + 1.0, *dues]) - now)) in _STOPS:
            raise Stopped
        self._reap()
        now = time.monotonic()
        for server in self._servers:
            self._see_to_server(server, now)
        for member in self._members:
            if member.pid is None and now >= member.due:
                self._start(member)
            elif not member.is_ready:
                self._look(member, now)

    def _start(self, member: _Member) -> None:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        member.pid = processes.fork(member.child.run, mask=self._mask - _WATCHED, pipe=writing, reads=self._pipes())
        os.close(writing)
        member.pipe, member.is_ready, member.began = reading, False, time.monotonic()
        log.info("started", process=member.child.name, pid=member.pid)

    def _look(self, member: _Member, now: float) -> None:
        """See whether a starting child has said that it is ready, or takes too long."""
        if member.pipe is None or member.pid is None:
            return
        with contextlib.suppress(BlockingIOError):
            if os.read(member.pipe, 1):
                os.close(member.pipe)
                member.pipe, member.is_ready, member.was_ready = None, True, True
                log.info("ready", process=member.child.name, pid=member.pid, seconds=round(now - member.began, 2))
                return
        if now - member.began > _START_SECONDS:
            log.error("not ready in time", process=member.child.name, pid=member.pid, seconds=_START_SECONDS)
            processes.kill_group(member.pid)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0] != 0:
                pid, status = ended
                if pid in self._others:
                    self._others[pid] = status
                for member in self._members:
                    if member.pid == pid:
                        self._bury(member, status)

    def _bury(self, member: _Member, status: int) -> None:
        """Note a child's death, take what is left of its group along, and plan its return."""
        if member.pid is not None:
            processes.kill_group(member.pid)
        if member.pipe is not None:
            os.close(member.pipe)
        now = time.monotonic()
        member.deaths = 1 if member.is_ready and now - member.began > _STEADY_SECONDS else member.deaths + 1
        member.pid, member.pipe, member.is_ready = None, None, False
        member.due = now + _pause(member.deaths)
        log.error("died", process=member.child.name, how=processes.told(status), again_in=round(member.due - now, 2))
        is_hopeless = os.waitstatus_to_exitcode(status) == os.EX_CONFIG or (not member.was_ready and member.deaths >= _STARTS_IN_VAIN)
        if is_hopeless and member.child.is_vital:
            raise ChildFailed(f"{member.child.name} could not start ({processes.told(status)}). The lines above say why.")

    def _see_to_server(self, server: _Server, now: float) -> None:
        if server.running.is_running or now < server.due:
            return
        server.deaths += 1
        server.due = now + _pause(server.deaths)
        log.error("died", process=server.name, pid=server.running.pid)
        try:
            server.running = server.start()
            log.info("started", process=server.name, pid=server.running.pid)
        except EmbeddedUnavailable as problem:
            log.error("not started", process=server.name, says=str(problem), again_in=round(_pause(server.deaths), 2))  # noqa: TRY400

    def _stop_members(self) -> None:
        """TERM for everyone, time to finish, then KILL; a second signal to us cuts the time short."""
        for member in self._members:
            if member.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(member.pid, signal.SIGTERM)
        until = time.monotonic() + self._drain_seconds
        while any(member.pid is not None for member in self._members) and time.monotonic() < until:
            if self._next_signal(0.2) in _STOPS:
                break
            self._reap_stopped()
        for member in self._members:
            if member.pid is not None:
                log.warning("killed", process=member.child.name, pid=member.pid, after=self._drain_seconds)
                processes.kill_group(member.pid)
        servers = {server.running.pid for server in self._servers}
        until = time.monotonic() + _LAST_SECONDS
        while (orphans := processes.children() - servers) and time.monotonic() < until:
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._reap_stopped()
            time.sleep(_LOOK_SECONDS)

    def _reap_stopped(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                for member in self._members:
                    if member.pid == pid:
                        processes.kill_group(pid)
                        member.pid = None
                        log.info("stopped", process=member.child.name)

    def _pipes(self) -> tuple[int, ...]:
        return tuple(member.pipe for member in self._members if member.pipe is not None)

    def _next_signal(self, seconds: float) -> int | None:
        found = signal.sigtimedwait(_WATCHED, seconds)
        return None if found is None else found.si_signo


def _pause(deaths: int) -> float:
    return float(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(deaths - 1, 10)))
