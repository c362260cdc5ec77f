"""Forking, telling and ending processes: what the supervisor needs of the system. Knows nothing of why they run."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

import structlog

from workers import leash

Ready = Callable[[], None]
"""Called by a child, or by one of its own children, as soon as it can take work."""

_PR_SET_CHILD_SUBREAPER = 36

log = structlog.get_logger()


def fork(run: Callable[[Ready], None], *, mask: Iterable[int], pipe: int | None = None, reads: Iterable[int] = ()) -> int:
    """Run `run` in a child that leads its own group and is killed with us. Returns its process id.

    `mask`: the signals it blocks. `pipe`: where its being ready is told. `reads`: ends of pipes that are none of its business.
    """
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        for end in reads:
            os.close(end)
        _live(run, frozenset(mask), pipe, parent)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    return pid


def adopt_orphans(is_adopting: bool) -> None:  # noqa: FBT001 - on or off is all there is to say
    """Become, or stop being, the parent of what our descendants leave behind (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, int(is_adopting), 0, 0, 0)


def kill_group(pid: int) -> None:
    """Kill whatever is left of the group that `pid` led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def children() -> set[int]:
    """Our children, adopted orphans included, the dead too until they are reaped."""
    ours = str(os.getpid())
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            if (place / "stat").read_text().rpartition(")")[2].split()[1] == ours:
                found.add(int(place.name))
    return found


def told(status: int) -> str:
    """A wait status in words."""
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else f"signal {-code}, {signal.strsignal(-code)}"


def _live(run: Callable[[Ready], None], mask: frozenset[int], pipe: int | None, parent: int) -> NoReturn:
    """What a child does. It never returns into the parent's code."""
    code = 1
    try:
        os.setpgid(0, 0)
        leash.die_with_parent(parent, by=signal.SIGKILL)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        run(lambda: _tell(pipe))
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        log.exception("a process ended by a fault of its own")
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _tell(pipe: int | None) -> None:
    if pipe is not None:
        with contextlib.suppress(OSError):
            os.write(pipe, b"1")
