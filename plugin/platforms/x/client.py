"""Calls to X in the account's name or the app's, signed in and judged. Knows nothing of posts and messages.

Sources: X documentation, "Authentication" (app-only and user context) and each endpoint's reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from plugin.contracts.http import FormFile, HttpResponse
from plugin.contracts.platform import Connection
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RemoteError, RemoteUnavailable
from plugin.platforms._oauth.tokens import Provider, Token, Tokens
from plugin.platforms.x.answers import UNREADABLE, failure, refusal_in
from plugin.platforms.x.schema import Settings

if TYPE_CHECKING:
    from plugin.platforms.x.sdk import Sdk

_READS = frozenset(["GET"])
_UPLOAD_SECONDS = 60.0
_ANSWER_BYTES = 8 << 20


class Client:
    """One account's X."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.settings = settings
        self.tokens = Tokens(_provider(settings), connection)
        self._http = connection.http
        self._clock = connection.clock

    @cached_property
    def sdk(self) -> Sdk:
        """The calls that python-twitter-v2 does right, in the account's name. They raise what `call` raises."""
        # Whoever has no X channel shall not pay for the package: see there.
        from plugin.platforms.x.sdk import Sdk

        return Sdk(self.settings.api_url, self._door, spelling=self.settings.spelling)

    def call(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        """Make a call in the account's name. Shape: the answer's JSON object. `how` is as for `HttpClient.request`.

        Raises:
            OutcomeUnknown: a call that writes, and nobody knows whether it did.
            RemoteError: any other of its kinds; `CredentialsRejected` after one renewal.
        """
        return _object(self._signed(method, self._address(path), **how), writes=method not in _READS)

    def fetch(self, path: str, *, max_bytes: int) -> HttpResponse:
        """The bytes of a file that only the account may read."""
        return self._signed("GET", self._address(path), max_bytes=max_bytes)

    def app_call(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        """As `call`, in the app's name. These calls may be repeated, so nothing is ever unclear."""
        headers = {"authorization": f"Bearer {self.settings.bearer_token}"}
        try:
            answer = self._http.request(method, self._address(path), headers=headers, **how)
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable("X gave no answer; it is tried again.", detail=unclear.detail) from None
        return _object(self._judged(answer, writes=False), writes=False)

    def need(self, *scopes: str) -> None:
        """Raise unless the account allowed all of `scopes`; X itself does not say which one is missing.

        Raises:
            CredentialsRejected: the sentence names what is missing.
        """
        if missing := [scope for scope in scopes if scope not in self.tokens.current()[1].scopes]:
            raise CredentialsRejected(
                f"The account did not allow {', '.join(missing)}. Everything is kept; give the app this permission in the X developer console, "
                "connect the channel again (crossdesk channel connect), then resume it."
            )

    def identify(self, token: Token) -> Mapping[str, Any]:
        """The account that a token belongs to."""
        answer = self._http.request("GET", self._address("/2/users/me"), headers=_bearer(token))
        found = _object(self._judged(answer, writes=False), writes=False).get("data")
        return found if isinstance(found, dict) else {}

    def _door(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None,
        json: Any,
        data: Mapping[str, str] | None,
        files: list[tuple[str, FormFile]] | None,
    ) -> dict[str, Any]:
        timeout = _UPLOAD_SECONDS if files else None
        answer = self._signed(method, url, params=params, json=json, data=data, files=files, timeout=timeout)
        return _object(answer, writes=method not in _READS)

    def _signed(self, method: str, url: str, **how: Any) -> HttpResponse:
        how = {"max_bytes": _ANSWER_BYTES, **how}
        kept, token = self.tokens.current()
        answer = self._http.request(method, url, headers=_bearer(token), **how)
        if answer.status == 401:
            _, token = self.tokens.renewed(kept)
            answer = self._http.request(method, url, headers=_bearer(token), **how)
        return self._judged(answer, writes=method not in _READS)

    def _judged(self, answer: HttpResponse, *, writes: bool) -> HttpResponse:
        if not answer.is_ok:
            raise failure(answer, writes=writes, now=self._clock.now().timestamp())
        return answer

    def _address(self, path: str) -> str:
        return self.settings.api_url + path


def data_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one thing that an answer tells of; empty where it tells of none."""
    found = body.get("data")
    return found if isinstance(found, dict) else {}


def list_of(body: Mapping[str, Any], name: str = "data") -> Sequence[Mapping[str, Any]]:
    """The things that an answer tells of."""
    found = body.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def segment(value: str) -> str:
    """An id as one segment of a path."""
    return quote(value, safe="")


def _provider(settings: Settings) -> Provider:
    """X documentation, "OAuth 2.0 Authorization Code Flow with PKCE"."""
    return Provider(
        name="X",
        authorize_url=f"{settings.site_url}/i/oauth2/authorize",
        token_url=f"{settings.api_url}/2/oauth2/token",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scopes=settings.scopes,
        by_basic=bool(settings.client_secret),
        lifetime=7200.0,
        advice="give the app these permissions in the X developer console (User authentication settings), and connect the channel again",
    )


def _bearer(token: Token) -> dict[str, str]:
    return {"authorization": f"Bearer {token.access}"}


def _object(answer: HttpResponse, *, writes: bool) -> dict[str, Any]:
    body = answer.json_object
    if body is None:
        error: RemoteError = (
            OutcomeUnknown(f"{UNREADABLE}; whether it did what was asked is looked up first.")
            if writes
            else RemoteUnavailable(f"{UNREADABLE}; it is asked again.")
        )
        raise error
    if writes and (refusal := refusal_in(answer)) is not None:
        raise refusal
    return body
