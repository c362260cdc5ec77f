"""The account's sign-in: OAuth 2.0 with PKCE, and a renewal token that X replaces each time it is used.

Two renewals at once would burn the token, so they go through `SecretStore.refresh`, which lets one through and commits what it brings.
Sources: X documentation, "OAuth 2.0 Authorization Code Flow with PKCE"; RFC 7636.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection, Grant
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RemoteUnavailable
from plugin.platforms.x.answers import UNREADABLE, failure, said_by
from plugin.platforms.x.schema import Settings, Token, load_token, read_grant

SECRET = "token"  # noqa: S105 - the name under which it is kept
_EARLY = 60.0
"""Seconds before its end at which a token is renewed."""
_ONCE_MORE = "Connect the channel again (crossdesk channel connect), then resume it."


class Tokens:
    """One account's sign-in."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._http = connection.http
        self._secrets = connection.secrets
        self._clock = connection.clock

    def authorize_url(self, grant: Grant) -> str:
        """Where the person's browser goes."""
        digest = hashlib.sha256(grant.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": grant.redirect_url,
            "scope": " ".join(self._settings.scopes),
            "state": grant.state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{self._settings.site_url}/i/oauth2/authorize?{urlencode(asked, quote_via=quote)}"

    def exchange(self, code: str, grant: Grant) -> Token:
        """The token that a code stands for; not kept yet.

        Raises:
            CredentialsRejected: the code is used or old, or a permission was not given.
            RemoteError: any other of its kinds.
        """
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": grant.redirect_url, "code_verifier": grant.verifier}
        token = self._granted(asked, None, refused=f"X did not accept the code: it is used, or older than half a minute. {_ONCE_MORE}")
        if missing := [scope for scope in self._settings.scopes if scope not in token.scopes]:
            raise CredentialsRejected(
                f"The account did not allow everything: {', '.join(missing)} is missing. Nothing was kept; give the app these permissions in "
                "the X developer console (User authentication settings), and connect the channel again."
            )
        return token

    def keep(self, token: Token) -> None:
        """Keep a token in place of the one that is kept now."""
        self._secrets.refresh(SECRET, self._secrets.get(SECRET), lambda _: token.dump())

    def current(self) -> tuple[str, Token]:
        """The token as it is kept, and read; renewed first when it is about to end.

        Raises:
            CredentialsRejected: there is none, or it cannot be renewed.
            RemoteError: any other of its kinds.
        """
        kept = self._secrets.get(SECRET)
        token = load_token(kept)
        if kept is None or token is None:
            raise CredentialsRejected(f"No X account is connected to this channel yet. {_ONCE_MORE}")
        if token.ends_at - self._clock.now().timestamp() <= _EARLY:
            return self.renewed(kept)
        return kept, token

    def renewed(self, stale: str) -> tuple[str, Token]:
        """A token that is newer than `stale`."""
        kept = self._secrets.refresh(SECRET, stale, self._renew)
        token = load_token(kept)
        if token is None:
            raise CredentialsRejected(f"The kept sign-in of this X account cannot be read. {_ONCE_MORE}")
        return kept, token

    def _renew(self, current: str | None) -> str:
        token = load_token(current)
        if token is None or not token.renewal:
            raise CredentialsRejected(f"The sign-in of this X account has ended and cannot be renewed. {_ONCE_MORE}")
        asked = {"grant_type": "refresh_token", "refresh_token": token.renewal}
        return self._granted(asked, token, refused=f"X does not renew this account's sign-in any more. {_ONCE_MORE}").dump()

    def _granted(self, asked: Mapping[str, str], before: Token | None, *, refused: str) -> Token:
        answer = self._asked(asked)
        if answer.status in (400, 401, 403) and answer.json_object is not None:
            raise CredentialsRejected(refused, detail=said_by(answer))
        now = self._clock.now().timestamp()
        if not answer.is_ok:
            raise failure(answer, writes=False, now=now)
        known = {"renewal": before.renewal, "scopes": before.scopes} if before is not None else {}
        token = read_grant(answer.json_object or {}, now=now, **known)  # type: ignore[arg-type]
        if token is None:
            raise RemoteUnavailable(f"{UNREADABLE}; the sign-in is tried again.")
        return token

    def _asked(self, asked: Mapping[str, str]) -> HttpResponse:
        form, headers = dict(asked), {}
        if self._settings.client_secret:
            pair = f"{quote(self._settings.client_id, safe='')}:{quote(self._settings.client_secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self._settings.client_id
        try:
            return self._http.request("POST", f"{self._settings.api_url}/2/oauth2/token", headers=headers, data=form)
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable("X did not answer the sign-in; it is tried again.", detail=unclear.detail) from None
