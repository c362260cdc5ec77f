"""Ties a process to the one that started it, and takes root away from it. Knows nothing of what the process is.

Run as a script it prepares itself and becomes the command (`leash.py JSON`), so that nothing of Python has to run between fork and exec
of a process that may have threads. It imports only the standard library and nothing of ours: it starts with `python -I -S`.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_READ_ANYWHERE, _ENTER_ANYWHERE = 2, 1
"""CAP_DAC_READ_SEARCH, and CAP_DAC_OVERRIDE where a container does not grant the first (capabilities(7))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account without rights. `passes_closed_folders`: it may enter folders that are closed to it, such as a checkout under /root."""

    uid: int
    gid: int
    passes_closed_folders: bool = False


def die_with_parent(parent: int, *, by: int = signal.SIGTERM) -> None:
    """Have the kernel send us `by` when the *thread* that started us ends; if the parent is gone already, end now (prctl(2)).

    Call it after giving up rights: a change of user clears the setting.
    """
    _checked("prctl", _libc().prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0))
    if os.getppid() != parent:
        os._exit(os.EX_TEMPFAIL)


def become(account: Account) -> None:
    """Give up root for good."""
    if account.passes_closed_folders:
        _checked("prctl", _libc().prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    if account.passes_closed_folders:
        _keep_only(_first_granted())


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    lock: Path | None = None,
    dies_by: int | None = None,
) -> int:
    """Start `command` as leader of its own session, its output appended to `log`. Returns its process id; the caller reaps it.

    `dies_by`: the signal it gets when the calling thread ends, None to let it outlive us. `lock`: a file that only one such process may
    hold; it waits half a minute for a predecessor and then ends.
    """
    order = {
        "command": list(command),
        "parent": os.getpid() if dies_by is not None else None,
        "by": dies_by,
        "lock": None if lock is None else str(lock),
        "account": None if account is None else [account.uid, account.gid, account.passes_closed_folders],
    }
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", __file__, json.dumps(order)],
        dict(os.environ if env is None else env),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsigmask=(),
        setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD),
    )


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _first_granted() -> int:
    header, sets = _Header(_CAPABILITY_VERSION_3, 0), (_Sets * 2)()
    _checked("capget", _libc().capget(ctypes.byref(header), sets))
    return _READ_ANYWHERE if sets[0].permitted & (1 << _READ_ANYWHERE) else _ENTER_ANYWHERE


def _keep_only(capability: int) -> None:
    header, sets = _Header(_CAPABILITY_VERSION_3, 0), (_Sets * 2)()
    bit = 1 << capability
    sets[0] = _Sets(bit, bit, bit)
    _checked("capset", _libc().capset(ctypes.byref(header), sets))
    _checked("prctl", _libc().prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def _hold(path: str) -> None:
    """Lock the file for as long as we, or what we become, live."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + 30
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                sys.exit(f"{path} is held by another process: is the same Crossdesk already running?")
            time.sleep(0.1)
        else:
            os.set_inheritable(handle, True)
            return


def _main() -> None:
    order = json.loads(sys.argv[1])
    os.setsid()
    if order["account"] is not None:
        uid, gid, passes = order["account"]
        become(Account(uid=uid, gid=gid, passes_closed_folders=passes))
    if order["parent"] is not None:
        die_with_parent(order["parent"], by=order["by"])
    if order["lock"] is not None:
        _hold(order["lock"])
    os.execv(order["command"][0], order["command"])  # noqa: S606 - becoming the command is what this is for


if __name__ == "__main__":
    _main()
