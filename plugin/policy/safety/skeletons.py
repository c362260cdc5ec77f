"""What a name looks like: the same skeleton for words that a hurried reader takes for the same (Unicode Technical Standard 39, confusable detection).

The table of look-alikes is Unicode's own, as the package confusable-homoglyphs ships it; it is read when the first foreign letter turns up.
"""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from importlib.resources import files

_FOLDED = str.maketrans(
    {"0": "o", "1": "l", "i": "l", "|": "l", "!": "l", "5": "s", "$": "s", "3": "e", "4": "a", "@": "a", "7": "t", "8": "b"}
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "HEBREW", "ARABIC", "THAI", "DEVANAGARI", "GEORGIAN", "COPTIC")


def skeleton(name: str) -> str:
    """Letters and digits only, folded: `Acme_Support`, `acrne5upport` and the same with Cyrillic letters are one."""
    folded = latinise(name).translate(_FOLDED)
    for pair, single in _PAIRS:
        folded = folded.replace(pair, single)
    return "".join(letter for letter in folded if letter.isalnum())


def latinise(text: str) -> str:
    """Lower case without accents and invisible characters, each look-alike as the Latin letter that it imitates."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(letter for letter in plain if unicodedata.category(letter) not in ("Mn", "Me", "Cf"))
    return kept.translate(_look_alikes()).lower()


def scripts(word: str) -> frozenset[str]:
    """The scripts of its letters, by their Unicode names: `LATIN`, `CYRILLIC` ... Scripts that imitate nobody's letters are left out."""
    found = (unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha())
    return frozenset(script for script in found if script in _SCRIPTS)


@cache
def _look_alikes() -> dict[int, str]:
    text = files("confusable_homoglyphs").joinpath("confusables.json").read_text(encoding="utf-8")
    # The names of the letters are half of the file; they are let go while it is read.
    table = json.loads(text, object_hook=lambda pair: pair["c"] if len(pair) == 2 and "c" in pair and "n" in pair else pair)
    found = {}
    for letter, others in table.items():
        if len(letter) == 1 and not letter.isascii():
            latin = next((other for other in others if len(other) == 1 and other.isascii() and other.isalnum()), "")
            if latin:
                found[ord(letter)] = latin
    return found


def distance(one: str, other: str) -> int:
    """Letters that must be added, dropped, changed or swapped with the next to come from one word to the other (optimal string alignment)."""
    rows = [list(range(len(other) + 1))]
    for at, letter in enumerate(one, 1):
        row = [at]
        for place, rival in enumerate(other, 1):
            best = min(rows[-1][place] + 1, row[-1] + 1, rows[-1][place - 1] + (letter != rival))
            if at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == rival:
                best = min(best, rows[-2][place - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
