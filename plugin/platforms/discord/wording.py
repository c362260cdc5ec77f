"""Discord's markdown and our marks. Pure; knows no message and no call.

What people type stays as they typed it: markdown reads well as plain text. What we say is escaped, so that a star in an answer stays a star.
Source: Discord documentation, "Message formatting"; Discord's help page on markdown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from plugin.contracts.capabilities import Ruler
from plugin.domain.text import Mark, MarkKind, Text, fold, join

CARRIED = frozenset({MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.CODE, MarkKind.PRE, MarkKind.QUOTE})
LONGEST = 2000
_SIGNS = {MarkKind.BOLD: "**", MarkKind.ITALIC: "*", MarkKind.STRIKE: "~~"}
_SPECIAL = re.compile(r"([\\*_~`|<>#\[\]()@:-])")
_BARE = re.compile(r"https?://[^\s<>\"\\]+[^\s<>\".,!?;:)\]'*_~`|\\]")
_CONTROL = re.compile(r"<(@!?|@&|#|a?:|t:|/)([^<>\s]{1,100})>")


def ruler() -> Ruler:
    """Letters as Discord counts them, each special one with its backslash. Rises with the text, whatever is added."""
    return Ruler(name="discord", unit="characters", measure=lambda text: len(text) + len(_SPECIAL.findall(text)))


def read_content(words: str, names: Mapping[str, str]) -> Text:
    """The words, with people's names in place of their ids."""
    parts: list[Text] = []
    at = 0
    for found in _CONTROL.finditer(words):
        parts += (Text(words[at : found.start()]), _control(found.group(1), found.group(2), names))
        at = found.end()
    parts.append(Text(words[at:]))
    return join(parts).strip()


def render(text: Text) -> str:
    """The text as markdown; without looks where they would make it too long."""
    folded, _ = fold(text, CARRIED)
    marked = _lines(folded)
    return marked if len(marked) <= LONGEST else escape(fold(text, frozenset())[0].plain)


def escape(words: str) -> str:
    """Words in which nothing is markdown; addresses stay as they are, since Discord would take the backslash for a part of them."""
    parts: list[str] = []
    at = 0
    for found in _BARE.finditer(words):
        parts += (_SPECIAL.sub(r"\\\1", words[at : found.start()]), found.group())
        at = found.end()
    parts.append(_SPECIAL.sub(r"\\\1", words[at:]))
    return "".join(parts)


def _control(sign: str, inner: str, names: Mapping[str, str]) -> Text:
    if sign in ("@", "@!"):
        shown = f"@{names.get(inner) or inner}"
        return Text(shown, (Mark(0, len(shown), MarkKind.MENTION, inner),))
    if sign.endswith(":") and sign != "t:":
        return Text(f":{inner.partition(':')[0]}:")
    return Text({"@&": "@role ", "#": "#", "t:": "time ", "/": "/"}[sign] + inner.partition(":")[0])


def _lines(text: Text) -> str:
    """Quotes line by line, code blocks as blocks, the rest run by run."""
    edges = sorted({0, len(text.plain), *(edge for mark in text.marks for edge in (mark.start, mark.end))})
    parts: list[str] = []
    is_quoted = False
    for start, end in pairwise(edges):
        kinds = {mark.kind for mark in text.marks if mark.start <= start and end <= mark.end}
        shown = _run(text.plain[start:end], kinds)
        if MarkKind.QUOTE in kinds:
            shown = shown.replace("\n", "\n> ")
            shown = shown if is_quoted else f"{_break(parts)}> {shown}"
        elif is_quoted and not shown.startswith("\n"):
            shown = f"\n{shown}"
        is_quoted = MarkKind.QUOTE in kinds
        parts.append(shown)
    return "".join(parts)


def _break(parts: list[str]) -> str:
    """A line of its own for what follows."""
    so_far = "".join(parts)
    return "" if not so_far or so_far.endswith("\n") else "\n"


def _run(words: str, kinds: set[MarkKind]) -> str:
    core = words.strip()
    if not core:
        return words
    before, after = words[: words.index(core)], words[words.index(core) + len(core) :]
    if MarkKind.PRE in kinds and "```" not in core:
        return f"{before}```\n{core}\n```{after}"
    if MarkKind.CODE in kinds and "`" not in core and "\n" not in core:
        return f"{before}`{core}`{after}"
    shown = escape(core)
    for kind, sign in _SIGNS.items():
        if kind in kinds and "\n\n" not in core:
            shown = f"{sign}{shown}{sign}"
    return f"{before}{shown}{after}"
