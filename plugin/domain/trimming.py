"""Cuts what mail programs and helpdesks' editors hang below an agent's reply: the signature, and the quote of the message answered.

Only what is clearly there goes: too much in the customer's eyes is a blemish, too little is a lost answer.
"""

from __future__ import annotations

from plugin.domain.text import MarkKind, Text

_SIGNATURE_LINES = 15


def trim_reply(text: Text) -> Text:
    """`text` without a signature block after a line `-- ` and without a quote with its attribution line at the very end.

    A reply that would be empty then comes back whole.
    """
    trimmed = text.strip()
    while trimmed:
        shorter = _without_quote(_without_signature(trimmed))
        if shorter == trimmed:
            return trimmed
        trimmed = shorter
    return text.strip()


def _lines(text: Text) -> list[tuple[int, str]]:
    """Each line with its place."""
    lines, at = [], 0
    for line in text.plain.split("\n"):
        lines.append((at, line))
        at += len(line) + 1
    return lines


def _without_signature(text: Text) -> Text:
    lines = _lines(text)
    for start, line in lines[-_SIGNATURE_LINES - 1 :][::-1]:
        if line.rstrip(" \u00a0") == "--":
            return text.slice(0, start).strip()
    return text


def _without_quote(text: Text) -> Text:
    lines = _lines(text)
    last = len(lines) - 1
    at = last
    while at >= 0 and (not lines[at][1].strip() or _is_quoted(text, *lines[at])):
        at -= 1
    is_attribution = 0 <= at < last and lines[at][1].rstrip().endswith(":") and any(map(str.isdigit, lines[at][1]))
    return text.slice(0, lines[at][0]).strip() if is_attribution else text


def _is_quoted(text: Text, start: int, line: str) -> bool:
    if line.startswith(">"):
        return True
    end = start + len(line)
    return any(mark.kind is MarkKind.QUOTE and mark.start <= start and end <= mark.end for mark in text.marks)
