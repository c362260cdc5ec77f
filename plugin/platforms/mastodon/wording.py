"""Writes statuses, and recognises what was written. Pure. The same message gives the same words to the letter.

Sources: Mastodon documentation, "Posting to your profile" (characters, links, mentions).
"""

from __future__ import annotations

import re
import unicodedata

from plugin.contracts.capabilities import Ruler
from plugin.domain.model import Visibility
from plugin.platforms.mastodon.keys import OPEN

ROOM = 60
"""Characters kept free for the customer's name before the text and a content warning that is kept: both count."""
_LINK = re.compile(r"(https?://[^\s./?#]+)\.[!-~]+")
_MENTION = re.compile(r"(?<![\w/=])@(\w(?:[\w.-]*\w)?)(?:@(\w(?:[\w.-]*\w)?))?")
_LEADING = re.compile(r"(?:\s*@[^\s@]+(?:@[^\s@]+)?(?=\s|$))+")
_PALE = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff*_~`#>\\\u2022-]+")
"""What may look otherwise after a server showed it: white space, and what servers with Markdown take for marks."""
_RANKS = ("public", "unlisted", "private", "direct")


def ruler(link: int = 23) -> Ruler:
    """Characters as Mastodon counts them: a link counts `link`, whatever its length. Never less than the server counts."""

    def measure(text: str) -> int:
        links = list(_LINK.finditer(text))
        return len(text) + sum(max(link, len(found[1]) + 1) - len(found[0]) for found in links)

    return Ruler(name="mastodon", unit="characters", measure=measure)


def answer_visibility(asked: Visibility, parent: str) -> str:
    """Mastodon's visibility for an answer: never more public than what is answered, and private is for the customer alone.

    Followers-only (`private`) would show the answer to our followers, not to theirs, so that becomes `direct` too.
    """
    return parent if asked is Visibility.PUBLIC and parent in OPEN else "direct"


def is_wider(visibility: str, asked: str) -> bool:
    """Whether a status came out more public than was asked. What nobody knows is taken for narrow."""
    return visibility in _RANKS and _RANKS.index(visibility) < _RANKS.index(asked)


def address(text: str, handle: str, *, alone: bool) -> tuple[str, tuple[str, ...]]:
    """The text with the customer's name (`user@host`) before it, unless it is in it; and the names that were taken out of effect.

    `alone`: whoever is named in a direct status is shown it, so other names are written in a way that addresses nobody.
    """
    names = {handle.lower(), handle.partition("@")[0].lower()}
    silenced: list[str] = []
    is_named = False

    def keep(found: re.Match[str]) -> str:
        nonlocal is_named
        if found[0][1:].lower() in names:
            is_named = True
            # The bare name would address whoever is called so on our own server.
            return f"@{handle}"
        if not alone:
            return found[0]
        silenced.append(found[0])
        return found[0].replace("@", "@\u200b")

    written = _MENTION.sub(keep, text)
    if is_named or not handle:
        return written, tuple(silenced)
    return f"@{handle} {written}".rstrip(), tuple(silenced)


def essence(plain: str) -> str:
    """What is left of a text whichever way a server shows it: no names before it, no servers behind names, no marks, no white space."""
    rest = plain[found.end() :] if (found := _LEADING.match(plain)) else plain
    rest = _MENTION.sub(lambda mention: "@" + mention[1], rest.replace("@\u200b", "@"))
    return _PALE.sub("", unicodedata.normalize("NFC", rest))


def shortened(text: str, most: int) -> str:
    """The text, cut where it is too long."""
    return text if len(text) <= most else text[: max(0, most - 1)].rstrip() + "…"
