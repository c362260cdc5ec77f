"""Signing in with the helpdesk's own pages (OAuth 2.0, authorization code with PKCE), as Zammad offers it. Knows no route, cookie or session.

What Zammad needs (Zammad documentation, "API: Authentication", and Doorkeeper's): an application under Admin, System, API, OAuth applications, named
`Crossdesk panel`, confidential, with each address to which agents may come back on a line of its own. `crossdesk helpdesk apply` makes it; its
ID and secret go into crossdesk.toml as `oauth_client_id` and `oauth_client_secret`. Zammad compares the address to the letter, so the one
given here must be one of those. A code is good for one use and ten minutes. No scope is asked for: a token of such an application may do what its
agent may, so it is used for the reads below and given back at once.

Whoever uses this must see to it that `state` is theirs, was given to this very browser, and is used once.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from plugin.contracts.helpdesk import OAuth2Application, StaffMember
from plugin.contracts.http import HttpClient, HttpResponse
from plugin.domain.errors import CrossdeskError, OutcomeUnknown, RemoteRejected, RemoteUnavailable
from plugin.helpdesks.zammad import staff

PANEL_CALLBACK, CONSOLE_CALLBACK = "/panel/{helpdesk}/callback", "/console/sign-in/callback"
"""Behind the public address: where the helpdesk sends agents back to the panel, and to the console. `helpdesk apply` registers both."""
_LONGEST_CODE = 1000
_SECONDS = 10.0
_USED = frozenset(("invalid_grant",))
"""The code was used, has run out, or was given for another address or verifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReader:
    """A member of staff who may read one ticket; `id` is their number in the helpdesk."""

    id: str
    member: StaffMember


class OAuth2SignIn:
    """One application at one helpdesk. `base_url` is how browsers reach it, `api_url` how we do, where that differs."""

    def __init__(
        self, base_url: str, client_id: str, client_secret: str, redirect_uri: str, http: HttpClient, *, api_url: str = ""
    ) -> None:
        self._web = base_url.rstrip("/")
        self._api = (api_url or base_url).rstrip("/")
        self._client = client_id
        self._secret = client_secret
        self._redirect = redirect_uri
        self._http = http

    @classmethod
    def of(cls, application: OAuth2Application, *, redirect_uri: str, http: HttpClient) -> OAuth2SignIn:
        """For what an adapter tells (`OffersOAuth2`)."""
        return cls(application.web_url, application.client_id, application.client_secret, redirect_uri, http, api_url=application.url)

    def __repr__(self) -> str:
        return f"OAuth2SignIn({self._web!r})"

    def start(self, *, state: str, verifier: str) -> str:
        """Where to send the browser. Keep `verifier` (of `new_verifier`) until it comes back with the same `state`; the browser never sees it."""
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": self._redirect,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{self._web}/oauth/authorize?{urlencode(asked)}"

    def finish(self, code: str, *, verifier: str) -> StaffMember | None:
        """Who came back with this code; None for a used or foreign one, and for whoever is neither agent nor admin.

        Raises:
            RemoteUnavailable: the helpdesk could not be asked.
            RemoteRejected: it does not know our application, or not with this secret or address; the sentence says what to change.
        """
        token = self._token(code, verifier)
        if token is None:
            return None
        try:
            return staff.member(self._ask("/users/me?expand=true", token))
        finally:
            self._give_back(token)

    def finish_at(self, code: str, ticket: str, *, verifier: str) -> TicketReader | None:
        """As `finish`; None too for whoever may not read this ticket, and for customers, though they may read their own.

        Raises:
            RemoteUnavailable, RemoteRejected: as for `finish`.
        """
        token = self._token(code, verifier)
        if token is None:
            return None
        try:
            answer = self._ask("/users/me?expand=true", token)
            member = staff.member(answer)
            # Zammad lets agents search for people, and customers not.
            is_agent = member is not None and self._may("/users/search?query=nobody&limit=1", token)
            if member is None or not is_agent or not self._may(f"/tickets/{quote(ticket, safe='')}", token):
                return None
            return TicketReader(id=str((answer.json_object or {})["id"]), member=member)
        finally:
            self._give_back(token)

    def _token(self, code: str, verifier: str) -> str | None:
        if not code or len(code) > _LONGEST_CODE:
            return None
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect, "code_verifier": verifier}
        answer = self._post("/oauth/token", asked)
        told = answer.json_object or {}
        if answer.status in {400, 401, 403} and told.get("error") in _USED:
            return None
        if answer.status in {400, 401, 403}:
            raise RemoteRejected(
                "The helpdesk does not accept Crossdesk's application; nobody was signed in. Compare oauth_client_id and oauth_client_secret in "
                "crossdesk.toml with the application there, and the addresses to which it may send people back.",
                detail=str(told.get("error", answer.status)),
            )
        token = told.get("access_token")
        if not answer.is_ok or not isinstance(token, str) or not token:
            raise RemoteUnavailable("The helpdesk gave no token; nobody was signed in. Try again.", detail=str(answer.status))
        return token

    def _may(self, path: str, token: str) -> bool:
        answer = self._ask(path, token)
        if answer.status in {401, 403, 404}:
            return False
        if not answer.is_ok:
            raise RemoteUnavailable(
                "The helpdesk could not say what you may see; nobody was signed in. Try again.", detail=str(answer.status)
            )
        return True

    def _ask(self, path: str, token: str) -> HttpResponse:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        return self._http.request("GET", f"{self._api}/api/v1{path}", headers=headers, timeout=_SECONDS)

    def _post(self, path: str, asked: Mapping[str, str]) -> HttpResponse:
        data = {**asked, "client_id": self._client, "client_secret": self._secret}
        try:
            return self._http.request("POST", f"{self._api}{path}", headers={"Accept": "application/json"}, data=data, timeout=_SECONDS)
        except OutcomeUnknown as problem:
            raise RemoteUnavailable("The helpdesk did not answer; nobody was signed in. Try again.", detail=problem.detail) from None

    def _give_back(self, token: str) -> None:
        """The token has told what it was for. Where this fails, it ends by itself within two hours."""
        with contextlib.suppress(CrossdeskError):
            self._post("/oauth/revoke", {"token": token})


def new_verifier() -> str:
    """What proves at the end that it was us who began (RFC 7636)."""
    return secrets.token_urlsafe(48)
