"""How two texts differ, word by word, as marked-up HTML that a screen reader understands. Knows nothing of what they are."""

from __future__ import annotations

import difflib
import re

from markupsafe import Markup

_WORDS = re.compile(r"\s+|[^\s]+")
_MOST = 2_000
"""Words: comparing takes time that grows with the square."""


def marked(before: str, after: str) -> Markup:
    """`after` with what is new in <ins>, and what is gone from `before` in <del>."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if before == after or len(old) > _MOST or len(new) > _MOST:
        return Markup("{}").format(after)
    parts = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = "".join(old[a:b]), "".join(new[c:d])
        if tag == "equal":
            parts.append(Markup("{}").format(come))
            continue
        parts.append(Markup("<del>{}</del>").format(gone) if gone else Markup(""))
        parts.append(Markup("<ins>{}</ins>").format(come) if come else Markup(""))
    return Markup("").join(parts)
