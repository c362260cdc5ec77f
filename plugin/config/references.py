"""Secrets that do not stand in the file: `"env:NAME"` and `"file:PATH"`, wherever a text may stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plugin.config.findings import Findings
from plugin.config.lines import KeyPath

_VARIABLE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_LARGEST = 64_000


class References:
    """Looks references up, in the environment and in files beside `folder`."""

    def __init__(self, findings: Findings, folder: Path, environ: Mapping[str, str]) -> None:
        self._findings = findings
        self._folder = folder
        self._environ = environ

    def resolved(self, value: Any, path: KeyPath = ()) -> Any:
        """`value` with every reference replaced, at any depth. What cannot be found is noted and left as it is."""
        if isinstance(value, dict):
            return {key: self.resolved(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.resolved(inner, (*path, index)) for index, inner in enumerate(value)]
        if not is_reference(value):
            return value
        found = self._variable(value, path) if value.startswith("env:") else self._file(value.removeprefix("file:"), path)
        if found is None:
            return value
        self._findings.secrets.add(found)
        return found

    def _variable(self, value: str, path: KeyPath) -> str | None:
        name = value.removeprefix("env:")
        if self._environ.get(name):
            return self._environ[name]
        self._findings.problem(
            path, f"the environment variable {name} is not set. Set it for the service, or write `file:PATH` and put the value there."
        )
        return None

    def _file(self, name: str, path: KeyPath) -> str | None:
        try:
            with (self._folder / name).expanduser().open("rb") as handle:
                content = handle.read(_LARGEST + 1)
            text = content.decode("utf-8").rstrip("\r\n")
        except (OSError, ValueError, RuntimeError) as fault:
            reason = getattr(fault, "strerror", None) or "it is not UTF-8 text"
            self._findings.problem(path, f"the file {name} cannot be read: {reason}. Make it, readable for Crossdesk alone (chmod 600).")
            return None
        if text and len(content) <= _LARGEST:
            return text
        self._findings.problem(
            path, f"the file {name} is {'too large to be a secret' if text else 'empty'}. Put the value into it, and nothing else."
        )
        return None


def is_reference(value: Any) -> bool:
    """Whether this is a reference rather than a value."""
    return isinstance(value, str) and (_VARIABLE.fullmatch(value) is not None or (value.startswith("file:") and len(value) > 5))
