"""Words of the policy found in a text: whole words in any case, `refund*` for every ending, a phrase as it stands with any space between."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_TYPED = str.maketrans({"\u2019": "'", "\u2018": "'", "\u2010": "-", "\u2011": "-", "\u00ad": None})


class Matcher:
    """Finds any of some words."""

    def __init__(self, words: Iterable[str]) -> None:
        parts = [_pattern(word) for word in sorted(words, key=len, reverse=True) if _plain(word).strip("* ")]
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})", re.IGNORECASE) if parts else None

    def first(self, text: str) -> str | None:
        """The first of the words in `text`, as it is written there."""
        found = self._pattern.search(_plain(text)) if self._pattern else None
        return found[0] if found else None


@lru_cache(maxsize=512)
def matcher(words: tuple[str, ...]) -> Matcher:
    """The matcher of these words; rules with the same words share one."""
    return Matcher(words)


def _pattern(word: str) -> str:
    body = r"\s+".join(re.escape(part) for part in _plain(word).rstrip("*").split())
    return f"{body}\\w*" if word.endswith("*") else f"{body}(?!\\w)"


def _plain(text: str) -> str:
    """Letters composed, and the quotes and hyphens that keyboards put in made plain."""
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_TYPED)
