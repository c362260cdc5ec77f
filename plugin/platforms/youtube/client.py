"""Calls to YouTube's Data API in the account's name: signed, counted against the day's units, and judged. Knows no comment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.contracts.reading import read_objects, read_string
from plugin.domain.errors import OutcomeUnknown, RemoteUnavailable
from plugin.platforms._oauth.tokens import Provider, Token, Tokens
from plugin.platforms.youtube.answers import failure, unreadable
from plugin.platforms.youtube.quota import READ, WRITE, quota
from plugin.platforms.youtube.schema import Settings

SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"
Params = Mapping[str, str | int]


class Client:
    """One account's YouTube."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.settings = settings
        self.quota = quota(settings.daily_units, connection)
        self.tokens = Tokens(_provider(settings), connection)
        self._http = connection.http
        self._clock = connection.clock

    def listed(self, what: str, params: Params, *, units: int = READ) -> Mapping[str, Any]:
        """Ask for a list. Shape: `{"items": [...], "nextPageToken"?}`; a missing list is no empty one.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        try:
            answer = self._signed("GET", what, params, None, units=units)
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable("YouTube gave no answer; it is asked again.", detail=unclear.detail) from None
        return self._list(answer)

    def write(self, method: str, what: str, params: Params, body: Any = None, *, answers: bool = True) -> Mapping[str, Any]:
        """Change something. `answers`: it answers with what it made; else with nothing.

        Raises:
            OutcomeUnknown: nobody knows whether it did.
            RemoteError: any other of its kinds.
        """
        answer = self._signed(method, what, params, body, units=WRITE)
        if not answer.is_ok:
            raise failure(answer, writes=True, now=self._clock.now())
        found = answer.json_object
        if not answers and answer.status == 204 and not answer.body:
            return {}
        if not answers or found is None:
            raise unreadable(writes=True)
        return found

    def own(self, token: Token) -> Mapping[str, Any]:
        """The channel that a sign-in belongs to; empty where it has none."""
        self.quota.spend(READ)
        answer = self._http.request("GET", self._address("channels"), params={"part": "snippet", "mine": "true"}, headers=_bearer(token))
        return next(iter(self._list(answer)["items"]), {})

    def _list(self, answer: HttpResponse) -> Mapping[str, Any]:
        if not answer.is_ok:
            raise failure(answer, writes=False, now=self._clock.now())
        body = answer.json_object or {}
        items = body.get("items")
        # Google leaves an empty list out of some answers, which then still say what kind of list they are.
        if not isinstance(items, list) and (items is not None or not read_string(body.get("kind")).endswith("ListResponse")):
            raise unreadable(writes=False)
        return {**body, "items": read_objects(items)}

    def _signed(self, method: str, what: str, params: Params, body: Any, *, units: int) -> HttpResponse:
        def make(token: Token) -> HttpResponse:
            self.quota.spend(units)
            return self._http.request(method, self._address(what), params=params, json=body, headers=_bearer(token))

        return self.tokens.signed(make)

    def _address(self, what: str) -> str:
        return f"{self.settings.api_url}/youtube/v3/{what}"


def _provider(settings: Settings) -> Provider:
    return Provider(
        name="YouTube",
        authorize_url=settings.sign_in_url,
        token_url=settings.grant_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scopes=(SCOPE,),
        # Without these two Google gives no means of renewal, or only the first time.
        asked={"access_type": "offline", "prompt": "consent"},
    )


def _bearer(token: Token) -> dict[str, str]:
    return {"authorization": f"Bearer {token.access}"}
