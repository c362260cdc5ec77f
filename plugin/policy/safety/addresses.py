"""E-mail addresses, plain or spelled with (at); never the handles of Mastodon and Matrix, which look alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from plugin.policy.safety.findings import Finding, Kind, hidden

_PLAIN = re.compile(r"(?<![\w@.+/%-])(\w[\w.%+-]{0,63})@((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}[^\W\d_]{2,24})(?![\w@]|-\w|:\d)")
_SPELLED = re.compile(
    r"(?<![\w@])([A-Za-z0-9][\w.%+-]{0,63}) ?[\[({] ?(?:at|ät) ?[\])}] ?"
    r"([A-Za-z0-9-]{1,63}(?: ?(?:\.|[\[({] ?(?:dot|punkt) ?[\])}]) ?[A-Za-z0-9-]{1,63}){1,4})(?!\w)",
    re.IGNORECASE,
)


def find(text: str, *, own_domains: Collection[str] = ()) -> Iterator[Finding]:
    """Addresses of people; those at `own_domains` (the company's own, lower case) are no secret."""
    shapes = ([_PLAIN] if "@" in text else []) + ([_SPELLED] if "at" in text.lower() or "ät" in text.lower() else [])
    for shape in shapes:
        for match in shape.finditer(text):
            if match.group(2).lower() not in own_domains:
                yield Finding(kind=Kind.EMAIL, start=match.start(), end=match.end(), masked=hidden(match.group(1)[0]) + "@" + hidden())
