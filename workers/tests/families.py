"""Families for the supervisor's tests, each in a process of its own: `python -m workers.tests.families CASE FOLDER`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from plugin import log
from workers import leash
from workers.embedded import start_postgres, start_valkey
from workers.processes import Ready
from workers.supervisor import Child, ChildFailed, Supervisor

_FOLDER = Path(sys.argv[-1])


def _note(words: str) -> None:
    with (_FOLDER / "notes").open("a") as notes:
        notes.write(f"{words}\n")


def _until_told(*, name: str, drain: float = 0.0, delay: float = 0.0) -> Callable[[Ready], None]:
    def run(ready: Ready) -> None:
        told = []
        signal.signal(signal.SIGTERM, lambda *_: told.append(1))
        _note(f"{name} begins {os.getpid()}")
        time.sleep(delay)
        _note(f"{name} ready")
        ready()
        while not told:
            time.sleep(0.01)
        _note(f"{name} drains")
        time.sleep(drain)
        _note(f"{name} ends")

    return run


def _say_ready() -> None:
    sys.stdout.write("READY\n")
    sys.stdout.flush()


def plain(supervisor: Supervisor) -> None:
    supervisor.once("migrate", lambda: _note("migrated"))
    names = (("receiver", 0.3), ("worker", 0.1), ("sweeper", 0.0))
    supervisor.run([Child(name=name, run=_until_told(name=name, delay=delay, drain=0.2)) for name, delay in names], on_ready=_say_ready)


def stubborn(supervisor: Supervisor) -> None:
    supervisor.run([Child(name="worker", run=_until_told(name="worker", drain=600))], on_ready=_say_ready)


def with_descendants(supervisor: Supervisor) -> None:
    """A worker with a horse that left its group and is tied to it, and one that is not tied."""

    def run(ready: Ready) -> None:
        parent = os.getpid()
        tied = os.fork()
        if tied == 0:
            os.setpgrp()
            leash.die_with_parent(parent, by=signal.SIGKILL)
            time.sleep(600)
        loose = subprocess.Popen(["/bin/sleep", "600"], process_group=0)
        _note(f"tied {tied}")
        _note(f"loose {loose.pid}")
        _until_told(name="worker")(ready)

    supervisor.run([Child(name="worker", run=run)], on_ready=_say_ready)


def hopeless(supervisor: Supervisor) -> None:
    def run(_ready: Ready) -> None:
        _note("tried")
        raise OSError("the port is taken")

    supervisor.run([Child(name="good", run=_until_told(name="good")), Child(name="bad", run=run)], on_ready=_say_ready)


def patient(supervisor: Supervisor) -> None:
    def run(_ready: Ready) -> None:
        _note("tried")
        raise OSError("nobody answers")

    supervisor.run([Child(name="bad", run=run, is_vital=False), Child(name="good", run=_until_told(name="good"))], on_ready=_say_ready)


def misconfigured(supervisor: Supervisor) -> None:
    def run(_ready: Ready) -> None:
        _note("tried")
        sys.exit(os.EX_CONFIG)

    supervisor.run([Child(name="bad", run=run)], on_ready=_say_ready)


def failed_before(supervisor: Supervisor) -> None:
    def task() -> None:
        raise OSError("no migration today")

    supervisor.once("migrate", task)


def slow_before(supervisor: Supervisor) -> None:
    def task() -> None:
        _note(f"migrating {os.getpid()}")
        _say_ready()
        time.sleep(600)

    supervisor.once("migrate", task)


def with_servers(supervisor: Supervisor) -> None:
    database = supervisor.serve("postgres", lambda: start_postgres(_FOLDER / "postgres", detached=False))
    wakeups = supervisor.serve("valkey", lambda: start_valkey(_FOLDER / "valkey"))
    _note(f"database {database.url}")
    _note(f"wakeups {wakeups.url}")
    supervisor.run([Child(name="worker", run=_until_told(name="worker"))], on_ready=_say_ready)


def main() -> None:
    log.configure(is_pretty=False)
    try:
        with Supervisor(drain_seconds=2.0) as supervisor:
            globals()[sys.argv[1]](supervisor)
    except ChildFailed as failed:
        sys.stdout.write(f"FAILED {failed}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
