"""Adds a section to `crossdesk.toml` and leaves every other byte of the file as it was. Knows how values are written, not what they mean."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from plugin.domain.errors import ConfigError

_SHORTHAND = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def reference(value: str) -> str:
    """`$NAME` as the file writes it, `env:NAME`; anything else as it is."""
    found = _SHORTHAND.fullmatch(value.strip())
    return f"env:{found[1]}" if found else value


def section(path: tuple[str, ...], values: Mapping[str, Any]) -> str:
    """A section as TOML: texts, numbers, true and false, and lists of them."""
    head = ".".join(part if _BARE.fullmatch(part) else json.dumps(part) for part in path)
    return "\n".join([f"[{head}]", *(f"{name} = {_written(value)}" for name, value in values.items())]) + "\n"


def append(path: Path, text: str, *, check: Callable[[Path], None]) -> None:
    """Write `text` behind the file's end, if the whole is in order: `check` is given a copy beside it and raises if it is not.

    The file keeps its mode and owner; nobody ever sees half of it.

    Raises:
        ConfigError: the file cannot be read or written, or what `check` raises. It is as it was.
    """
    target = path.resolve()
    try:
        before = target.read_bytes().decode("utf-8-sig")
        mode = target.stat()
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except (OSError, ValueError) as fault:
        raise ConfigError(
            f"{path} cannot be read or written ({type(fault).__name__}); nothing was changed. Write the file first."
        ) from None
    draft = Path(name)
    try:
        gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(target.read_bytes() + (gap + text).encode())
            handle.flush()
            os.fsync(handle.fileno())
        draft.chmod(stat.S_IMODE(mode.st_mode))
        if os.geteuid() == 0:
            os.chown(draft, mode.st_uid, mode.st_gid)
        check(draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def names(path: Path, kind: str) -> set[str]:
    """The names that `[kind.NAME]` sections of the file have already; none where it cannot be read."""
    try:
        found = tomllib.loads(path.read_bytes().decode("utf-8-sig")).get(kind, {})
    except (OSError, ValueError):
        return set()
    return set(found) if isinstance(found, dict) else set()


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, int | float):
        return repr(value)
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped too.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
