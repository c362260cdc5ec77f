"""How angry or pleased a text sounds, from -1 to 1, by VADER (vaderSentiment, local, word lists and rules): optional, extra `language`.

English by its own word list, without the polite words of every request ("please help"). German by ours (`sentiment_de.toml`), put through the
same rules: German words of negation and emphasis are replaced by the English ones that the rules know. Both see words, not meaning: irony,
quotes and names of products lead them astray.
"""

from __future__ import annotations

import re
from functools import cache
from string import punctuation
from typing import Any

from plugin.policy.safety.wordlists import any_of, load

_LONGEST = 1_000
_NOISE = re.compile(r"(?:https?://|www\.)\S+|@\S+")
LANGUAGES = ("en", "de")


def score(text: str, language: str) -> float | None:
    """From -1 (furious) to 1 (delighted); None when the language is another one, no word is known, or the package is missing. Never fails."""
    primary = language.partition("-")[0].lower()
    if primary not in LANGUAGES:
        return None
    judge = _judge(primary)
    if judge is None:
        return None
    plain = text[:_LONGEST]
    if "@" in plain or "www." in plain or "://" in plain:
        plain = _NOISE.sub(" ", plain)
    if primary == "de":
        plain = _in_english_rules(plain)
    if not _has_feeling(plain, judge):
        return None
    found = judge.polarity_scores(plain)
    return float(found["compound"]) if found["pos"] or found["neg"] else None


def _has_feeling(text: str, judge: Any) -> bool:
    """Whether any of its words or smileys is in the list; without one, the rules have nothing to weigh, and they take long."""
    words = text.lower().split()
    known = judge.lexicon.keys()
    return not (
        known.isdisjoint(words)
        and known.isdisjoint(word.strip(punctuation) for word in words)
        and (text.isascii() or judge.emojis.keys().isdisjoint(text))
    )


def _in_english_rules(text: str) -> str:
    """German with phrases as single words and with the function words that VADER's rules look for."""
    words = load("sentiment_de")
    joined = _phrases().sub(lambda match: "_".join(match.group().split()), text)
    functions: dict[str, str] = words["function_words"]
    return " ".join(functions.get(word.lower().strip(".,!?"), word) for word in joined.split())


@cache
def _phrases() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){any_of(word for word in load('sentiment_de')['words'] if ' ' in word)}(?!\w)", re.IGNORECASE)


@cache
def _judge(language: str) -> Any:
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError:
        return None
    judge = SentimentIntensityAnalyzer()
    if language == "en":
        judge.lexicon = {word: points for word, points in judge.lexicon.items() if word not in load("sentiment_en")["polite"]}
    if language == "de":
        own = {word.replace(" ", "_"): float(points) for word, points in load("sentiment_de")["words"].items()}
        # Smileys mean the same everywhere; English words would be false friends ("die", "fast", "hell").
        smileys = {word: points for word, points in judge.lexicon.items() if not any(letter.isalpha() for letter in word)}
        judge.lexicon = smileys | own
    return judge
