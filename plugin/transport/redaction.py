"""Addresses and secrets as they may stand in a log, an error or a note. Knows nothing of connections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

HIDDEN = "[hidden]"
_LONGEST_DETAIL = 300
_KEY = re.compile(r"(?i)\b((?:[\w-]*(?:token|secret|password|passwd|signature|api_?key|authorization))|sig|key|code|pass)=([^&\s#\"']+)")
_BEARER = re.compile(r"(?i)\b(bearer|basic|token)\s+[\w.~+/=:-]{6,}")
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@?#]+@")


class Redaction:
    """Takes the given secrets, and whatever looks like one in an address, out of a text."""

    __slots__ = ("_pattern",)

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote(secret))}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def text(self, text: str) -> str:
        """`text` without secrets, on one line and of bounded length."""
        if self._pattern is not None:
            text = self._pattern.sub(HIDDEN, text)
        text = _USERINFO.sub(r"\1", _BEARER.sub(rf"\1 {HIDDEN}", _KEY.sub(rf"\1={HIDDEN}", text)))
        return "".join(letter if letter.isprintable() else " " for letter in text)[:_LONGEST_DETAIL]

    def address(self, url: str) -> str:
        """Where a call went: scheme, host, port and path. Path segments that look like a token are hidden; queries are left out."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return "an address that cannot be read"
        path = "/".join(HIDDEN if _is_token(segment) else segment for segment in parts.path.split("/"))
        host = parts.netloc.rpartition("@")[2]
        return self.text(f"{parts.scheme}://{host}{path}")


def _is_token(segment: str) -> bool:
    """Whether a path segment could be a credential: long, of one piece, letters and digits mixed (`bot123:ABC...`)."""
    bare = segment.rpartition(".")[0] or segment
    has_both = any(letter.isdigit() for letter in bare) and any(letter.isalpha() for letter in bare)
    return len(segment) >= 24 and has_both
