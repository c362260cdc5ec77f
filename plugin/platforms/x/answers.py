"""What X's answers mean. Knows no call and no post.

Sources: X documentation, "Response codes and errors", "Rate limits", "Manage Posts" (who may be answered), "Pricing" (credits).
"""

from __future__ import annotations

from typing import Any

from plugin.contracts.http import HttpResponse
from plugin.domain.errors import (
    BillingStopped,
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
    WindowClosed,
)

UNREADABLE = "X answered with something that is not its API"
_UNPAID = ("credits-depleted", "usage-capped", "credit", "spend cap")
_LOCKED_OUT = (
    "client-forbidden",
    "oauth1-permissions",
    "unsupported-authentication",
    "account is suspended",
    "account is temporarily locked",
    "app is suspended",
    "client-not-enrolled",
)
_NOT_SUMMONED = ("not been mentioned", "otherwise engaged", "reply to this conversation is not allowed", "not allowed to reply")
_GONE = ("deleted or not visible", "does not exist", "no longer available", "could not find")


class Duplicate(RemoteRejected):
    """X takes the same words only once. After an unclear first try it means that the first try came through."""


def failure(answer: HttpResponse, *, writes: bool, now: float) -> RemoteError:
    """The error that an answer other than success stands for. `now` in seconds since 1970."""
    status, said, words = answer.status, said_by(answer), _words(answer)
    if status == 402 or (status in (403, 429) and any(one in words for one in _UNPAID)):
        return BillingStopped(
            "X takes no more calls from this app: its credit or its monthly cap is used up. Everything is kept; buy credit in the X "
            "developer console (Billing), then resume the channel.",
            detail=said,
        )
    if status == 429:
        return RateLimited("X asks us to slow down; nothing was done, and it waits.", retry_after=_wait(answer, now), detail=said)
    if status == 401 or (status == 403 and any(one in words for one in _LOCKED_OUT)):
        return CredentialsRejected(
            "X does not let this account or app do that. Everything is kept; look at the account and the app, connect the channel again "
            "(crossdesk channel connect), then resume it.",
            detail=said,
        )
    if status in (408, 425) or status >= 500:
        return _broken(answer, said, writes=writes)
    if 300 <= status < 400:
        return _moved(said, writes=writes)
    if status < 300:
        return OutcomeUnknown(f"{UNREADABLE}; whether it did it is looked up first.") if writes else RemoteUnavailable(f"{UNREADABLE}.")
    return _refusal(status, said, words, writes=writes)


def refusal_in(answer: HttpResponse) -> RemoteError | None:
    """What a success says that did nothing and tells of `errors` alone. None when it tells of something that was done."""
    body = answer.json_object or {}
    if body.get("data") is not None or not isinstance(body.get("errors"), list) or not body["errors"]:
        return None
    words = _words(answer)
    if "internal-error" in words:
        return OutcomeUnknown("X failed while it wrote; whether it did is looked up before anything is sent again.", detail=said_by(answer))
    return _refusal(404 if "not-found" in words else 400, said_by(answer), words, writes=True)


def said_by(answer: HttpResponse) -> str:
    """X's own words, short."""
    return _said(answer.json_object or {})[:300]


def _said(body: dict[str, Any]) -> str:
    problems = body.get("errors")
    first = problems[0] if isinstance(problems, list) and problems else None
    if isinstance(first, dict) and isinstance(first.get("message"), str) and first["message"]:
        # What is wrong with a request stands there; beside it only that something is.
        return str(first["message"])
    for name in ("detail", "error_description", "message", "title", "error"):
        if isinstance(body.get(name), str) and body[name]:
            return str(body[name])
    return _said({name: value for name, value in first.items() if name != "errors"}) if isinstance(first, dict) else ""


def _words(answer: HttpResponse) -> str:
    body = answer.json_object or {}
    return " ".join(
        str(body.get(name, "")) for name in ("type", "title", "detail", "reason", "errors", "error", "error_description")
    ).lower()


def _broken(answer: HttpResponse, said: str, *, writes: bool) -> RemoteError:
    if writes:
        return OutcomeUnknown("X failed while it wrote; whether it did is looked up before anything is sent again.", detail=said)
    return RemoteUnavailable("X cannot do this now; it is tried again.", retry_after=answer.retry_after, detail=said)


def _moved(said: str, *, writes: bool) -> RemoteError:
    if writes:
        return OutcomeUnknown("X sent us elsewhere instead of answering; whether it did anything is looked up first.", detail=said)
    return RemoteRejected("X sends us elsewhere. Nothing was changed; check `api_url` of this channel.", detail=said)


def _refusal(status: int, said: str, words: str, *, writes: bool) -> RemoteError:
    if "duplicate" in words:
        return Duplicate(
            "X does not take the same words twice. Nothing was posted now; look whether it stands there already, or word it differently.",
            detail=said,
        )
    if status == 403 and any(one in words for one in _NOT_SUMMONED):
        return WindowClosed(
            "X lets us answer in public only those who mentioned this account or quoted it. Nothing was posted; answer in private, or in "
            "the X app.",
            detail=said,
        )
    if status in (404, 410) or any(one in words for one in _GONE):
        return TargetGone("X says that this does not exist (any more), or not for us. Nothing was changed; look at it on X.", detail=said)
    advice = "change the text or the files and send it again" if writes else "check this channel's settings, and what was asked for"
    return RemoteRejected(f"X refused this: {said or status}. Nothing was changed; {advice}.", detail=said)


def _wait(answer: HttpResponse, now: float) -> float | None:
    """Seconds to wait: `Retry-After`, else until `x-rate-limit-reset`, the moment in seconds since 1970."""
    if answer.retry_after is not None:
        return answer.retry_after
    reset = answer.headers.get("x-rate-limit-reset", "")
    return max(1.0, int(reset) - now) if reset.isascii() and reset.isdigit() and len(reset) < 13 else None
