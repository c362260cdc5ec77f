"""RT's REST2 interface and login: one call each, every answer turned into data or one of our errors. Knows nothing of our model.

Sources: RT 5 documentation, "RT::REST2"; RT::REST2::Middleware::Auth and RT::Interface::Web (5.0.3) for the session cookie.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote

from plugin.contracts.http import FormFile, HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.errors import (
    CredentialsRejected,
    MalformedPayload,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.helpdesks.rt.schema import RtSettings

PAGE = 100
"""Rows a page; RT gives no more, whatever is asked."""
_LONG = 60.0
"""Seconds for what RT does slowly: it runs every scrip, mail included, before it answers, and takes files in one piece."""
_SESSION = "session"
_COOKIE = re.compile(r"(RT_SID_[^=;,\s]+)=([0-9A-Za-z]+)")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class RtClient:
    """Calls to one RT in the bridge's own name, by session cookie (one login for all processes) or by token."""

    def __init__(self, settings: RtSettings, connection: Connection) -> None:
        self._settings = settings
        self._http = connection.http
        self._secrets = connection.secrets
        # A stored session belongs to one server and user: after a change of settings it must not speak for the former one.
        self._owner = hashlib.sha256(f"{settings.url}\n{settings.user}".encode()).hexdigest()[:16]

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> HttpResponse:
        """Read one thing.

        Raises:
            TargetGone: it does not exist.
            RemoteError: any of its kinds.
        """
        return self._checked(self._call("GET", f"/REST/2.0{path}", params=params), is_write=False)

    def find(self, path: str) -> dict[str, Any] | None:
        """Read one record, None when it does not exist."""
        try:
            return read_object(self.get(path))
        except TargetGone:
            return None

    def search(
        self, path: str, params: Mapping[str, str | int], *, newest_first: bool = False, page: int = 1, per_page: int = PAGE
    ) -> list[dict[str, Any]]:
        """One page of a listing, by id. RT tells users below superuser no total and hides rows: only an empty page is surely the end."""
        order = "DESC" if newest_first else "ASC"
        answer = read_json(self.get(path, {**params, "orderby": "id", "order": order, "per_page": per_page, "page": page}))
        items = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(items, list):
            # Taken for an empty listing, it would say that what we filed is not there, and it would be filed again.
            raise _not_rt()
        return [item for item in items if isinstance(item, dict) and item.get("id")]

    def walk(self, path: str, params: Mapping[str, str | int]) -> Iterator[dict[str, Any]]:
        """All rows of a listing, newest first; rows that move to the next page while we read come once."""
        page, seen = 1, set[str]()
        while rows := self.search(path, params, newest_first=True, page=page):
            for row in rows:
                if row["id"] not in seen:
                    seen.add(row["id"])
                    yield row
            page += 1

    def post(self, path: str, body: Mapping[str, Any], files: Sequence[FormFile] = ()) -> HttpResponse:
        """Make something new; with files as a multipart form, whose file names may be of any script.

        Raises:
            OutcomeUnknown: it may have been made.
            RemoteError: any other kind: it was not.
        """
        if not files:
            return self._checked(self._call("POST", f"/REST/2.0{path}", json=body, timeout=_LONG), is_write=True)
        form = {"JSON": json.dumps(body)}
        parts = [("Attachments", file) for file in files]
        return self._checked(self._call("POST", f"/REST/2.0{path}", data=form, files=parts, timeout=_LONG), is_write=True)

    def put(self, path: str, body: Mapping[str, Any], *, etag: str = "") -> list[str] | None:
        """Change something. RT answers 200 with sentences whether it did so or not: read the thing again. None: `etag` is stale."""
        headers = {"If-Match": etag} if etag else {}
        answer = self._call("PUT", f"/REST/2.0{path}", json=body, headers=headers)
        if answer.status == 412:
            return None
        try:
            said = read_json(self._checked(answer, is_write=True))
        except RemoteUnavailable as problem:
            raise OutcomeUnknown("RT's answer to a change could not be read.", detail=problem.detail) from None
        return [str(item) for item in said] if isinstance(said, list) else []

    def download(self, path: str, *, max_bytes: int) -> HttpResponse:
        """A file from RT's web pages, which stream it as it is."""
        return self._checked(self._call("GET", path, max_bytes=max_bytes, timeout=_LONG), is_write=False)

    def _call(self, method: str, path: str, **sent: Any) -> HttpResponse:
        if self._settings.token:
            return self._send(method, path, {"Authorization": f"token {self._settings.token}"}, **sent)
        session = self._session(None)
        answer = self._send(method, path, _cookie(session), **sent)
        if not _is_turned_away(answer):
            return answer
        return self._send(method, path, _cookie(self._session(session)), **sent)

    def _send(
        self, method: str, path: str, credential: Mapping[str, str], *, headers: Mapping[str, str] | None = None, **sent: Any
    ) -> HttpResponse:
        return self._http.request(method, self._settings.url + path, headers={"Accept": "*/*", **(headers or {}), **credential}, **sent)

    def _session(self, stale: str | None) -> str:
        stored = self._secrets.get(_SESSION)
        if stale is None and stored is not None and stored.startswith(self._owner + " "):
            return stored
        return self._secrets.refresh(_SESSION, stored if stale is None else stale, self._log_in)

    def _log_in(self, current: str | None) -> str:
        del current
        try:
            answer = self._http.request(
                "POST",
                f"{self._settings.url}/NoAuth/Login.html",
                # Any `next` makes RT answer a good login with a redirect and a bad one with the form again.
                data={"user": self._settings.user, "pass": self._settings.password, "next": "crossdesk"},
            )
        except OutcomeUnknown as problem:
            raise RemoteUnavailable("RT did not answer the login; everything is kept and tried again.", detail=problem.detail) from None
        cookies = _COOKIE.findall(answer.headers.get("set-cookie", ""))
        if answer.status in _REDIRECTS and cookies:
            name, value = cookies[-1]
            return f"{self._owner} {name}={value}"
        if answer.status == 200:
            raise CredentialsRejected(
                f"RT does not accept the password of {self._settings.user}; everything is kept. Set it again and resume the helpdesk."
            )
        self._checked(answer, is_write=False)
        raise RemoteUnavailable("RT's login page answered in a way that is not RT's; everything is kept. Check the helpdesk's url.")

    def _checked(self, answer: HttpResponse, *, is_write: bool) -> HttpResponse:
        status, detail = answer.status, _detail(answer)
        if answer.is_ok:
            return answer
        if status == 429:
            raise RateLimited("RT asks the bridge to wait; everything is kept.", retry_after=answer.retry_after, detail=detail)
        if _is_turned_away(answer):
            raise CredentialsRejected(
                f"RT does not let {self._settings.user} in; everything is kept. Check user, password or token, and url.",
                detail=detail,
            )
        if status == 403:
            raise RemoteRejected(
                f"RT does not allow this to {self._settings.user}; nothing was changed. Run seed.pl for every queue that the bridge uses.",
                detail=detail,
            )
        if status == 404:
            raise TargetGone("RT has no such entry any more.", detail=detail)
        if status >= 500 and is_write:
            raise OutcomeUnknown("RT failed while it worked on a change; the bridge looks what became of it.", detail=f"{status} {detail}")
        if status >= 500:
            raise RemoteUnavailable(
                "RT cannot answer now; everything is kept.", retry_after=answer.retry_after, detail=f"{status} {detail}"
            )
        raise RemoteRejected("RT refused this; nothing was changed.", detail=f"{status} {detail}")


