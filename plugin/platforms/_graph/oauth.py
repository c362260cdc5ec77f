"""Connecting an account by Facebook Login: from a code to a Page token that does not expire, with every needed permission looked at.

Source: Facebook Login, "Manually Build a Login Flow", and Pages API, "Get Page Access Tokens". A long-lived user token makes Page tokens without end.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from plugin.contracts.platform import Connection, Grant
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import CredentialsRejected, RemoteRejected
from plugin.platforms._graph.client import TOKEN, Graph, segment
from plugin.platforms._graph.settings import GraphSettings

DIALOG = "https://www.facebook.com"


class PageLogin:
    """The way from a person's consent to a Page token of `page_id`."""

    def __init__(self, settings: GraphSettings, connection: Connection, *, scopes: tuple[str, ...], page_id: str) -> None:
        self._settings = settings
        self._connection = connection
        self._graph = Graph(settings, connection)
        self._scopes = scopes
        self._page_id = page_id

    def authorize_url(self, grant: Grant) -> str:
        """Where the person's browser goes."""
        asked = {
            "client_id": self._settings.app_id,
            "redirect_uri": grant.redirect_url,
            "state": grant.state,
            "response_type": "code",
            "scope": ",".join(self._scopes),
            "code_challenge": challenge(grant.verifier),
            "code_challenge_method": "S256",
        }
        return f"{DIALOG}/{self._settings.version}/dialog/oauth?{urlencode(asked)}"

    def exchange(self, code: str, grant: Grant) -> None:
        """Store the Page token.

        Raises:
            CredentialsRejected: the code is of no use (any more), a permission was not given, or the Page is not among the person's.
        """
        app = {"client_id": self._settings.app_id, "client_secret": self._settings.app_secret}
        short = self._trade({**app, "redirect_uri": grant.redirect_url, "code": code, "code_verifier": grant.verifier})
        user = self._trade({**app, "grant_type": "fb_exchange_token", "fb_exchange_token": short})
        require_scopes(self._granted(user), self._scopes)
        page = self._graph.read(f"/{segment(self._page_id)}", {"fields": TOKEN}, token=user)
        token = read_string(page.get(TOKEN))
        if not token:
            raise CredentialsRejected(
                f"The person who agreed may not act for the Page {self._page_id}: Meta gives no token for it. Nothing was stored; begin again "
                "with somebody who has full control of the Page."
            )
        keep_token(self._connection, token)

    def _trade(self, form: Mapping[str, str]) -> str:
        try:
            token = read_string(self._graph.exchange("/oauth/access_token", form).get(TOKEN))
        except RemoteRejected as refusal:
            raise CredentialsRejected(
                "Meta does not take the code: it was used before, or it is too old. Nothing was stored; begin again.", detail=refusal.detail
            ) from None
        if not token:
            raise CredentialsRejected("Meta gave no token for the code. Nothing was stored; begin again.")
        return token

    def _granted(self, token: str) -> frozenset[str]:
        listed = read_objects(self._graph.read("/me/permissions", token=token).get("data"))
        return frozenset(read_string(one.get("permission")) for one in listed if one.get("status") == "granted")


def challenge(verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636, S256)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def require_scopes(given: frozenset[str], wanted: tuple[str, ...]) -> None:
    """That every permission was given.

    Raises:
        CredentialsRejected: some were not; the sentence names them.
    """
    missing = [scope for scope in wanted if scope not in given]
    if missing:
        raise CredentialsRejected(
            f"The permission {', '.join(missing)} was not given. Nothing was stored; begin again and leave every box ticked, and see that the "
            "app may ask for it (App Review)."
        )


def keep_token(connection: Connection, token: str) -> None:
    """Store the token in place of the one that is there."""
    connection.secrets.refresh(TOKEN, connection.secrets.get(TOKEN), lambda _: token)


def read_token(data: Mapping[str, Any]) -> str:
    """The token in an answer, where Instagram also writes it inside a list."""
    listed = read_objects(data.get("data"))
    return read_string(read_object(listed[0] if listed else data).get(TOKEN))
