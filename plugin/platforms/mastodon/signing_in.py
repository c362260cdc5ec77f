"""Connecting the account in a browser (OAuth 2 with PKCE): from a code to a token, which Mastodon lets live until somebody revokes it.

Sources: Mastodon documentation, "OAuth API methods" and "Logging in with an account"; RFC 7636. Servers that know no PKCE take no notice of it.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from urllib.parse import quote, urlencode

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection, Grant
from plugin.contracts.reading import read_string
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RateLimited, RemoteUnavailable
from plugin.platforms.mastodon.checks import SCOPES, missing_scopes
from plugin.platforms.mastodon.client import TOKEN
from plugin.platforms.mastodon.schema import Settings
from plugin.platforms.mastodon.values import read_id

_ACCOUNT = "account"
_AGAIN = "Nothing was kept; connect the channel again."


class SigningIn:
    """The way from a person's consent to the account's token."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._http = connection.http
        self._secrets = connection.secrets

    def authorize_url(self, grant: Grant) -> str:
        """Where the person's browser goes."""
        digest = hashlib.sha256(grant.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": grant.redirect_url,
            "scope": " ".join(SCOPES),
            "state": grant.state,
            "force_login": "true",
            "code_challenge": urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{self._settings.url}/oauth/authorize?{urlencode(asked, quote_via=quote)}"

    def exchange(self, code: str, grant: Grant) -> None:
        """Store the token that a code stands for, if it is the same account's as before.

        Raises:
            CredentialsRejected: the code is of no use (any more), a scope was not given, or it is another account; the sentence says which.
            RemoteError: any other of its kinds.
        """
        form = {
            "grant_type": "authorization_code",
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
            "redirect_uri": grant.redirect_url,
            "code": code,
            "code_verifier": grant.verifier,
        }
        told = self._asked("POST", "/oauth/token", data=form)
        data = told.json_object or {}
        token = read_string(data.get("access_token"))
        if told.status in (400, 401, 403, 422) or (told.is_ok and data and not token):
            said = read_string(data.get("error_description")) or read_string(data.get("error"))
            raise CredentialsRejected(
                f"The server does not take the code: it is used or too old, or `client_id` and `client_secret` are not those of the "
                f"application. {_AGAIN}",
                detail=said[:300],
            )
        if not token:
            raise RemoteUnavailable(f"The server did not answer the sign-in as it should. {_AGAIN}", detail=f"status {told.status}")
        if missing := missing_scopes(read_string(data.get("scope")).split()):
            raise CredentialsRejected(
                f"The account did not allow everything: {', '.join(missing)} is missing. Nothing was kept; tick these scopes in the application "
                "(Preferences, Development), and connect the channel again."
            )
        self._keep(token, self._whose(token))

    def _whose(self, token: str) -> str:
        told = self._asked("GET", "/api/v1/accounts/verify_credentials", headers={"authorization": f"Bearer {token}"})
        one = read_id((told.json_object or {}).get("id")) if told.is_ok else ""
        if not one:
            raise RemoteUnavailable(f"The server does not say whose sign-in this is. {_AGAIN}", detail=f"status {told.status}")
        return one

    def _keep(self, token: str, account: str) -> None:
        known = self._secrets.get(_ACCOUNT)
        if known is not None and known != account:
            raise CredentialsRejected(
                f"This is another account ({account}) than the one that this channel is for ({known}). Nothing was kept; sign in to the server as "
                "the right account, or add a channel for this one."
            )
        self._secrets.refresh(_ACCOUNT, known, lambda _: account)
        self._secrets.refresh(TOKEN, self._secrets.get(TOKEN), lambda _: token)

    def _asked(self, method: str, path: str, **how: object) -> HttpResponse:
        try:
            answer = self._http.request(method, self._settings.url + path, **how)  # type: ignore[arg-type]
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable(f"The server gave no answer to the sign-in. {_AGAIN}", detail=unclear.detail) from None
        if answer.status == 429:
            raise RateLimited("The server asks us to sign in later. Nothing was kept.", retry_after=answer.retry_after)
        return answer
