"""Calls to the account's own server (XRPC), with one kept session, and what its answers mean. Knows nothing of posts.

A session is opened once and renewed when the server says it ran out: signing in is limited to 30 times in five minutes.
Sources: AT Protocol specification, "HTTP API (XRPC)"; Bluesky documentation, "Rate Limits"; lexicon `com.atproto.server`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
)
from plugin.platforms.bluesky.schema import Session, Settings, load_session

Params = Sequence[tuple[str, str]]
_SESSION = "session"
_STALE = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"})
_STOPPED = frozenset({"AccountTakedown", "AccountDeactivated", "AuthFactorTokenRequired"})
_GONE = frozenset({"RecordNotFound", "NotFound", "RepoNotFound", "RepoDeactivated", "RepoTakendown"})
_UNPRIVILEGED = "Bad token method"
"""What a server says when an app password is asked to do what it was not made for."""
_UNREADABLE = "Bluesky's server answered with something that is not its protocol."


class Refused(RemoteRejected):
    """The server refused with an error name of its own, for example `RecordNotFound`."""

    name: str = ""

    @property
    def says_gone(self) -> bool:
        """Whether it says that the record asked for does not exist (any more)."""
        return self.name in _GONE or self.detail.startswith("Could not locate record")


class NotAllowed(RemoteRejected):
    """The app password does not open this."""


class Client:
    """One account's server."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection

    @property
    def session(self) -> Session:
        """The account that we are; signs in the first time and when the settings changed.

        Raises:
            CredentialsRejected: handle and app password do not open it.
            RemoteError: any other of its kinds.
        """
        return self._session()[1]

    def query(self, method: str, params: Params = (), *, service: str = "") -> dict[str, Any]:
        """Ask something. Shape: the answer's object. `service`: the account's server passes it on to that one (AT Protocol, "Service Proxying").

        Raises:
            Refused: with the server's own error name.
            RemoteError: any other of its kinds, never `OutcomeUnknown`.
        """
        return _object(self._call("GET", method, writes=False, params=params, headers=_passed_on(service)), writes=False)

    def write(self, method: str, body: Mapping[str, Any], *, service: str = "") -> dict[str, Any]:
        """Change something; `service` as for `query`.

        Raises:
            OutcomeUnknown: it may have been applied.
            Refused: with the server's own error name.
            RemoteError: any other of its kinds.
        """
        return _object(self._call("POST", method, writes=True, json=body, headers=_passed_on(service)), writes=True)

    def upload(self, content: bytes, content_type: str) -> dict[str, Any]:
        """Hand over a file and get its blob. Nobody sees it until a record names it, so an unclear outcome is no harm."""
        try:
            answer = self._call(
                "POST", "com.atproto.repo.uploadBlob", writes=False, data=content, headers={"content-type": content_type}, timeout=60.0
            )
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable("The picture could not be handed to Bluesky; nothing was posted and it is tried again.") from unclear
        blob = _object(answer, writes=False).get("blob")
        if not isinstance(blob, dict):
            raise RemoteUnavailable(_UNREADABLE)
        return blob

    def _session(self) -> tuple[str, Session]:
        secrets = self._connection.secrets
        kept = secrets.get(_SESSION)
        session = load_session(kept)
        if kept is not None and session is not None and session.account == self._settings.fingerprint:
            return kept, session
        return self._renewed(kept)

    def _renewed(self, stale: str | None) -> tuple[str, Session]:
        secret = self._connection.secrets.refresh(_SESSION, stale, self._renew)
        session = load_session(secret)
        if session is None:
            raise CredentialsRejected("The kept Bluesky session cannot be read. Reconnect the channel.")
        return secret, session

    def _renew(self, current: str | None) -> str:
        """Renew the kept session, or sign in where there is none, it is another account's, or it is not accepted any more."""
        session = load_session(current)
        if session is not None and session.account == self._settings.fingerprint:
            answer = self._send("POST", "com.atproto.server.refreshSession", token=session.renewal)
            if answer.is_ok:
                return self._opened(answer)
            if answer.status not in (400, 401):
                raise self._failure(answer, writes=False)
        credentials = {"identifier": self._settings.identifier, "password": self._settings.app_password}
        answer = self._send("POST", "com.atproto.server.createSession", json=credentials)
        if answer.is_ok:
            return self._opened(answer)
        if answer.status in (400, 401):
            raise CredentialsRejected(
                f"Bluesky does not accept the app password of {self._settings.identifier}. The channel pauses and everything is kept;"
                " make a new app password, enter it, and resume the channel.",
                detail=_said(answer),
            )
        raise self._failure(answer, writes=False)

    def _opened(self, answer: HttpResponse) -> str:
        data = _object(answer, writes=False)
        try:
            return Session(
                did=str(data["did"]),
                handle=str(data["handle"]),
                access=str(data["accessJwt"]),
                renewal=str(data["refreshJwt"]),
                account=self._settings.fingerprint,
            ).dump()
        except KeyError:
            raise RemoteUnavailable(_UNREADABLE) from None

    def _call(self, verb: str, method: str, *, writes: bool, **how: Any) -> HttpResponse:
        secret, session = self._session()
        answer = self._send(verb, method, token=session.access, **how)
        if _is_stale(answer):
            _, session = self._renewed(secret)
            answer = self._send(verb, method, token=session.access, **how)
        if not answer.is_ok:
            raise self._failure(answer, writes=writes)
        return answer

    def _send(self, verb: str, method: str, *, token: str = "", headers: Mapping[str, str] | None = None, **how: Any) -> HttpResponse:
        authorization = {"authorization": f"Bearer {token}"} if token else {}
        url = f"{self._settings.service}/xrpc/{quote(method)}"
        try:
            return self._connection.http.request(verb, url, headers={**authorization, **(headers or {})}, **how)
        except OutcomeUnknown as unclear:
            if "server." in method:
                raise RemoteUnavailable("Bluesky's server did not answer the sign-in; it is tried again.") from unclear
            raise

    def _failure(self, answer: HttpResponse, *, writes: bool) -> RemoteError:
        name, said, status = _error_name(answer), _said(answer), answer.status
        if status == 429:
            return RateLimited("Bluesky asks us to slow down; the message waits.", retry_after=self._wait(answer), detail=said)
        if status == 400 and said == _UNPRIVILEGED:
            return NotAllowed(
                f"The app password of {self._settings.identifier} does not open direct messages; nothing was read or sent. Make one in the Bluesky app with"
                " *Allow access to your direct messages*, enter it, and test the channel.",
                detail=said,
            )
        if status == 401 or name in _STALE or name in _STOPPED:
            return CredentialsRejected(
                f"Bluesky does not let {self._settings.identifier} in any more. The channel pauses and everything is kept;"
                " look at the account in the Bluesky app, make a new app password if needed, and resume the channel.",
                detail=said,
            )
        if status in (408, 425) or (status >= 500 and status != 501):
            if writes:
                return OutcomeUnknown(
                    "Bluesky's server failed while it wrote; whether it did is looked up before anything is sent again.", detail=said
                )
            return RemoteUnavailable("Bluesky's server cannot do this now; it is tried again.", retry_after=answer.retry_after, detail=said)
        if 300 <= status < 400:
            return RemoteRejected(
                f"{self._settings.service} sends us elsewhere. Enter the server's final address as `service`.", detail=said
            )
        refused = Refused(
            f"Bluesky refused this: {said or status}. Nothing was sent; change the text or the files and send it again.", detail=said
        )
        refused.name = name
        return refused

    def _wait(self, answer: HttpResponse) -> float | None:
        """Seconds to wait: `Retry-After`, else `RateLimit-Reset`, which is the moment in seconds since 1970."""
        if answer.retry_after is not None:
            return answer.retry_after
        try:
            return max(1.0, float(answer.headers["ratelimit-reset"]) - self._connection.clock.now().timestamp())
        except (KeyError, ValueError):
            return None


def _object(answer: HttpResponse, *, writes: bool) -> dict[str, Any]:
    data = answer.json_object
    if data is None:
        raise OutcomeUnknown(_UNREADABLE) if writes else RemoteUnavailable(_UNREADABLE)
    return data


def _error(answer: HttpResponse) -> dict[str, Any]:
    return answer.json_object or {}


def _error_name(answer: HttpResponse) -> str:
    return str(_error(answer).get("error", ""))


def _said(answer: HttpResponse) -> str:
    """The server's own words, short."""
    return str(_error(answer).get("message") or _error_name(answer))[:300]


def _is_stale(answer: HttpResponse) -> bool:
    return answer.status == 401 or (answer.status == 400 and _error_name(answer) in _STALE and _said(answer) != _UNPRIVILEGED)


def _passed_on(service: str) -> dict[str, str]:
    return {"atproto-proxy": service} if service else {}
