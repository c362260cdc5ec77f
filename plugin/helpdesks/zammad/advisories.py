"""Published weaknesses of Zammad by version, for `doctor`.

The list is `advisories.json`, each entry with its source; it is no substitute for the vendor's own, https://zammad.com/en/advisories.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

Version = tuple[int, ...]
CHECKED = "November 2026"
"""When the list was last compared with what is published."""


def known_for(version: Version) -> list[dict[str, Any]]:
    """Entries that concern this version, the gravest first."""
    entries = json.loads(files(__package__).joinpath("advisories.json").read_text(encoding="utf-8"))
    found = [entry for entry in entries if any(_concerns(span, version) for span in entry["affected"])]
    return sorted(found, key=lambda entry: (entry["severity"] != "critical", entry["severity"] != "high", entry["id"]))


def _concerns(span: dict[str, str], version: Version) -> bool:
    first, fixed = (tuple(int(part) for part in span[name].split(".")) for name in ("from", "fixed"))
    return first <= version < fixed
