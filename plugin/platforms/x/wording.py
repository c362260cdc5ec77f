"""X's texts as ours and back: shortened links written out, names marked, lengths by X's own count.

Entities are found by their words and not by their offsets, which X counts in one unit here and in another there.
Sources: X documentation, "Counting characters"; data dictionary, "entities" and "display_text_range".
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from plugin.contracts.capabilities import Ruler
from plugin.domain.text import Mark, MarkKind, Text, join
from plugin.platforms.x.values import pick, read_id, read_object, read_objects, read_string

_LEADING = re.compile(r"(?:@\w{1,20}\s+)+\Z", re.ASCII)
_SPACE = re.compile(r"\s+")
_LINK = "\ufffc"


def said(text: str, entities: Any, *, hidden: frozenset[str] = frozenset(), lead: str = "") -> Text:
    """A post's or message's `text` without `lead`, with its short links written out and those in `hidden` (its own files) left out."""
    known = read_object(entities)
    full = {read_string(one.get("url")): read_string(one.get("expanded_url")) for one in read_objects(known.get("urls"))}
    body = text.removeprefix(lead)
    if hidden:
        body = re.sub("|".join(re.escape(one) for one in sorted(hidden, key=len, reverse=True)), "", body)
    names = {
        read_string(pick(one, "username", "screen_name")).lower(): read_id(pick(one, "id_str", "id"))
        for one in read_objects(pick(known, "mentions", "user_mentions"))
    }
    links = sorted((one for one in full if one), key=len, reverse=True)
    pieces = re.split(f"({'|'.join(map(re.escape, links))})", body) if links else [body]
    return join(_link(full[piece] or piece) if piece in full else _named(_unescaped(piece), names) for piece in pieces).strip()


def lead_of(text: str, shown: Any) -> str:
    """The names before a reply's own words, which X puts there and does not show: up to where `shown` begins."""
    start = shown[0] if isinstance(shown, list) and shown else 0
    if not isinstance(start, int) or isinstance(start, bool) or not 0 < start <= len(text):
        return ""
    return text[:start] if _LEADING.match(text[:start]) else ""


def _unescaped(text: str) -> str:
    """X writes three letters as HTML does, and no others."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _link(address: str) -> Text:
    return Text(address, (Mark(0, len(address), MarkKind.LINK, address),)) if address else Text("")


def _named(text: str, names: Mapping[str, str]) -> Text:
    found = ((match, names.get(match[1].lower())) for match in re.finditer(r"@(\w{1,20})", text, re.ASCII))
    return Text(text, tuple(Mark(match.start(), match.end(), MarkKind.MENTION, one) for match, one in found if one))


def essence(text: str) -> str:
    """What stays the same between what we send and what X shows: words without links, white space and letters' forms."""
    body = unicodedata.normalize("NFC", text)
    for one in sorted(find_links(body), key=len, reverse=True):
        body = body.replace(one, _LINK)
    return _SPACE.sub(" ", body).strip()


def find_links(text: str) -> list[str]:
    """What X will make links of."""
    return list(_parser().extract_urls(text))


def weigh(text: str) -> int:
    """A text's length as X counts it: a link is 23, an emoji 2, most letters of Asia 2."""
    if not text:
        return 0
    length: int = _parser().parse_tweet(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")).weightedLength
    return length


WEIGHED = Ruler(name="x_weighted", unit="characters, as X counts them", measure=weigh)


@cache
def _parser() -> ModuleType:
    """twitter-text-parser. Its table of emoji takes a second to read, so that is done when a text is first measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks setuptools for its own table in a way that is going out of use
        import twitter_text
    return twitter_text  # type: ignore[no-any-return]
