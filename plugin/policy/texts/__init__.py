"""What customers are told, by language: shipped as data, overridden in `[policy.texts.LANGUAGE]`, and always short enough for the platform.

Each text has a short variant for platforms with little room. Places such as `{number}` are filled in; every language has the same. Questions may have
choices, one a line, for platforms on which an answer can be pressed.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Self

from plugin.contracts.capabilities import Limits
from plugin.policy import words as answers
from plugin.policy.contract import Word
from plugin.policy.fields import KeyPath, Notes, Words, Wrong

_PLACE = re.compile(r"\{([^{}]*)\}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SHORT = "_short"
_CHOICES = "_choices"
FALLBACK = "en"


class Saying(StrEnum):
    """The occasions on which the bridge itself speaks."""

    HANDOFF = "handoff"
    """It becomes formal: ticket number, next step, by when, and how to go on."""
    STEP = "step"
    """The usual next step, in the words that are put into `{step}`."""
    RECEIPT = "receipt"
    """Somebody wrote while the team is not at work."""
    STATUS = "status"
    """The answer to "status"."""
    POINTER = "pointer"
    """A further public post about a formal ticket."""
    CONFIRM = "confirm"
    """Is it solved?"""
    CSAT = "csat"
    """A score, after yes."""
    THANKS = "thanks"
    """After the score, or after yes where no score is asked for."""
    REOPENED = "reopened"
    """After no."""
    QUICK = "quick"
    """Did it help? Of a question that was answered in no time."""
    LOW = "low"
    """After a bad score."""
    WORKING = "working"
    """The words that are put into `{state}` while we work on it."""
    WAITING = "waiting"
    """The same while the customer is asked whether it is solved."""
    DIRECT = "direct"
    """The words that are put into `{link}` where the platform has private messages."""
    HOLDING = "holding"
    """The answer takes longer than promised."""
    SCAM = "scam"
    """A warning under a likely impostor's post."""
    PRIVATE = "private"
    """Go on in private: personal data was posted."""
    MOVE = "move"
    """Go on in private: an agent asks for it."""
    PROOF = "proof"
    """A one-time word, to be said in another chat of the same person."""
    PROOF_ELSEWHERE = "proof_elsewhere"
    """The same where the other chat is not known yet."""
    PROVED = "proved"
    """Both words were said: it is one person."""
    UNPROVED = "unproved"
    """A word that does not count, or does not count any more."""


PLACES: Mapping[Saying, frozenset[str]] = MappingProxyType(
    {
        Saying.HANDOFF: frozenset({"number", "step", "time", "link"}),
        Saying.STEP: frozenset(),
        Saying.RECEIPT: frozenset({"time"}),
        Saying.STATUS: frozenset({"number", "state", "time"}),
        Saying.POINTER: frozenset({"number", "link"}),
        Saying.CONFIRM: frozenset({"number"}),
        Saying.CSAT: frozenset(),
        Saying.THANKS: frozenset(),
        Saying.REOPENED: frozenset({"number"}),
        Saying.QUICK: frozenset(),
        Saying.LOW: frozenset({"number"}),
        Saying.WORKING: frozenset(),
        Saying.WAITING: frozenset(),
        Saying.DIRECT: frozenset(),
        Saying.HOLDING: frozenset({"time"}),
        Saying.SCAM: frozenset({"handle"}),
        Saying.PRIVATE: frozenset({"link"}),
        Saying.MOVE: frozenset({"link"}),
        Saying.PROOF: frozenset({"word", "network", "time"}),
        Saying.PROOF_ELSEWHERE: frozenset({"word", "time"}),
        Saying.PROVED: frozenset({"network"}),
        Saying.UNPROVED: frozenset(),
    }
)
"""What a text may name. A text need not use every place."""
LARGEST: Mapping[str, str] = MappingProxyType(
    {
        "number": "1234567890",
        "step": "w" * 60,
        "time": "Mittwoch, 31. Dezember, 23:59 Uhr",
        "link": "https://" + "w" * 72,
        "state": "w" * 40,
        "handle": "@" + "w" * 40,
        "word": "w" * 26,
        "network": "w" * 24,
    }
)
"""As long as places get; texts are measured with these, and longer values are cut to them in the short variant."""
QUESTIONS: Mapping[Saying, str] = MappingProxyType(
    {Saying.CONFIRM: "yes or no", Saying.QUICK: "yes or no", Saying.CSAT: "a score from 1 to 5"}
)
"""What a customer can answer by a press, and what each choice must mean to us. A language without choices of its own offers none."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Every text of every language: by language, then by its key, `handoff` or `handoff_short`."""

    by_language: Mapping[str, Mapping[str, str]]

    @classmethod
    def shipped(cls) -> Self:
        """Ours: English and German."""
        return cls(_shipped())

    @property
    def digest(self) -> str:
        """Changes with any text."""
        lines = (f"{language}.{key}={text}" for language, texts in self.by_language.items() for key, text in texts.items())
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]

    def language(self, wanted: str, default: str = FALLBACK) -> str:
        """The language that we have for a customer who speaks `wanted`: that one, its root, the `default`, or English."""
        tags = (wanted.lower(), wanted.lower().partition("-")[0], default.lower(), default.lower().partition("-")[0])
        return next((tag for tag in tags if tag in self.by_language), FALLBACK)

    def say(self, saying: Saying, *, language: str, places: Mapping[str, str], limits: Limits | None = None) -> str:
        """The text with its places filled, the short variant where the long one does not fit.

        The line of a place without a value (no link, no time) is left out. Raises nothing: what still does not fit has its values cut.
        """
        texts = self.by_language[self.language(language)]
        long = _filled(texts[saying], places)
        if fits(long, limits):
            return long
        short = _filled(texts[saying + _SHORT], places)
        if fits(short, limits):
            return short
        return _filled(texts[saying + _SHORT], {name: value[: len(LARGEST.get(name, value))] for name, value in places.items()})

    def choices(self, saying: Saying, *, language: str) -> tuple[str, ...]:
        """What the customer may press to answer; nothing where it is no question, or the language names no choices."""
        return tuple(self.by_language[self.language(language)].get(saying + _CHOICES, "").splitlines())


