"""What solved it: short notes of resolved conversations, ranked by how much they resemble a new message. Nothing is sent by itself.

Which notes are looked at is the store's affair; this says which of them an agent should see, and by which words.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from plugin.policy.safety.wordlists import load

_WORD = re.compile(r"[^\W_][\w'\u2019]*[^\W_]|[^\W_]")
_ENDINGS = ("ungen", "ing", "est", "ers", "ung", "ed", "en", "em", "er", "es", "ly", "s", "e", "n")
_SHORTEST_STEM = 4
_SHORTEST_PART = 5
_PART_STRENGTH = 0.6
_TAG_STRENGTH = 1.3
_LEAST_SCORE = 0.2
_LONGEST = 4_000
_SATURATION = 1.2
_COMPOUND = 9
_MOST_KEYS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionNote:
    """A "what solved it". `source_url` is the ticket it comes from, `article_url` a knowledge base article."""

    ref: str
    text: str
    problem: str = ""
    """What the customer had said."""
    tags: tuple[str, ...] = ()
    source_url: str = ""
    article_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A note that fits: `score` from 0 to 1 is the share of the message's weight that the note covers, `words` the ones that they share."""

    note: SolutionNote
    score: float
    words: tuple[str, ...]


def rank(
    message: str,
    notes: Sequence[SolutionNote],
    *,
    limit: int = 3,
    notes_with: Mapping[str, int] | None = None,
    notes_in_all: int | None = None,
) -> tuple[Suggestion, ...]:
    """The notes that resemble `message`, the best first; notes equally good in the order in which they came.

    Rare words weigh more than common ones (inverse document frequency). `notes_with` and `notes_in_all` give the frequencies of all stored
    notes, by stem; without them those of `notes` are taken. A note that shares a single word of many is not a suggestion.
    """
    asked = _by_stem(message)
    if not asked:
        return ()
    described = [(note, _strengths(note)) for note in notes]
    counts = notes_with if notes_with is not None else Counter(stem for _, strengths in described for stem in strengths)
    total = max(notes_in_all or 0, len(notes))
    weights = {stem: math.log(1 + (total - min(total, counts.get(stem, 0)) + 0.5) / (counts.get(stem, 0) + 0.5)) for stem in asked}
    found = [suggestion for note, strengths in described if (suggestion := _compare(note, strengths, asked, weights))]
    return tuple(sorted(found, key=lambda suggestion: -suggestion.score)[:limit])


def stems(text: str) -> tuple[str, ...]:
    """The words that mean something, folded: no case, no accents, no usual endings of English and German, no stop words."""
    return tuple(_stem(word) for word in _words(text))


def words(text: str) -> tuple[str, ...]:
    """The words that mean something, each once, as they were said but for case and accents."""
    return tuple(dict.fromkeys(_words(text)))


def keys(text: str) -> tuple[str, ...]:
    """By what a store finds notes that may resemble `text`: its stems, and beginnings and ends of long ones, which in compounds are words."""
    found = dict.fromkeys(stems(text))
    for stem in tuple(found):
        for length in range(_SHORTEST_PART, len(stem)):
            if len(stem) >= _COMPOUND:
                found |= {stem[:length]: None, stem[-length:]: None}
    return tuple(found)[:_MOST_KEYS]


def _words(text: str) -> list[str]:
    plain = _fold(text[:_LONGEST])
    return [word for word in _WORD.findall(plain) if word not in _stop_words() and (len(word) > 1 or not word.isascii())]


def _fold(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter))


def _by_stem(text: str) -> dict[str, str]:
    """Each stem with the word as it was said first."""
    found: dict[str, str] = {}
    for word in _words(text):
        found.setdefault(_stem(word), word)
    return found


def _compare(
    note: SolutionNote, strengths: Mapping[str, float], asked: Mapping[str, str], weights: Mapping[str, float]
) -> Suggestion | None:
    shared = {stem: strength for stem in weights if (strength := _best(stem, strengths))}
    if len(shared) < min(2, len(weights)):
        return None
    score = min(1.0, sum(weights[stem] * strength for stem, strength in shared.items()) / sum(weights.values()))
    return Suggestion(note=note, score=score, words=tuple(asked[stem] for stem in shared)) if score >= _LEAST_SCORE else None


def _best(stem: str, strengths: Mapping[str, float]) -> float:
    """How strongly a word is in a note: itself, or as a part of a longer one (`router` in `wlanrouter`)."""
    if stem in strengths:
        return strengths[stem]
    if len(stem) < _SHORTEST_PART:
        return 0.0
    parts = (strength for other, strength in strengths.items() if len(other) >= _SHORTEST_PART and (stem in other or other in stem))
    return _PART_STRENGTH * max(parts, default=0.0)


def _strengths(note: SolutionNote) -> dict[str, float]:
    """Each stem with up to about 1: more for what is said more than once, a little more again for tags."""
    said = Counter((*stems(note.problem), *stems(note.text)))
    strengths = {stem: count * (_SATURATION + 1) / (count + _SATURATION) / (_SATURATION + 1) * 2 for stem, count in said.items()}
    capped = {stem: min(1.0, strength) for stem, strength in strengths.items()}
    return capped | dict.fromkeys((stem for tag in note.tags for stem in stems(tag)), _TAG_STRENGTH)


def _stem(word: str) -> str:
    word = word.removesuffix("'s").removesuffix("\u2019s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending)
    return word


@cache
def _stop_words() -> frozenset[str]:
    words: Iterable[str] = (word for of_language in load("stop_words").values() for word in of_language)
    return frozenset(_fold(word) for word in words)
