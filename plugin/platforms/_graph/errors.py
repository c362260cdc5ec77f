"""What an answer of the Graph API means, by code and subcode: its HTTP status tells little (Graph API, "Handling Errors").

Only an error that Graph itself spoke counts as not applied, and of those only the kinds that are refusals. Sources: "Messenger Platform, Error
Codes", "Instagram Platform, Error Codes", "WhatsApp Cloud API, Error codes".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from plugin.contracts.http import HttpResponse
from plugin.contracts.reading import read_count, read_object, read_string
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
from plugin.platforms._graph.values import read_id

_RATE = frozenset({4, 17, 32, 613, 80007, 130429, 131048, 131056, 133016, *range(80000, 80015)})
_PATIENCE = {131056: 6.0, 131048: 3600.0, 130429: 5.0}
"""Seconds where Graph names none: one message in six seconds to one person, an hour after reports of spam."""
_WAIT = 60.0
_TOKEN = frozenset({102, 190, 463, 467})
_WINDOW = frozenset({(10, 2018278), (10, 2018065), (10, 2534022)})
_WINDOW_CODES = frozenset({131047, 1545041})
_STOPPED = frozenset({368, 131031, 131037})
_GONE = frozenset({(100, 33), (100, 2018001), (100, 2534014), (100, 2534029), (10, 2018108)})
_GONE_CODES = frozenset({551, 803, 131026})
_UNCLEAR = frozenset({1, 2, 131000, 131016, 1357046})
_BUSINESS_USAGE = "x-business-use-case-usage"
_USAGES = (_BUSINESS_USAGE, "x-app-usage", "x-page-usage")
_FULL = 100


class PermissionMissing(CredentialsRejected):
    """The token is good, and lacks a permission for what was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Graph's own error object."""

    code: int
    subcode: int
    words: str
    is_transient: bool

    @property
    def number(self) -> str:
        """As it is looked up in Meta's lists."""
        return f"{self.code}/{self.subcode}" if self.subcode else f"{self.code}"


def read_fault(data: object) -> Fault | None:
    """The error object in an answer or in a status of WhatsApp's; None where there is none."""
    given = read_object(data)
    error = read_object(given.get("error")) if "error" in given else given
    code = error.get("code")
    if not isinstance(code, int) or isinstance(code, bool):
        return None
    details = read_string(read_object(error.get("error_data")).get("details"))
    said = (read_string(error.get("error_user_msg")), details, read_string(error.get("message")), read_string(error.get("title")))
    return Fault(
        code=code,
        subcode=read_count(error.get("error_subcode")) or 0,
        words=next((" ".join(one.split())[:300].rstrip(".") for one in said if one.strip()), ""),
        is_transient=error.get("is_transient") is True,
    )


def failure(answer: HttpResponse, *, writes: bool) -> RemoteError:
    """The error that an answer means which brought nothing usable."""
    fault = read_fault(answer.json_object or {})
    if fault is None:
        if answer.status == 429:
            return _slow(None, answer)
        return _unclear(f"Something answered for Meta with status {answer.status} and nothing of the Graph API's", "", writes=writes)
    if fault.code in _RATE or fault.subcode == 2534040:
        return _slow(fault, answer)
    if fault.code in _UNCLEAR or fault.subcode in _UNCLEAR or fault.is_transient:
        return _unclear(f"Meta failed with an error of its own ({fault.number})", fault.words, writes=writes)
    refusal = _refusal(fault)
    if refusal is not None:
        return refusal
    if answer.status >= 500 and not 100 <= fault.code < 1000 and fault.code < 100_000:
        return _unclear(f"Meta failed with an error of its own ({fault.number})", fault.words, writes=writes)
    return RemoteRejected(
        f"Meta refused this ({fault.number}): {fault.words or 'it gives no reason'}. Nothing was changed; change what it names and try again.",
        detail=_detail(fault),
    )


