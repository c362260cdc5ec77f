"""Sign-ins by OAuth 2.0 as several vendors have them. Knows no vendor. Source: RFC 6749, RFC 7636."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from flask import request

from plugin.testing.standins.serving import Json, Refusal


@dataclass(slots=True)
class SignIns:
    """One app's sign-ins: codes that work once and prove their verifier, tokens that end, and what renews them."""

    client_id: str
    client_secret: str
    now: Callable[[], float]
    by_basic: bool = False
    has_pkce: bool = True
    rotates: bool = False
    separator: str = " "
    lifetime: int = 3600
    renewal_lifetime: int | None = None
    """Seconds for which what renews a token lasts, where the platform says so."""
    password: tuple[str, str] | None = None
    """Name and password that bring a token without a browser, where the platform has that."""
    codes: dict[str, tuple[str, str, tuple[str, ...]]] = field(default_factory=dict)
    tokens: dict[str, tuple[float, tuple[str, ...]]] = field(default_factory=dict)
    renewals: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def agree(self, redirect: str, verifier: str, *scopes: str) -> str:
        """A person agreed in the browser: the code that comes back."""
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
        code = secrets.token_urlsafe(12)
        self.codes[code] = (redirect, challenge, scopes)
        return code

    def issue(self, *scopes: str, first: bool = True) -> Json:
        """A token endpoint's answer."""
        access = secrets.token_urlsafe(12)
        self.tokens[access] = (self.now() + self.lifetime, scopes)
        told: Json = {"access_token": access, "token_type": "bearer", "expires_in": self.lifetime, "scope": self.separator.join(scopes)}
        if first or self.rotates:
            told["refresh_token"] = secrets.token_urlsafe(12)
            self.renewals[told["refresh_token"]] = scopes
            if self.renewal_lifetime is not None:
                told["refresh_token_expires_in"] = self.renewal_lifetime
        return told

    def end(self) -> None:
        """Every access token ends now; the renewals stay."""
        self.tokens.clear()

    def answer(self) -> Json:
        """Answer a call to the token endpoint.

        Raises:
            Refusal: as RFC 6749, section 5.2.
        """
        form = request.form.to_dict()
        if request.mimetype != "application/x-www-form-urlencoded":
            raise Refusal(400, {"error": "invalid_request"})
        if self.by_basic:
            given = request.authorization
            shown = (given.username, given.password) if given is not None and given.type == "basic" else ("", "")
        else:
            shown = (form.pop("client_id", ""), form.pop("client_secret", ""))
        if shown != (self.client_id, self.client_secret):
            raise Refusal(401, {"error": "invalid_client"})
        kind = form.pop("grant_type", "")
        if kind == "authorization_code":
            return self._by_code(form)
        if kind == "refresh_token" and set(form) == {"refresh_token"} and form["refresh_token"] in self.renewals:
            renewal = form["refresh_token"]
            scopes = self.renewals.pop(renewal) if self.rotates else self.renewals[renewal]
            return self.issue(*scopes, first=False)
        if kind == "password" and self.password is not None and (form.get("username"), form.get("password")) == self.password:
            told = self.issue("*", first=False)
            told.pop("refresh_token", None)
            return told
        raise Refusal(400, {"error": "invalid_grant", "error_description": "The grant is used, old or none."})

    def check(self, *needed: str, unauthorized: Refusal, missing: Callable[[str], Refusal]) -> None:
        """Let a call pass whose bearer token lives and allows what is needed.

        Raises:
            Refusal: one of the two.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        ends_at, scopes = self.tokens.get(token, (0.0, ()))
        if kind.lower() != "bearer" or ends_at <= self.now():
            raise unauthorized
        for scope in needed:
            if scope not in scopes and "*" not in scopes:
                raise missing(scope)

    def _by_code(self, form: Json) -> Json:
        redirect, challenge, scopes = self.codes.pop(form.pop("code", ""), ("", "", ()))
        verifier = form.pop("code_verifier", "")
        proves = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=") == challenge
        if not scopes or form.pop("redirect_uri", "") != redirect or form or (self.has_pkce and not proves):
            raise Refusal(400, {"error": "invalid_grant", "error_description": "Bad Request"})
        return self.issue(*scopes)
