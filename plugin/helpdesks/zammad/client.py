"""Calls to Zammad, and what each answer means: applied, surely not applied, or unclear.

An error answer does not prove that nothing happened (an article with a refused `time_unit` is stored and answered 403), so after a write
only answers that Zammad gives before it touches anything count as a refusal.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from plugin.contracts.http import HttpClient, HttpResponse
from plugin.domain.errors import (
    CredentialsRejected,
    CrossdeskError,
    MalformedPayload,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.helpdesks.zammad.schema import ZammadSettings

_LARGEST_ANSWER = 64_000_000
_LEAST_SECONDS = 0.2
_UNKNOWN_FORM = "Zammad answered in an unknown form; nothing was changed. Check its version with `doctor`."
_CHECKED_FIRST = re.compile(
    r"No lookup value found|The required value|Missing required value|Need at least an 'article body'|Attachment needs|Invalid base64"
    r"|Invalid value|Invalid email|Email address .* is already used|is longer than the allowed length|Invalid object selector"
)
"""What Zammad says with 422 before it stores anything."""
_BEFORE_ANYTHING = re.compile(r"Authentication required|Not authorized \(token\)|Current user has no permission|User authentication failed")
"""What Zammad says with 403 about the token, before it looks at the request."""


class ZammadClient:
    """One account on one server, for one operation: its calls share the time, since the engine's lease must outlive them all."""

    def __init__(self, settings: ZammadSettings, http: HttpClient) -> None:
        self._settings = settings
        self._http = http
        self._until = time.monotonic() + settings.timeout
        self._headers = {"Accept": "application/json", "Authorization": f"Token token={settings.token}"}

    def read(self, path: str, params: Mapping[str, str | int] | None = None) -> Any:
        """JSON from a GET.

        Raises:
            TargetGone: there is no such row.
            RemoteError: any other of its kinds but `OutcomeUnknown`.
        """
        return _content(self._reading("GET", path, params=params), is_write=False)

    def read_row(self, path: str, params: Mapping[str, str | int] | None = None) -> Mapping[str, Any]:
        """As `read`, for one row."""
        row = self.read_object(path, params)
        if "id" not in row:
            raise RemoteUnavailable(_UNKNOWN_FORM)
        return row

    def read_object(self, path: str, params: Mapping[str, str | int] | None = None) -> Mapping[str, Any]:
        """As `read`, for one object."""
        data = self.read(path, params)
        if not isinstance(data, Mapping):
            raise RemoteUnavailable(_UNKNOWN_FORM)
        return data

    def read_rows(self, path: str, params: Mapping[str, str | int] | None = None) -> list[dict[str, Any]]:
        """As `read`, for a list of rows."""
        return _rows(self.read(path, params))

    def search(self, condition: Mapping[str, Any], **options: str | int) -> list[dict[str, Any]]:
        """Tickets that fit a condition, expanded: the one form of the answer that all versions share. Needs no Elasticsearch.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        data = {"condition": condition, **options}
        return _rows(_content(self._reading("POST", "/tickets/search", params={"expand": "true"}, json=data), is_write=False))

    def write(self, method: str, path: str, data: Mapping[str, Any]) -> Any:
        """JSON from a call that may be repeated: the same change twice is one change.

        Raises:
            OutcomeUnknown: it may have been applied.
            RemoteError: any other of its kinds; then surely nothing was applied.
        """
        return _content(self._writing(method, path, data), is_write=True)

    def create(self, method: str, path: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row that a call made, which must not be repeated blindly.

        Raises:
            OutcomeUnknown: it may have been made, even though Zammad refused.
            RemoteError: any other of its kinds; then surely nothing was made.
        """
        row = _content(self._writing(method, path, data), is_write=True, is_creation=True)
        if not isinstance(row, Mapping) or "id" not in row:
            raise OutcomeUnknown("Zammad took the call but answered in an unknown form; it is looked up before anything is sent again.")
        return row

    def download(self, path: str, max_bytes: int) -> HttpResponse:
        """The bytes of a file.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        answer = self._reading("GET", path, max_bytes=max_bytes)
        if not answer.is_ok:
            raise _problem(answer, is_write=False)
        return answer

    def _seconds_left(self) -> float:
        left = self._until - time.monotonic()
        if left < _LEAST_SECONDS:
            raise RemoteUnavailable(
                "Zammad was too slow for this to be done in time; the last step was not begun. It is tried again later."
            )
        return left

    def _reading(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        max_bytes: int = _LARGEST_ANSWER,
    ) -> HttpResponse:
        url = f"{self._settings.url}/api/v1{path}" + (f"?{urlencode(params)}" if params else "")
        try:
            return self._http.request(method, url, headers=self._headers, json=json, timeout=self._seconds_left(), max_bytes=max_bytes)
        except OutcomeUnknown as problem:
            raise RemoteUnavailable(
                "Zammad did not answer a question; nothing was changed. It is asked again.", detail=problem.detail
            ) from None

    def _writing(self, method: str, path: str, data: Mapping[str, Any]) -> HttpResponse:
        url = f"{self._settings.url}/api/v1{path}"
        return self._http.request(method, url, headers=self._headers, json=data, timeout=self._seconds_left())


def _rows(data: Any) -> list[dict[str, Any]]:
    if not isinstance(data, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), int) for row in data):
        raise RemoteUnavailable(_UNKNOWN_FORM)
    return data


def _content(answer: HttpResponse, *, is_write: bool, is_creation: bool = False) -> Any:
    if not answer.is_ok:
        raise _problem(answer, is_write=is_write, is_creation=is_creation)
    try:
        return answer.json()
    except MalformedPayload:
        return _unreadable(answer, is_write=is_write)


def _unreadable(answer: HttpResponse, *, is_write: bool) -> Any:
    if answer.status in (204, 205) or not answer.body.strip():
        return {}
    if is_write:
        raise OutcomeUnknown(
            "Zammad took the call but its answer is not readable; it is looked up before anything is sent again."
        ) from None
    raise RemoteUnavailable("Zammad's answer is not readable; nothing was changed. Is another server answering at this address?") from None


def _problem(answer: HttpResponse, *, is_write: bool, is_creation: bool = False) -> CrossdeskError:
    """The error that an answer stands for."""
    words = _words(answer)
    detail = f"{answer.status} {words}"[:300]
    if answer.status == 401 or (answer.status == 403 and words is not None and _BEFORE_ANYTHING.search(words)):
        return CredentialsRejected(
            "Zammad no longer accepts the bridge's access token. Nothing was changed, all is kept; put a new token into the settings.",
            detail=detail,
        )
    if answer.status == 429:
        return RateLimited(
            "Zammad, or a server before it, asks to wait. Nothing was changed.", retry_after=answer.retry_after, detail=detail
        )
    if answer.status == 404:
        return _missing(words, detail)
    if 300 <= answer.status < 400:
        return RemoteUnavailable(
            "The address of Zammad points elsewhere, and redirects are not followed. Nothing was changed; correct url in the settings.",
            detail=detail,
        )
    if answer.status >= 500:
        if is_write:
            return OutcomeUnknown("Zammad failed during a call; it is looked up before anything is sent again.", detail=detail)
        return RemoteUnavailable("Zammad failed to answer a question; nothing was changed.", retry_after=answer.retry_after, detail=detail)
    if is_creation and (answer.status == 403 or (answer.status == 422 and not _CHECKED_FIRST.search(words or ""))):
        return OutcomeUnknown(
            "Zammad refused a call, which does not prove that nothing was stored; it is looked up before anything is sent again.",
            detail=detail,
        )
    if answer.status == 403:
        return RemoteRejected(
            "The bridge's account may not see this in Zammad. Give it full rights in the ticket's group, then replay.", detail=detail
        )
    return RemoteRejected("Zammad refused the content of a call. It is kept; see the reason, then replay or drop it.", detail=detail)


def _missing(words: str | None, detail: str) -> CrossdeskError:
    if words is not None and words.startswith("Couldn't find"):
        return TargetGone("What was addressed does not exist in Zammad any more.", detail=detail)
    return RemoteUnavailable("There is no Zammad at this address. Nothing was changed; correct url in the settings.", detail=detail)


def _words(answer: HttpResponse) -> str | None:
    """Zammad's own words; None where the answer is a page of some other server."""
    data = answer.json_object
    if data is None:
        return None
    words = data.get("error_human") or data.get("error")
    return words if isinstance(words, str) else None