def _refusal(fault: Fault) -> RemoteError | None:
    """A refusal that has a name of its own, None for all others. Surely not applied."""
    pair, detail = (fault.code, fault.subcode), _detail(fault)
    if pair in _GONE or fault.code in _GONE_CODES:
        return TargetGone(
            f"What was addressed does not exist any more, or cannot be reached by us ({fault.number}): {fault.words or 'no reason given'}. "
            "Nothing was sent; look at the conversation on the platform.",
            detail=detail,
        )
    if pair in _WINDOW or fault.code in _WINDOW_CODES or fault.subcode in _WINDOW_CODES:
        return WindowClosed(
            "The time in which Meta lets us answer this customer is over. Nothing was sent; wait for their next message, use a prepared "
            "text where the platform has them, or reach them another way.",
            detail=detail,
        )
    if pair == (10, 2018300):
        return RemoteRejected(
            "Another app answers this conversation now (Conversation Routing). Nothing was sent; take the conversation over in the Page's "
            "inbox, or make our app the default app in the Page's settings.",
            detail=detail,
        )
    if fault.code == 10900:
        return RemoteRejected(
            "This comment has had its one private reply already. Nothing was sent; answer below the comment, or wait until the person "
            "answers in private.",
            detail=detail,
        )
    if fault.code == 131042:
        return BillingStopped(
            f"WhatsApp does not send because of the account's payment method: {fault.words}. Everything is kept; settle it in the WhatsApp "
            "Manager and resume the channel.",
            detail=detail,
        )
    if pair == (10, 1893063) or fault.code in _STOPPED:
        return CredentialsRejected(
            f"Meta has blocked this account from sending ({fault.number}): {fault.words or 'it gives no reason'}. The channel pauses and "
            "everything is kept; look into Account Quality, settle it there and resume the channel.",
            detail=detail,
        )
    if fault.code in _TOKEN or (fault.code == 0 and "auth" in fault.words.lower()):
        return CredentialsRejected(
            "Meta does not accept the access token (any more). The channel pauses and everything is kept; connect the account again or "
            "enter a new token, then resume the channel.",
            detail=detail,
        )
    if fault.code in (3, 10, 131005) or 200 <= fault.code < 300:
        return PermissionMissing(
            f"The access token lacks a permission for this ({fault.number}): {fault.words or 'Meta does not say which'}. The channel pauses "
            "and everything is kept; give the app the permission, connect the account again and resume the channel.",
            detail=detail,
        )
    return None


def _slow(fault: Fault | None, answer: HttpResponse) -> RateLimited:
    wait = answer.retry_after
    if wait is None:
        wait = regain_seconds(answer)
    if wait is None:
        wait = _PATIENCE.get(fault.code, _WAIT) if fault is not None else _WAIT
    return RateLimited(
        f"Meta asks for a pause of {wait:g} s; nothing was sent, it is sent after that.",
        retry_after=wait,
        detail=_detail(fault) if fault else "",
    )


def regain_seconds(answer: HttpResponse) -> float | None:
    """Seconds until Graph lets us call again, where its usage headers say so (they count minutes); None where nothing is used up."""
    waits = [
        60.0 * minutes
        for usage in _usages(answer)
        if (minutes := read_count(usage.get("estimated_time_to_regain_access")) or 0) and _is_full(usage)
    ]
    return max(waits, default=None)


def _usages(answer: HttpResponse) -> Iterator[dict[str, Any]]:
    for name in _USAGES:
        try:
            value = json.loads(answer.headers.get(name, "{}"))
        except (ValueError, RecursionError):
            continue
        if not isinstance(value, dict):
            continue
        groups = value.values() if name == _BUSINESS_USAGE else [[value]]
        for group in groups:
            yield from (one for one in group if isinstance(one, dict)) if isinstance(group, list) else ()


def _is_full(usage: dict[str, Any]) -> bool:
    return any((read_count(usage.get(name)) or 0) >= _FULL for name in ("call_count", "total_cputime", "total_time"))


def _unclear(what: str, words: str, *, writes: bool) -> RemoteError:
    if writes:
        return OutcomeUnknown(
            f"{what}; it may have been done or not. It is not repeated by itself: look at the conversation on the platform, then mark it as "
            "sent or send it again.",
            detail=words,
        )
    return RemoteUnavailable(f"{what}; nothing was changed, it is asked again.", detail=words)


def _detail(fault: Fault) -> str:
    return read_id(f"{fault.number} {fault.words}".strip())
