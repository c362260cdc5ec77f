"""VADER with the same scores in a third of the time: its rules are asked of words of feeling alone, and the words of a text are made small once.

Importing it needs the optional package vaderSentiment. The rules, and everything about them, are that package's own.
"""

from __future__ import annotations

from typing import Any

from vaderSentiment.vaderSentiment import BOOSTER_DICT, N_SCALAR, NEGATE, SentimentIntensityAnalyzer, SentiText

_NEGATIONS = frozenset(NEGATE)


class QuickVader(SentimentIntensityAnalyzer):  # type: ignore[misc] # the package carries no types
    """As `SentimentIntensityAnalyzer`, for one text at a time and thread."""

    def polarity_scores(self, text: str) -> dict[str, float]:
        """The same four scores."""
        if not text.isascii() and not self.emojis.keys().isdisjoint(text):
            text = self._described(text)
        text = text.strip()
        sentitext = SentiText(text)
        words: list[Any] = sentitext.words_and_emoticons
        small = [word.lower() for word in words]
        sentiments: list[float] = []
        for index, word in enumerate(small):
            is_kind_of = word == "kind" and index < len(words) - 1 and small[index + 1] == "of"
            if word in self.lexicon and word not in BOOSTER_DICT and not is_kind_of:
                sentiments = self.sentiment_valence(0, sentitext, words[index], index, sentiments)
            else:
                sentiments.append(0)
        scores: dict[str, float] = self.score_valence(self._but_check(words, sentiments), text)
        return scores

    def _described(self, text: str) -> str:
        """Smileys in words."""
        parts, is_behind_space = [], True
        for letter in text:
            described = self.emojis.get(letter)
            parts.append(letter if described is None else described if is_behind_space else f" {described}")
            is_behind_space = described is None and letter == " "
        return "".join(parts)

    @staticmethod
    def _negation_check(valence: float, words_and_emoticons: list[str], start_i: int, i: int) -> float:
        """How the three words before a word of feeling turn it; as in the package, without making all words of the text small each time."""
        first, second = words_and_emoticons[i - 1].lower(), words_and_emoticons[i - 2].lower()
        before = words_and_emoticons[i - (start_i + 1)].lower()
        if start_i == 1:
            if second == "never" and first in {"so", "this"}:
                return valence * 1.25
            if second == "without" and first == "doubt":
                return valence
        if start_i == 2:
            if (before == "never" and second in {"so", "this"}) or first in {"so", "this"}:
                return valence * 1.25
            if before == "without" and "doubt" in {first, second}:
                return valence
        return valence * N_SCALAR if before in _NEGATIONS or "n't" in before else valence
