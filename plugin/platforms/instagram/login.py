"""Connecting an account by Instagram Login: from a code to the account's own token, which lives for 60 days and is renewed long before.

Source: Instagram Platform, "Business Login for Instagram".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from plugin.contracts.platform import Connection, Grant
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import CredentialsRejected, RemoteRejected
from plugin.platforms._graph.client import TOKEN, Graph
from plugin.platforms._graph.oauth import keep_token, read_token, require_scopes
from plugin.platforms._graph.values import read_time
from plugin.platforms.instagram.schema import Settings

_DIALOG = "https://www.instagram.com/oauth/authorize"
_EXCHANGE = "https://api.instagram.com"
_DUE = "renew_after"
_RENEWED_AFTER = timedelta(days=30)


class InstagramLogin:
    """The way from a person's consent to the account's token."""

    def __init__(self, settings: Settings, connection: Connection, *, scopes: tuple[str, ...]) -> None:
        self._settings = settings
        self._connection = connection
        self._graph = Graph(settings, connection)
        self._scopes = scopes

    def authorize_url(self, grant: Grant) -> str:
        """Where the person's browser goes. This dialog knows no PKCE; the state is what ties it to us."""
        asked = {
            "client_id": self._settings.app_id,
            "redirect_uri": grant.redirect_url,
            "response_type": "code",
            "scope": ",".join(self._scopes),
            "state": grant.state,
        }
        return f"{_DIALOG}?{urlencode(asked)}"

    def exchange(self, code: str, grant: Grant) -> None:
        """Store the account's token.

        Raises:
            CredentialsRejected: the code is of no use (any more), or a permission was not given.
        """
        app = {"client_id": self._settings.app_id, "client_secret": self._settings.app_secret}
        form = {**app, "grant_type": "authorization_code", "redirect_uri": grant.redirect_url, "code": code}
        base = _EXCHANGE if self._settings.graph_url == "https://graph.instagram.com" else self._settings.graph_url
        try:
            short = self._graph.exchange("/oauth/access_token", form, base=base)
        except RemoteRejected as refusal:
            raise CredentialsRejected(
                "Instagram does not take the code: it was used before, or it is too old. Nothing was stored; begin again.",
                detail=refusal.detail,
            ) from None
        listed = read_objects(short.get("data"))
        given = read_object(listed[0] if listed else short).get("permissions")
        names = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else []
        require_scopes(frozenset(one for one in names if isinstance(one, str)), self._scopes)
        form = {"grant_type": "ig_exchange_token", "client_secret": self._settings.app_secret, TOKEN: read_token(short)}
        self._keep(self._graph.exchange("/access_token", form, base=self._settings.graph_url))

    def renew(self) -> None:
        """Have a stored token live for another 60 days, once a month; one that was configured is the admin's."""
        now, due = self._connection.clock.now(), read_time(self._connection.secrets.get(_DUE))
        token = self._connection.secrets.get(TOKEN)
        if self._settings.access_token or not token or due is None or now < due:
            return
        path = f"{self._settings.graph_url}/refresh_access_token"
        self._keep(self._graph.exchange("", {"grant_type": "ig_refresh_token", TOKEN: token}, base=path))

    def _keep(self, answer: Mapping[str, Any]) -> None:
        token = read_string(answer.get(TOKEN))
        if not token:
            raise CredentialsRejected("Instagram gave no token. Nothing was stored; connect the account again.")
        keep_token(self._connection, token)
        due = (self._connection.clock.now() + _RENEWED_AFTER).isoformat()
        self._connection.secrets.refresh(_DUE, self._connection.secrets.get(_DUE), lambda _: due)
