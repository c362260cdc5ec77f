"""What Reddit's answers mean. Knows no call and no comment. Reddit tells of most refusals in a 200, under `json.errors`.

Sources: Reddit's archived API wiki (rules, rate-limit headers), the list of error names in Reddit's published source, `errors.py`.
"""

from __future__ import annotations

import re

from plugin.contracts.http import HttpResponse
from plugin.contracts.reading import read_object, read_string
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
    WindowClosed,
)

UNREADABLE = "Reddit answered with something that is not its API"
_GONE = frozenset({"DELETED_COMMENT", "DELETED_LINK", "NO_THING_ID", "USER_DOESNT_EXIST", "DELETED_THING"})
_SHUT = frozenset(
    {
        "THREAD_LOCKED",
        "TOO_OLD",
        "USER_BLOCKED",
        "USER_BLOCKED_MESSAGE",
        "NOT_WHITELISTED_BY_USER_MESSAGE",
        "USER_MUTED",
        "BANNED_FROM_SUBREDDIT",
    }
)
_WAIT = re.compile(r"(\d+)\s*(millisecond|second|minute|hour)", re.IGNORECASE)
_UNITS = {"millisecond": 0.001, "second": 1.0, "minute": 60.0, "hour": 3600.0}


def failure(answer: HttpResponse, *, writes: bool) -> RemoteError:
    """The error that an answer other than success stands for."""
    status, said = answer.status, said_by(answer)
    if status == 429:
        return RateLimited("Reddit asks us to slow down; nothing was done, and it waits.", retry_after=_wait(answer), detail=said)
    if status == 401 or (status == 403 and "insufficient_scope" in answer.headers.get("www-authenticate", "")):
        return CredentialsRejected(
            "Reddit does not accept this sign-in, or the account did not allow this. Everything is kept; see that the app is approved, connect "
            "the channel again (crossdesk channel connect), then resume it.",
            detail=said,
        )
    if status in (408, 425) or status >= 500 or status < 300:
        what = "Reddit failed" if status >= 300 else UNREADABLE
        if writes:
            return OutcomeUnknown(f"{what} while it wrote; whether it did is looked up before anything is sent again.", detail=said)
        return RemoteUnavailable(f"{what}; it is asked again.", retry_after=answer.retry_after, detail=said)
    if status < 400:
        if writes:
            return OutcomeUnknown("Reddit sent us elsewhere instead of answering; whether it did anything is looked up first.", detail=said)
        return RemoteRejected("Reddit sends us elsewhere: it does not hand this out by its API any more. Nothing was changed.", detail=said)
    if status in (404, 410):
        return TargetGone(
            "Reddit says that this does not exist (any more), or not for us. Nothing was changed; look at it there.", detail=said
        )
    return RemoteRejected(f"Reddit refused this: {said or status}. Nothing was changed; look at it there.", detail=said)


def refusal_in(answer: HttpResponse) -> RemoteError | None:
    """What a success says that did nothing and tells of errors; None where it tells of none."""
    listed = read_object((answer.json_object or {}).get("json")).get("errors")
    first = listed[0] if isinstance(listed, list) and listed else None
    if first is None:
        return None
    name, words = (read_string(first[at]) if isinstance(first, list) and len(first) > at else "" for at in (0, 1))
    if name == "RATELIMIT":
        found = _WAIT.search(words)
        wait = float(found[1]) * _UNITS[found[2].lower()] if found is not None and len(found[1]) < 6 else 600.0
        return RateLimited(
            "Reddit asks this account to answer less often; nothing was posted, and it waits.", retry_after=wait, detail=words
        )
    if name in _GONE:
        return TargetGone("What is answered was deleted on Reddit. Nothing was posted; look at it there.", detail=words)
    if name in _SHUT:
        return WindowClosed(f"Reddit takes no answer here: {words or name}. Nothing was posted; look at it on Reddit.", detail=words)
    said = (words or name or "no reason given").rstrip(".")
    return RemoteRejected(f"Reddit refused this: {said}. Nothing was posted; change the text and send it again.", detail=words)


def said_by(answer: HttpResponse) -> str:
    """Reddit's own words, short."""
    body = answer.json_object or {}
    return (read_string(body.get("explanation")) or read_string(body.get("message")) or read_string(body.get("error")))[:300]


def _wait(answer: HttpResponse) -> float | None:
    """`Retry-After`, else the seconds until the span of the limit ends."""
    if answer.retry_after is not None or "retry-after" in answer.headers:
        return answer.retry_after
    try:
        return max(1.0, min(float(answer.headers.get("x-ratelimit-reset", "")), 3600.0))
    except ValueError:
        return None
