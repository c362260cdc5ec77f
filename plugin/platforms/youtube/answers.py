"""What YouTube's answers mean. Knows no call and no comment.

Sources: YouTube Data API, "Errors" (core API errors, comments, commentThreads); Google APIs, "Standard error responses".
"""

from __future__ import annotations

from datetime import datetime

from plugin.contracts.http import HttpResponse
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.platforms.youtube.quota import until_midnight

UNREADABLE = "YouTube answered with something that is not its API"
_DAY_IS_OVER = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_LOCKED_OUT = frozenset({
    "authError", "insufficientPermissions", "accessNotConfigured", "youtubeSignupRequired", "accountClosed", "accountSuspended",
    "channelClosed", "channelSuspended",
})  # fmt: skip
_GONE = frozenset({"commentNotFound", "commentThreadNotFound", "parentCommentNotFound", "videoNotFound", "channelNotFound", "notFound"})
_FEW_SECONDS = 60.0
_WHY = {
    "commentsDisabled": "comments are switched off there",
    "commentTextTooLong": "the text is too long",
    "commentTextRequired": "there is no text",
    "ineligibleAccount": "the account must first be joined with a Google+ or YouTube profile",
    "parentCommentIsPrivate": "the comment that is answered is private",
    "forbidden": "the signed-in account may not do that",
}


def failure(answer: HttpResponse, *, writes: bool, now: datetime) -> RemoteError:
    """The error that an answer other than success stands for."""
    status, reason, said = answer.status, _reason(answer), said_by(answer)
    if reason in _DAY_IS_OVER:
        return RateLimited(
            "The day's quota of the Google project is used up. Nothing was done, everything is kept, and it goes on after midnight Pacific time; "
            "ask Google for more quota if this happens often.",
            retry_after=until_midnight(now),
            detail=said,
        )
    if status == 429 or reason in _TOO_FAST:
        wait = answer.retry_after if "retry-after" in answer.headers else _FEW_SECONDS
        return RateLimited("YouTube asks us to slow down; nothing was done, and it waits.", retry_after=wait, detail=said)
    if status == 401 or reason in _LOCKED_OUT:
        return CredentialsRejected(
            "YouTube does not let this account or project do that. Everything is kept; see that the YouTube Data API is enabled in the project, "
            "connect the channel again (crossdesk channel connect), then resume it.",
            detail=said,
        )
    if status in (408, 425) or status >= 500 or reason == "processingFailure":
        return _unclear("YouTube failed", said, answer, writes=writes)
    if status < 400:
        return _unclear(UNREADABLE, said, answer, writes=writes)
    if status in (404, 410) or reason in _GONE:
        return TargetGone(
            "YouTube says that this does not exist (any more), or not for us. Nothing was changed; look at it there.", detail=said
        )
    why = _WHY.get(reason) or said or str(status)
    advice = "change the text, or answer on YouTube itself" if writes else "check what was asked for, and this channel's settings"
    return RemoteRejected(f"YouTube refused this: {why.rstrip('.')}. Nothing was changed; {advice}.", detail=said)


def unreadable(*, writes: bool) -> RemoteError:
    """The error that a success without readable content stands for."""
    if writes:
        return OutcomeUnknown(f"{UNREADABLE}; whether it did what was asked is looked up before anything is sent again.")
    return RemoteUnavailable(f"{UNREADABLE}; it is asked again.")


def said_by(answer: HttpResponse) -> str:
    """YouTube's own words, short."""
    problem = (answer.json_object or {}).get("error")
    return (read_string(problem) or read_string(read_object(problem).get("message")))[:300]


def _reason(answer: HttpResponse) -> str:
    problem = read_object((answer.json_object or {}).get("error"))
    return next((read_string(one.get("reason")) for one in read_objects(problem.get("errors"))), "")


def _unclear(what: str, said: str, answer: HttpResponse, *, writes: bool) -> RemoteError:
    if writes:
        return OutcomeUnknown(f"{what} while it wrote; whether it did is looked up before anything is sent again.", detail=said)
    return RemoteUnavailable(f"{what}; it is asked again.", retry_after=answer.retry_after, detail=said)
