"""Names from outside, made harmless to look at: nothing invisible, nothing that turns the line round, no towers of accents.

The original stays in the store; this is only the form that people read.
"""

from __future__ import annotations

import unicodedata

import regex

_CLUSTER = regex.compile(r"\X")
_EMOJI = regex.compile(r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\u200d\ufe0f\u20e3]")
_JOINERS = "\u200c\u200d"
_JOINED_SCRIPTS = regex.compile(
    r"[\p{Arabic}\p{Syriac}\p{Devanagari}\p{Bengali}\p{Gujarati}\p{Gurmukhi}\p{Kannada}\p{Malayalam}\p{Oriya}\p{Sinhala}\p{Tamil}\p{Telugu}\p{Mongolian}]"
)
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_MARKS = 2
_LONGEST = 80
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f")
"""Letters by category that show nothing: Hangul fillers, blank braille, the grapheme joiner."""


def visible(name: str, *, longest: int = _LONGEST) -> str:
    """`name` in one line of at most `longest` graphemes.

    Controls, direction overrides and invisible characters are shown by their code, `[U+202E]`; accents are capped at two a letter; a name
    with letters that run from right to left is wrapped in an isolate, so that it cannot move the words around it. Never fails.
    """
    if name.isascii() and name.isprintable() and len(name) <= longest and name == name.strip():
        return name
    clusters = _CLUSTER.findall(" ".join(name.split()))
    shown = "".join(_cluster(cluster, "" if not at else clusters[at - 1]) for at, cluster in enumerate(clusters[:longest]))
    if len(clusters) > longest:
        shown = shown.rstrip() + "…"
    return f"{_FIRST_STRONG_ISOLATE}{shown}{_POP_ISOLATE}" if _runs_left(shown) else shown


def has_tricks(name: str) -> bool:
    """Whether something in it was invisible, turned the line round or towered; such a name was made to deceive."""
    return any(_cluster(cluster, "x") != cluster for cluster in _CLUSTER.findall(name))


def _cluster(cluster: str, before: str) -> str:
    if cluster.isascii() and cluster.isprintable():
        return cluster
    is_emoji = _EMOJI.search(cluster) is not None
    shown, marks = [], 0
    for at, letter in enumerate(cluster):
        category = unicodedata.category(letter)
        if category in ("Mn", "Me"):
            marks += 1
            if marks <= _MARKS or is_emoji:
                shown.append(letter)
        elif letter in _JOINERS and (is_emoji or _JOINED_SCRIPTS.search(cluster[:at] or before)):
            shown.append(letter)
        elif category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or letter in _INVISIBLE:
            shown.append(f"[U+{ord(letter):04X}]")
        else:
            shown.append(letter)
    return "".join(shown)


def _runs_left(shown: str) -> bool:
    return any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in shown)
