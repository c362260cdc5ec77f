"""Which language a text is in, by pycld2 (Compact Language Detector 2, local, no model files): an optional package, extra `language`.

Only a reliable answer counts; short, mixed and unusual texts are unknown. Without the package every text is.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_NOISE = re.compile(r"(?:https?://|www\.)\S+|[@#]\S+|\S*@\S+|\d+")
_HAS_NOISE = re.compile(r"[@#\d]|://|www\.")
"""What every kind of noise has in it: where it is not, the closer look is spared."""
_TEN_LETTERS = re.compile(r"(?:[^\W\d_][\W\d_]*){10}")
_FEWEST_DENSE = 4
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LONGEST = 2_000
_SHARE = 75
_CODES = {"iw": "he", "jw": "jv", "zh-Hant": "zh-TW", "no": "nb", "sr-ME": "sr", "un": "", "xxx": ""}


def detect(text: str) -> str:
    """The language as a tag such as `de`, or an empty string when it is not surely known. Never fails.

    Needs ten letters, or four of Chinese, Japanese or Korean; links, handles, tags and digits do not count.
    """
    library = _library()
    if library is None:
        return ""
    text = text[:_LONGEST]
    words = " ".join((_NOISE.sub(" ", text) if _HAS_NOISE.search(text) else text).split())
    if _TEN_LETTERS.search(words) is None and len(_DENSE.findall(words)) < _FEWEST_DENSE:
        return ""
    if not words.isprintable():
        words = "".join(letter for letter in words if letter.isprintable())
    try:
        is_reliable, _, found = library.detect(words)
    except (library.error, UnicodeError, ValueError):
        return ""
    _, code, share, _ = found[0]
    if not is_reliable or share < _SHARE:
        return ""
    return _CODES.get(str(code), str(code))


def told(found: str, hint: str) -> str:
    """The better of what was found and what the platform told: the hint where nothing was found or it says the same more exactly."""
    if not found or hint.replace("_", "-").partition("-")[0].lower() == found.partition("-")[0]:
        return hint or found
    return found


@cache
def _library() -> Any:
    try:
        import pycld2
    except ImportError:
        return None
    return pycld2