def read_json(answer: HttpResponse) -> Any:
    """The body of an answer to a read.

    Raises:
        RemoteUnavailable: it is no JSON (a proxy's page).
    """
    try:
        return answer.json()
    except MalformedPayload:
        raise _not_rt() from None


def read_object(answer: HttpResponse) -> dict[str, Any]:
    """The object in an answer to a read.

    Raises:
        RemoteUnavailable: there is none, or nothing in it.
    """
    said = answer.json_object
    if not said:
        raise _not_rt()
    return said


def read_record(answer: HttpResponse) -> dict[str, Any]:
    """The record in an answer to a read: RT shows it with its id.

    Raises:
        RemoteUnavailable: there is none.
    """
    record = read_object(answer)
    if not record.get("id"):
        raise _not_rt()
    return record


def created_id(answer: HttpResponse, kind: str) -> str:
    """The id of what a POST made, from its Location (`/REST/2.0/<kind>/<id>`).

    Raises:
        OutcomeUnknown: the answer does not tell.
    """
    found = re.search(rf"/{kind}/([0-9]+)$", answer.headers.get("location", ""))
    if answer.status != 201 or found is None:
        raise OutcomeUnknown(f"RT did not say which {kind} it made; the bridge looks for it.", detail=f"{answer.status}")
    return found[1]


def quoted(value: str) -> str:
    """A string in TicketSQL. RT takes any query with an opening bracket for JSON, so there must be none."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def segment(value: str) -> str:
    """One part of a path."""
    return quote(value, safe="")


def field_values(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The values of a custom field in a ticket or transaction; empty where it is not applied."""
    for item in cast(Sequence[Mapping[str, Any]], record.get("CustomFields") or ()):
        if item.get("name") == name:
            return tuple(str(value) for value in item.get("values") or () if value is not None)
    return ()


def _not_rt() -> RemoteUnavailable:
    return RemoteUnavailable("What answered in RT's place is not RT; everything is kept. Check the helpdesk's url.")


def _cookie(session: str) -> dict[str, str]:
    return {"Cookie": session.partition(" ")[2]}


def _is_turned_away(answer: HttpResponse) -> bool:
    """RT sends whoever brings an unknown cookie to its login page, and answers 401 to others."""
    return answer.status == 401 or answer.status in _REDIRECTS


def _detail(answer: HttpResponse) -> str:
    return str((answer.json_object or {}).get("message", ""))[:300]
