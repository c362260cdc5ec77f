"""What customers read on the private page, by language, as it stands in `locales/`. Places in braces are filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

LANGUAGES = ("en", "de")


@cache
def words(language: str) -> Mapping[str, str]:
    """All words of one of `LANGUAGES`."""
    file = resources.files("webhooks") / "locales" / f"{language}.json"
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return MappingProxyType(found)
