"""LinkedIn's words for no, and what it wants of every request. Knows no comment."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from flask import request

from plugin.testing.standins.serving import Json, Refusal

_LONGEST = 1250
_OLDEST, _NEWEST = "202512", "202612"


def refused(status: int, code: str, words: str) -> Refusal:
    """An answer as LinkedIn's errors are."""
    return Refusal(status, {"status": status, "serviceErrorCode": 100, "code": code, "message": words})


def invalid(words: str) -> Refusal:
    """Something in the request is not as it must be."""
    return refused(400, "ILLEGAL_ARGUMENT", words)


def check_headers() -> None:
    """Every call names a version that lives and the protocol, and escapes its URNs."""
    version = request.headers.get("linkedin-version", "")
    if not version:
        raise refused(400, "VERSION_MISSING", "A version must be present. Please specify a version by adding the LinkedIn-Version header.")
    if not _OLDEST <= version <= _NEWEST:
        raise refused(426, "NONEXISTENT_VERSION", f"Requested version {version}01 is not active")
    if request.headers.get("x-restli-protocol-version") != "2.0.0":
        raise refused(400, "ILLEGAL_ARGUMENT", "Resource method could not be resolved from request parameters.")
    raw = str(request.environ.get("REQUEST_URI", "")).partition("?")[0]
    if "urn:li" in raw:
        raise refused(400, "ILLEGAL_ARGUMENT", "Syntax exception in path variables")


def listed_ids() -> list[str]:
    """The ids of a Rest.li list, whose commas stand as they are while those within an id are escaped."""
    raw = next((part[4:] for part in request.query_string.decode().split("&") if part.startswith("ids=")), "")
    if not raw.startswith("List(") or not raw.endswith(")") or ":" in raw:
        raise refused(400, "ILLEGAL_ARGUMENT", "Invalid query parameters passed to request")
    found = [unquote(one) for one in raw[5:-1].split(",") if one]
    if len(found) > 50:
        raise invalid("Too many ids")
    return found


def paged(items: Sequence[Json], most: int) -> Json:
    """One page of a list."""
    start, count = int(request.args.get("start", "0")), int(request.args.get("count", "10"))
    if not 0 < count <= 100:
        raise invalid("count must be between 1 and 100")
    end = start + min(count, most)
    return {"paging": {"start": start, "count": min(count, most), "links": [], "total": len(items)}, "elements": list(items[start:end])}


def check_length(text: str) -> None:
    """Comments have an end."""
    if len(text.encode("utf-16-le")) // 2 > _LONGEST:
        raise refused(400, "ILLEGAL_ARGUMENT", f"Comment length exceeded the maximum allowed ({_LONGEST} characters)")


def millis(at: float) -> int:
    """A moment as LinkedIn writes it."""
    return int(at * 1000)
