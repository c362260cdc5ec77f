"""Calls to Reddit in the account's name: signed, named as Reddit's rules want, and judged. Knows no comment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.contracts.reading import read_object, read_objects
from plugin.domain.errors import OutcomeUnknown, RemoteError, RemoteUnavailable
from plugin.platforms._oauth.tokens import Provider, Token, Tokens
from plugin.platforms.reddit.answers import UNREADABLE, failure, refusal_in
from plugin.platforms.reddit.schema import Settings

Thing = tuple[str, Mapping[str, Any]]
"""Kind (`t1` comment, `t3` post, `t4` message) and data."""


class Client:
    """One account's Reddit."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.settings = settings
        self.tokens = Tokens(_provider(settings), connection)
        self._http = connection.http

    def listing(self, path: str, params: Mapping[str, str | int]) -> tuple[Sequence[Thing], str]:
        """A page of a listing, newest first, and where the next one begins; empty where there is none.

        Raises:
            RemoteError: any of its kinds but `OutcomeUnknown`.
        """
        body = self.ask(path, params)
        data = body.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("children"), list):
            raise RemoteUnavailable(f"{UNREADABLE}; it is asked again.")
        after = data.get("after")
        things = [(str(one.get("kind")), read_object(one.get("data"))) for one in read_objects(data["children"])]
        return things, after if isinstance(after, str) else ""

    def ask(self, path: str, params: Mapping[str, str | int]) -> Mapping[str, Any]:
        """Ask for something."""
        try:
            answer = self._signed("GET", path, params={**params, "raw_json": 1})
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable("Reddit gave no answer; it is asked again.", detail=unclear.detail) from None
        return _object(answer, writes=False)

    def write(self, path: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        """Change something. Shape: the answer's JSON object.

        Raises:
            OutcomeUnknown: nobody knows whether it did.
            RemoteError: any other of its kinds.
        """
        answer = self._signed("POST", path, data={**form, "api_type": "json", "raw_json": "1"})
        body = _object(answer, writes=True)
        if (refusal := refusal_in(answer)) is not None:
            raise refusal
        return body

    def identify(self, token: Token) -> str:
        """The name of the account that a sign-in belongs to."""
        answer = self._http.request("GET", f"{self.settings.api_url}/api/v1/me", headers=self._headers(token))
        return str(_object(answer, writes=False).get("name", ""))

    def _signed(self, method: str, path: str, **how: Any) -> HttpResponse:
        url = self.settings.api_url + path
        return self.tokens.signed(lambda token: self._http.request(method, url, headers=self._headers(token), **how))

    def _headers(self, token: Token) -> dict[str, str]:
        return {"authorization": f"Bearer {token.access}", "user-agent": self.settings.user_agent}


def _provider(settings: Settings) -> Provider:
    password = {"grant_type": "password", "username": settings.username, "password": settings.password}
    return Provider(
        name="Reddit",
        authorize_url=f"{settings.site_url}/api/v1/authorize",
        token_url=f"{settings.site_url}/api/v1/access_token",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        scopes=settings.scopes,
        by_basic=True,
        has_pkce=False,
        asked={"duration": "permanent"},
        headers={"user-agent": settings.user_agent},
        first_use=password if settings.password else None,
    )


def _object(answer: HttpResponse, *, writes: bool) -> Mapping[str, Any]:
    body = answer.json_object if answer.is_ok else None
    if body is None:
        problem: RemoteError = failure(answer, writes=writes)
        raise problem
    return body
