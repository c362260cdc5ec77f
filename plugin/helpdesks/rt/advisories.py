"""Published weaknesses of Request Tracker by version, for `doctor`.

The list is `advisories.json`, each entry with its source; it is no substitute for the vendor's own release notes.
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

CHECKED = "November 2026"
"""When the list was last compared with what is published."""
_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})")


def is_packaged(text: str) -> bool:
    """Whether this is a distribution's package (`5.0.3+dfsg-3~deb12u6`), which is mended without rising above its number."""
    return "+" in text or "deb" in text


def known_for(text: str) -> list[dict[str, Any]]:
    """Entries that concern the version `text`, newest last. None for a version that cannot be read."""
    found = _VERSION.match(text)
    if found is None:
        return []
    version = tuple(map(int, found.groups()))
    entries = json.loads(files(__package__).joinpath("advisories.json").read_text(encoding="utf-8"))
    return [entry for entry in entries if any(_concerns(span, version) for span in entry["affected"])]


def _concerns(span: dict[str, str], version: tuple[int, ...]) -> bool:
    first, fixed = (tuple(int(part) for part in span[name].split(".")) for name in ("from", "fixed"))
    return first <= version < fixed