def fits(text: str, limits: Limits | None) -> bool:
    """Whether a platform takes `text` in one piece, by its own ruler."""
    if limits is None or limits.text_length is None:
        return True
    return (limits.ruler.measure(text) if limits.ruler is not None else len(text)) <= limits.text_length


def read_texts(tables: Any, path: KeyPath, notes: Notes, *, limits: Mapping[str, Limits | None]) -> Texts | None:
    """`[policy.texts.LANGUAGE]` over the shipped ones; each must fit every channel, at least in its short variant."""
    if not isinstance(tables, Mapping):
        notes.problem(path, f"must be written as [{'.'.join(map(str, path))}.LANGUAGE].")
        return None
    merged = {language: dict(texts) for language, texts in _shipped().items()}
    is_fine = True
    for language, table in tables.items():
        at = (*path, str(language))
        if not isinstance(table, Mapping) or _LANGUAGE.fullmatch(str(language)) is None:
            notes.problem(at, 'must be a table under a language such as "de" or "pt-BR".')
            is_fine = False
            continue
        own = {key: _checked(str(key), text, (*at, str(key)), notes) for key, text in table.items()}
        is_fine &= None not in own.values()
        base = dict(merged.get(str(language).lower(), {}))
        merged[str(language).lower()] = base | {key: text for key, text in own.items() if text is not None}
        for missing in [key for key in _keys() if key not in merged[str(language).lower()]]:
            notes.problem((*at, missing), "is missing: a language of your own needs every text.")
            is_fine = False
    return (
        Texts(MappingProxyType({name: MappingProxyType(texts) for name, texts in merged.items()}))
        if is_fine and _fit(merged, path, notes, limits)
        else None
    )


def _fit(merged: Mapping[str, Mapping[str, str]], path: KeyPath, notes: Notes, limits: Mapping[str, Limits | None]) -> bool:
    is_fine = True
    for language, texts in merged.items():
        for saying in Saying:
            longest = _filled(texts[saying + _SHORT], LARGEST)
            tight = next((channel for channel, limit in limits.items() if not fits(longest, limit)), None)
            if tight is not None:
                limit = limits[tight]
                most = limit.text_length if limit is not None else None
                notes.problem(
                    (*path, language, saying + _SHORT),
                    f"is too long for the channel {tight}, which takes {most}, once its places are filled. Make it shorter.",
                )
                is_fine = False
    return is_fine


def _checked(key: str, text: Any, path: KeyPath, notes: Notes) -> str | None:
    """One text of the file; None where it is wrong."""
    if key not in (*_keys(), *_CHOOSABLE):
        notes.unknown(path, (*_keys(), *_CHOOSABLE), what="a text")
        return None
    try:
        words = Words(2000).read(text)
    except Wrong as wrong:
        notes.problem(path, wrong.sentence)
        return None
    if key in _CHOOSABLE:
        return _choosable(Saying(key.removesuffix(_CHOICES)), words, path, notes)
    allowed = PLACES[Saying(key.removesuffix(_SHORT))]
    for place in _PLACE.findall(words):
        if place not in allowed:
            there = ", ".join(f"{{{each}}}" for each in sorted(allowed)) or "none"
            notes.problem(path, f"has no place {{{place}}}; there are: {there}.")
            return None
    if "{" in _PLACE.sub("", words) or "}" in _PLACE.sub("", words):
        notes.problem(path, "has a brace that belongs to no place.")
        return None
    return words


def _choosable(saying: Saying, words: str, path: KeyPath, notes: Notes) -> str | None:
    """Choices, one a line; None where a press would not count as an answer."""
    choices = [line.strip() for line in words.splitlines() if line.strip()]
    for choice in choices:
        is_read = answers.score(choice) is not None if saying is Saying.CSAT else answers.meaning(choice) in (Word.YES, Word.NO)
        if not is_read:
            notes.problem(
                path, f"offers {choice!r}, which Crossdesk does not read as {QUESTIONS[saying]}: a press would count for nothing."
            )
            return None
    return "\n".join(choices)


def _filled(text: str, places: Mapping[str, str]) -> str:
    lines = [line for line in text.splitlines() if all(places.get(place) for place in _PLACE.findall(line)) or not _PLACE.search(line)]
    return _PLACE.sub(lambda place: places.get(place[1], ""), "\n".join(lines))


_CHOOSABLE = tuple(saying + _CHOICES for saying in QUESTIONS)


@cache
def _keys() -> tuple[str, ...]:
    return tuple(key for saying in Saying for key in (saying.value, saying.value + _SHORT))


@cache
def _shipped() -> Mapping[str, Mapping[str, str]]:
    folder = resources.files(__name__)
    found = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            texts = tomllib.loads(file.read_text(encoding="utf-8"))
            found[file.name.removesuffix(".toml")] = MappingProxyType({key: text.strip() for key, text in texts.items()})
    return MappingProxyType(found)
