"""The tags and words of an HTML source, whatever it is, in linear time.

Not `html.parser`: its time is quadratic for unclosed tags and comments in the Pythons we support, and numbers of 5,000 digits break it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

CARRIED_LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s]", re.IGNORECASE)
"""Targets of links that are kept; the words of others are."""
DEEPEST_QUOTE = 8
RAW = frozenset(["script", "style", "title", "textarea", "iframe", "noembed", "noframes", "xmp"])
"""Elements whose content is no markup. It is left out."""

_TAG_NAME = re.compile(r"[a-zA-Z][^\s/>]*")
_TAG_END = re.compile(r"=\s*([\"'])|>")
_ATTRIBUTE = re.compile(r"([^\s=/>\"']+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+))?")
_LONG_NUMBER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")


def tokens(source: str) -> Iterator[tuple[str, dict[str, str] | None, str | None]]:
    """What stands in `source`, in order.

    `(name, attributes, None)` is a start tag, `(name, None, None)` an end tag, `("", None, words)` the raw text between two tags.
    """
    at, end = 0, len(source)
    while at < end:
        tag = source.find("<", at)
        if tag < 0 or tag + 1 == end:
            yield "", None, source[at:]
            return
        following = source[tag + 1]
        is_end = following == "/"
        name = _TAG_NAME.match(source, tag + 2 if is_end else tag + 1)
        if name is None and following not in "!?/":
            yield "", None, source[at : tag + 1]
            at = tag + 1
            continue
        if tag > at:
            yield "", None, source[at:tag]
        if name is None:
            closer = "-->" if source.startswith("<!--", tag) else ">"
            close = source.find(closer, tag + 2)
            at = end if close < 0 else close + len(closer)
            continue
        close = _tag_close(source, name.end())
        if close < 0:
            # The tag never ends: rather show too much than lose words.
            yield "", None, source[tag:]
            return
        word = name.group().lower()
        at = close + 1
        if is_end:
            yield word, None, None
        else:
            yield word, _attributes(source[name.end() : close]), None
            if word in RAW:
                at = _raw_end(source, word, at)


def _tag_close(source: str, at: int) -> int:
    """Where the `>` of a tag stands. Quotes count only behind `=`, and only where they are closed again."""
    while (found := _TAG_END.search(source, at)) is not None:
        if found.group() == ">":
            return found.start()
        closed = source.find(found.group(1), found.end())
        at = found.end() if closed < 0 else closed + 1
    return -1


def _raw_end(source: str, name: str, at: int) -> int:
    found = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(source, at)
    return len(source) if found is None else found.start()


def _attributes(inner: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(inner):
        value = match.group(2) or ""
        if value[:1] in ('"', "'") and value[-1:] == value[:1]:
            value = value[1:-1]
        found.setdefault(match.group(1).lower(), unescaped(value))
    return found


def unescaped(words: str) -> str:
    """`words` with its references replaced; numbers that no character has become U+FFFD."""
    return html.unescape(_LONG_NUMBER.sub("\ufffd", words)) if "&" in words else words
