"""What LinkedIn's answers mean. Knows no call and no comment.

Sources: LinkedIn API guide, "Error handling", "Rate limiting", "Versioning"; LinkedIn Marketing API, "Comments API" (error table).
"""

from __future__ import annotations

from datetime import datetime

from plugin.contracts.http import HttpResponse
from plugin.contracts.reading import read_string
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.platforms._oauth.budget import until_midnight

UNREADABLE = "LinkedIn answered with something that is not its API"
ZONE = "UTC"
"""LinkedIn counts a day's calls from midnight to midnight there."""
_FEW_SECONDS = 60.0
_AGAIN = "Everything is kept; connect the channel again (crossdesk channel connect), then resume it."


def failure(answer: HttpResponse, *, writes: bool, about_page: bool, now: datetime) -> RemoteError:
    """The error that an answer other than success stands for. `about_page`: what was asked is the page's own, so that a no is about us."""
    status, said, code = answer.status, said_by(answer), _code(answer)
    if status == 429:
        return _limited(answer, said, now)
    if status == 426 or code == "NONEXISTENT_VERSION":
        return CredentialsRejected(
            "LinkedIn has retired the version of its API that this channel uses. Everything is kept; set `api_version` to a newer one, restart, "
            "then resume the channel.",
            detail=said,
        )
    if status == 401:
        return CredentialsRejected(f"LinkedIn does not accept this sign-in any more. {_AGAIN}", detail=said)
    if status == 403 and (about_page or code == "ACCESS_DENIED" or "Not enough permissions" in said):
        return CredentialsRejected(
            f"LinkedIn does not let this app or person do that: {said.rstrip('.') or 'a permission or the role on the page is missing'}. See that the "
            f"app has the Community Management API and that whoever signed in is an administrator of the page. {_AGAIN}",
            detail=said,
        )
    if status in (408, 425) or status >= 500 or status < 400:
        what = "LinkedIn failed" if status >= 400 else UNREADABLE
        if writes:
            return OutcomeUnknown(f"{what} while it wrote; whether it did is looked up before anything is sent again.", detail=said)
        return RemoteUnavailable(f"{what}; it is asked again.", retry_after=answer.retry_after, detail=said)
    if status in (404, 410):
        return TargetGone(
            "LinkedIn says that this does not exist (any more), or not for us. Nothing was changed; look at it there.", detail=said
        )
    advice = "change the text, or answer on LinkedIn itself" if writes else "check what was asked for, and this channel's settings"
    return RemoteRejected(f"LinkedIn refused this: {(said or str(status)).rstrip('.')}. Nothing was changed; {advice}.", detail=said)


def unreadable(*, writes: bool) -> RemoteError:
    """The error that a success without readable content stands for."""
    if writes:
        return OutcomeUnknown(f"{UNREADABLE}; whether it did what was asked is looked up before anything is sent again.")
    return RemoteUnavailable(f"{UNREADABLE}; it is asked again.")


def said_by(answer: HttpResponse) -> str:
    """LinkedIn's own words, short."""
    return read_string((answer.json_object or {}).get("message"))[:300]


def _code(answer: HttpResponse) -> str:
    return read_string((answer.json_object or {}).get("code"))


def _limited(answer: HttpResponse, said: str, now: datetime) -> RateLimited:
    is_day = " DAY " in said.upper()
    if is_day:
        why = "The day's calls that LinkedIn allows this app or person are used up. Nothing was done, everything is kept, and it goes on after midnight UTC."
    else:
        why = "LinkedIn asks us to slow down; nothing was done, and it waits."
    wait = until_midnight(now, ZONE) if is_day else _FEW_SECONDS
    return RateLimited(why, retry_after=answer.retry_after if "retry-after" in answer.headers else wait, detail=said)
