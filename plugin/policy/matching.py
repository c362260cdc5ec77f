"""Words of the policy found in a text: whole words in any case, `refund*` for every ending, a phrase as it stands with any space between."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_STANDS_FOR_LATIN = re.compile("[\u0130\u0131\u0178\u017f\u039c\u03bc\u1e9e\u212a\u212b]")
"""The letters beyond Latin-1 that stand for one of it where case does not count (all of Unicode was tried)."""
_TYPED = str.maketrans({"\u2019": "'", "\u2018": "'", "\u2010": "-", "\u2011": "-", "\u00ad": None})


class Matcher:
    """Finds any of some words."""

    def __init__(self, words: Iterable[str]) -> None:
        known = [word for word in sorted(words, key=len, reverse=True) if _plain(word).strip("* ")]
        parts = [_pattern(word) for word in known]
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})", re.IGNORECASE) if parts else None
        firsts = {_first(word) for word in known}
        # What has none of these in it need not be looked at closely; most texts have not.
        self._firsts = tuple(first for first in firsts if not any(other != first and other in first for other in firsts))

    def first(self, text: str) -> str | None:
        """The first of the words in `text`, as it is written there."""
        plain, lowered = _prepared(text)
        if lowered is not None:
            for first in self._firsts:
                if first in lowered:
                    break
            else:
                return None
        found = self._pattern.search(plain) if self._pattern else None
        return found[0] if found else None


@lru_cache(maxsize=512)
def matcher(words: tuple[str, ...]) -> Matcher:
    """The matcher of these words; rules with the same words share one."""
    return Matcher(words)


def _first(word: str) -> str:
    """What stands, in lower case, in every text in which the word is found; empty where that cannot be told."""
    first = _plain(word).rstrip("*").split()[0]
    return first.lower() if all(letter <= "\xff" for letter in first) else ""


@lru_cache(maxsize=8)
def _prepared(text: str) -> tuple[str, str | None]:
    """The text made plain, and in lower case unless letters in it stand for others. Every rule asks about the same few texts."""
    plain = _plain(text)
    return plain, plain.lower() if plain.isascii() or _STANDS_FOR_LATIN.search(plain) is None else None


def _pattern(word: str) -> str:
    body = r"\s+".join(re.escape(part) for part in _plain(word).rstrip("*").split())
    return f"{body}\\w*" if word.endswith("*") else f"{body}(?!\\w)"


def _plain(text: str) -> str:
    """Letters composed, and the quotes and hyphens that keyboards put in made plain."""
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_TYPED)
