"""Who may call: sign-ins by OAuth 2.0 with PKCE whose renewal tokens are good once, the app's own token, and what each allows.

Sources: X documentation, "OAuth 2.0 Authorization Code Flow with PKCE", "App-only"; RFC 6749 and 7636.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from plugin.testing.standins.x.refusals import Refused, forbidden, unauthorized
from plugin.testing.standins.x.shapes import Json

LASTS = 7200.0
_SCOPES = frozenset({
    "tweet.read", "tweet.write", "tweet.moderate.write", "users.read", "offline.access", "dm.read", "dm.write", "media.write", "like.read",
})  # fmt: skip


@dataclass(slots=True, kw_only=True)
class SignIn:
    """An access token."""

    account: str
    scopes: frozenset[str]
    ends_at: float


class Mistake(Exception):
    """What the token endpoint answers with 400 or 401, in OAuth's own form."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


@dataclass(slots=True, kw_only=True)
class SigningIn:
    """One app's sign-ins."""

    now: Callable[[], float]
    client_id: str
    client_secret: str
    bearer_token: str
    callback: str
    tokens: dict[str, SignIn] = field(default_factory=dict)
    renewals: dict[str, SignIn] = field(default_factory=dict)
    codes: dict[str, tuple[SignIn, str, str]] = field(default_factory=dict)
    """Sign-in, challenge and redirect address of each code."""

    def agree(self, address: str, account: str, *, without: frozenset[str] = frozenset()) -> tuple[str, str]:
        """A person opens the address and agrees: the code and the state that X sends back. `without` are permissions the app lacks.

        Raises:
            Refused: the address is none that X takes.
        """
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query, strict_parsing=True).items()}
        scopes = frozenset(asked["scope"].split(" "))
        wrong = asked["response_type"] != "code" or asked["client_id"] != self.client_id or asked["code_challenge_method"] != "S256"
        if wrong or asked["redirect_uri"] != self.callback or not scopes <= _SCOPES or not asked["state"]:
            raise Refused(400, "Something went wrong", "You weren't able to give access to the App.")
        code = secrets.token_urlsafe(40)
        sign_in = SignIn(account=account, scopes=scopes - without, ends_at=self.now() + LASTS)
        self.codes[code] = (sign_in, asked["code_challenge"], asked["redirect_uri"])
        return code, asked["state"]

    def grant(self, form: Mapping[str, str], authorization: str) -> Json:
        """The token endpoint.

        Raises:
            Mistake: as X answers.
        """
        self._check_client(form, authorization)
        kind = form.get("grant_type")
        if kind == "authorization_code":
            found = self.codes.pop(form.get("code", ""), None)
            if found is None:
                raise Mistake("invalid_request", "Value passed for the authorization code was invalid.")
            sign_in, challenge, redirect = found
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge or form.get("redirect_uri") != redirect:
                raise Mistake("invalid_request", "Value passed for the code verifier or redirect uri did not match.")
        elif kind == "refresh_token":
            renewed = self.renewals.pop(form.get("refresh_token", ""), None)
            if renewed is None:
                raise Mistake("invalid_request", "Value passed for the token was invalid.")
            sign_in = renewed
        else:
            raise Mistake("unsupported_grant_type", "Unsupported grant type.")
        return self.issue(sign_in.account, sign_in.scopes)

    def issue(self, account: str, scopes: frozenset[str] = _SCOPES) -> Json:
        """New tokens, as the token endpoint tells them."""
        access, renewal = secrets.token_urlsafe(30), secrets.token_urlsafe(30)
        self.tokens[access] = SignIn(account=account, scopes=scopes, ends_at=self.now() + LASTS)
        told: Json = {"token_type": "bearer", "expires_in": int(LASTS), "access_token": access, "scope": " ".join(sorted(scopes))}
        if "offline.access" in scopes:
            self.renewals[renewal] = self.tokens[access]
            told["refresh_token"] = renewal
        return told

    def expire(self) -> None:
        """Every access token ends now."""
        self.tokens.clear()

    def revoke(self) -> None:
        """The account takes back what it allowed."""
        self.tokens.clear()
        self.renewals.clear()

    def account(self, authorization: str, *scopes: str) -> str:
        """Whose sign-in a call bears, if it allows `scopes`.

        Raises:
            Refused: as X would.
        """
        token = authorization.removeprefix("Bearer ")
        if token == self.bearer_token:
            raise forbidden(
                "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint. Supported authentication types are [OAuth 2.0 "
                "User Context].",
                "unsupported-authentication",
            )
        found = self.tokens.get(token)
        if found is None or found.ends_at <= self.now():
            raise unauthorized()
        if not found.scopes.issuperset(scopes):
            raise forbidden("You are not permitted to perform this action.")
        return found.account

    def app(self, authorization: str) -> None:
        """Let only the app's own token through.

        Raises:
            Refused: as X would.
        """
        token = authorization.removeprefix("Bearer ")
        if token in self.tokens:
            raise forbidden("Authenticating with OAuth 2.0 User Context is forbidden for this endpoint.", "unsupported-authentication")
        if token != self.bearer_token:
            raise unauthorized()

    def _check_client(self, form: Mapping[str, str], authorization: str) -> None:
        if not self.client_secret:
            if form.get("client_id") != self.client_id:
                raise Mistake("invalid_client", "Missing or invalid client id.", status=401)
            return
        try:
            one, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            one = secret = ""
        if (unquote(one), unquote(secret)) != (self.client_id, self.client_secret):
            raise Mistake("unauthorized_client", "Missing valid authorization header", status=401)
