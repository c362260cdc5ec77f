"""The contract's calls, signed, and what each of the other side's answers means. See docs/webhook-channel.md for the contract itself."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from plugin.contracts.http import HttpClient, HttpResponse
from plugin.domain.clock import Clock
from plugin.domain.errors import (
    CredentialsRejected,
    MalformedPayload,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.platforms.webhook import signatures
from plugin.platforms.webhook.schema import Settings

_MOVED = frozenset([301, 307, 308])
"""Redirects that ask for the same call elsewhere: nothing was done here."""
_PROBLEM = "application/problem+json"


class Client:
    """One channel's calls. Reads raise `RemoteUnavailable` where writes raise `OutcomeUnknown`."""

    def __init__(self, settings: Settings, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._url = settings.url
        self._keys = settings.send_keys
        self._timeout = settings.timeout

    def __repr__(self) -> str:
        return f"<Client {self._url}>"

    def write(self, kind: str, data: Mapping[str, Any], *, wish: str, at: datetime | None = None) -> dict[str, Any]:
        """Post one call under the id `wish`; the object that came back, empty for 204.

        Raises:
            RemoteError: any of its kinds; `OutcomeUnknown` where it may have been applied.
        """
        moment = (at or self._clock.now()).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = json.dumps({"type": kind, "timestamp": moment, "data": data}, separators=(",", ":")).encode("ascii")
        headers = self._signed(body, wish) | {"Content-Type": "application/json"}
        answer = self._http.request("POST", self._url, headers=headers, data=body, timeout=self._timeout)
        _check(answer, is_write=True)
        return {} if answer.status == 204 else _object(answer, is_write=True)

    def read(self, url: str, params: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """`GET` an object. What is signed in place of a body is the query, as it is sent.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        query = urlencode(params)
        headers = self._signed(query.encode("ascii"), f"read_{uuid.uuid4().hex}")
        answer = self._http.request("GET", f"{url}?{query}", headers=headers, timeout=self._timeout)
        _check(answer, is_write=False)
        return _object(answer, is_write=False)

    def _signed(self, content: bytes, wish: str) -> dict[str, str]:
        stamp = str(int(self._clock.now().timestamp()))
        return {
            "Accept": f"application/json, {_PROBLEM}",
            "Webhook-Id": wish,
            "Webhook-Timestamp": stamp,
            "Webhook-Signature": signatures.sign(content, self._keys, wish=wish, stamp=stamp),
        }


def _check(answer: HttpResponse, *, is_write: bool) -> None:
    if answer.is_ok:
        return
    said, is_problem = _reason(answer)
    if answer.status == 401:
        raise CredentialsRejected(
            "The other side does not accept our signature. Everything is kept; compare send_secret and the clocks of both sides.",
            detail=said,
        )
    if answer.status == 429:
        raise RateLimited("The other side asks to wait; it is tried again then.", retry_after=answer.retry_after, detail=said)
    if answer.status in _MOVED:
        raise RemoteUnavailable(
            "The other side is at another address, and redirects are not followed. Everything is kept; put the final address into the "
            "channel's settings.",
            detail=f"status {answer.status}",
        )
    if answer.status == 410 or (answer.status == 404 and is_problem):
        raise TargetGone("What was addressed does not exist on the other side any more. Nothing was changed there.", detail=said)
    if answer.status in {404, 405}:
        raise RemoteUnavailable(
            f"Nothing at the channel's address takes this call ({answer.status}); everything is kept. Check the channel's url.", detail=said
        )
    if 400 <= answer.status < 500 and answer.status not in {408, 409}:
        why = f": {said.rstrip('.')}" if said else f" ({answer.status})"
        raise RemoteRejected(
            f"The other side refused this{why}. Nothing was changed there; change what it names and try again.",
            detail=f"status {answer.status}",
        )
    if is_write:
        raise OutcomeUnknown(
            f"The other side answered {answer.status}; whether it took the call is not known. It is kept and settled before anything else.",
            detail=said,
        )
    raise RemoteUnavailable(
        f"The other side cannot tell now ({answer.status}); it is asked again.", retry_after=answer.retry_after, detail=said
    )


def _reason(answer: HttpResponse) -> tuple[str, bool]:
    """Their words (RFC 9457, Problem Details), and whether it is such an answer."""
    is_problem = answer.headers.get("content-type", "").partition(";")[0].strip().lower() == _PROBLEM
    try:
        data = answer.json()
    except MalformedPayload:
        return "", False
    if not isinstance(data, dict):
        return "", False
    words = next((one for one in (data.get("detail"), data.get("title")) if isinstance(one, str) and one.strip()), "")
    return " ".join(words.split())[:300], is_problem


def _object(answer: HttpResponse, *, is_write: bool) -> dict[str, Any]:
    try:
        data = answer.json()
    except MalformedPayload:
        data = None
    if isinstance(data, dict):
        return data
    if is_write:
        raise OutcomeUnknown(
            "The other side's answer is no JSON object; whether it took the call is not known. It is kept and settled first. Is the url right?"
        )
    raise RemoteUnavailable("The other side's answer is no JSON object; it is asked again. Is the address right?")
