"""The server's own sentences in other languages, found by their English, as `sentences/<language>.json` has them. It knows no field of a snapshot.

A key is a sentence or a part of one, with places in braces. Places called `told`, `what` or `why` hold words of ours and are translated in turn; all
others hold a name, a number or somebody's own words and stay as they are. What is no sentence of ours stays as it is, too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

PSEUDO = "en-XA"
"""A language of nothing but marked English: what is not marked in it has no entry."""
LANGUAGES = ("de",)
_HERE = Path(__file__).parent / "sentences"
_PLACE = re.compile(r"\{(\w+)\}")
_OURS = frozenset({"told", "what", "why"})
_SENTENCES = re.compile(r"(?<=[.!?]) (?=\S)")
_NO_LIST = "(?:(?!; ).)+?"
_BRACKETED = r"(?:[^()]|\([^()]*\))+?"
_LIST = re.compile(r"; (?![^()]*\))")
_AND = " and "
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """A sentence with places: how it looks in English, and its words."""

    pattern: re.Pattern[str]
    words: str

    @staticmethod
    def of(english: str, words: str) -> _Shape:
        parts, is_whole = _PLACE.split(english), english.endswith((".", "!", "?"))
        looks = [re.escape(part) for part in parts]
        for at in range(1, len(parts), 2):
            # What is a part of a list has no list in itself, but in brackets.
            holds = ".+?" if is_whole else _BRACKETED if parts[at - 1].endswith("(") else _NO_LIST
            looks[at] = f"(?P<{parts[at]}>{holds})"
        return _Shape(pattern=re.compile("".join(looks), re.DOTALL), words=words)


class Language:
    """One language. `say` takes an English sentence of ours, or several in a row."""

    def __init__(self, tag: str, sentences: Mapping[str, str]) -> None:
        self.tag = tag
        self._plain = {english: words for english, words in sentences.items() if not _PLACE.search(english)}
        placed = [english for english in sentences if english not in self._plain]
        # What has the most words of its own is looked at first.
        self._shapes = [_Shape.of(one, sentences[one]) for one in sorted(placed, key=lambda one: -len(_PLACE.sub("", one)))]
        self._find = lru_cache(maxsize=_REMEMBERED)(self._found)

    def say(self, text: str) -> str:
        """The text in this language, as far as it is ours."""
        if not text or not self._plain:
            return text
        if (whole := self._find(text)) is not None:
            return whole
        # Inside of another it may have lost its full stop.
        if text[-1] not in ".!?" and (whole := self._find(f"{text}.")) is not None:
            return whole.removesuffix(".")
        return self._in_pieces(text)

    def say_whole(self, text: str) -> str:
        """The same of a text that may be a person's: it is ours as a whole, or it stays."""
        return (self._find(text) if text and self._plain else None) or text

    def _found(self, text: str) -> str | None:
        """One sentence; what is a part of a sentence elsewhere may begin it here."""
        if (found := self._literally(text)) is not None:
            return found
        found = self._literally(text[:1].lower() + text[1:])
        return None if found is None else found[:1].upper() + found[1:]

    def _literally(self, text: str) -> str | None:
        if text in self._plain:
            return self._plain[text]
        for shape in self._shapes:
            if match := shape.pattern.fullmatch(text):
                return shape.words.format_map({name: self._value(name, value) for name, value in match.groupdict().items()})
        return None

    def _value(self, name: str, value: str) -> str:
        return self.say(value) if name in _OURS else value

    def _in_pieces(self, text: str) -> str:
        """Several sentences, of which the longest run that is known counts; or parts between semicolons; or a list."""
        sentences = _SENTENCES.split(text)
        if len(sentences) > 1:
            return " ".join(self._run(sentences))
        parts = _LIST.split(text)
        if len(parts) > 1:
            return "; ".join(map(self.say, parts))
        listed = [self._find(part) for part in text.split(_AND)]
        return self._plain[_AND].join(part for part in listed if part is not None) if all(listed) else text

    def _run(self, sentences: list[str]) -> Iterable[str]:
        at = 0
        while at < len(sentences):
            for end in range(len(sentences), at, -1):
                found = self._find(" ".join(sentences[at:end]))
                if found is not None:
                    yield found
                    at = end
                    break
            else:
                yield sentences[at]
                at += 1


ENGLISH = Language("en", {})


def language(tag: str) -> Language:
    """The language of a tag such as `de-AT`; English where we have no other."""
    folded = tag.strip().lower()
    if folded == PSEUDO.lower():
        return _pseudo()
    base = folded.partition("-")[0]
    return _read(base) if base in LANGUAGES else ENGLISH


@cache
def _read(name: str) -> Language:
    return Language(name, sentences(name))


@cache
def _pseudo() -> Language:
    return Language(PSEUDO, {english: english if english == _AND else pseudo(english) for english in sentences(LANGUAGES[0])})


def sentences(name: str) -> dict[str, str]:
    """All that one of `LANGUAGES` has, by its English."""
    found: dict[str, str] = json.loads((_HERE / f"{name}.json").read_text(encoding="utf-8"))
    return found


def pseudo(english: str) -> str:
    """Longer than English, marked at both ends, with its places as they are."""
    parts = _PLACE.split(english)
    return "⟦" + "".join(f"{{{part}}}" if at % 2 else re.sub("([aeiou])", "\\1\u0308\\1", part) for at, part in enumerate(parts)) + "⟧"
