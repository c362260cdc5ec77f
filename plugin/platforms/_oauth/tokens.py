"""One account's sign-in: the code for tokens (with PKCE), tokens kept as a secret, and renewed once however many workers ask.

Renewals replace their own token on some platforms, so that two at once would burn it: they go through `SecretStore.refresh`, which lets one through and
commits what it brings. Sources: RFC 6749 (section 2.3.1: how an app shows itself; section 6: a renewal's answer leaves out what stays as it was), RFC 7636.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection, Grant, Probe
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RateLimited, RemoteUnavailable

SECRET = "token"  # noqa: S105 - the name under which it is kept
_EARLY = 60.0
"""Seconds before its end at which a token is renewed."""
_ONCE_MORE = "Connect the channel again (crossdesk channel connect), then resume it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who signs in: the platform's addresses, our app there, and how the two speak."""

    name: str
    """As people call it, for sentences."""
    authorize_url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    """Empty for an app that can keep none: it shows its id alone."""
    scopes: tuple[str, ...]
    by_basic: bool = False
    """The app shows itself by HTTP Basic; else by fields of the form."""
    has_pkce: bool = True
    asked: Mapping[str, str] = field(default_factory=dict)
    """What the address asks for besides."""
    headers: Mapping[str, str] = field(default_factory=dict)
    first_use: Mapping[str, str] | None = None
    """The form that brings a first token without a browser; None where a person must agree."""
    lifetime: float = 3600.0
    """Seconds that a token lasts where the answer does not say."""
    advice: str = "connect the channel again and agree to everything that is asked"
    """What to do where a permission was not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A sign-in: the access token, when it ends (seconds since 1970), what renews it, and what it allows."""

    access: str = field(repr=False)
    renewal: str = field(repr=False)
    ends_at: float
    scopes: tuple[str, ...]
    renewable_until: float | None = None
    """When what renews it ends, where the platform says so."""

    def dump(self) -> str:
        """As the text that is kept."""
        told = {"access": self.access, "renewal": self.renewal, "ends_at": self.ends_at, "scopes": list(self.scopes)}
        return json.dumps(told if self.renewable_until is None else {**told, "renewable_until": self.renewable_until})


def load_token(kept: str | None) -> Token | None:
    """The reverse of `Token.dump`; None for nothing and for what cannot be read."""
    try:
        data = json.loads(kept or "")
        until = data.get("renewable_until")
        return Token(
            access=str(data["access"]),
            renewal=str(data["renewal"]),
            ends_at=float(data["ends_at"]),
            scopes=tuple(str(scope) for scope in data["scopes"]),
            renewable_until=None if until is None else float(until),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def read_grant(answer: Mapping[str, Any], *, now: float, before: Token | None, lifetime: float = 3600.0) -> Token | None:
    """A token endpoint's answer; what it leaves out stays as it was. None when it holds no access token."""
    access, seconds, granted, fresh = (answer.get(name) for name in ("access_token", "expires_in", "scope", "refresh_token"))
    if not isinstance(access, str) or not access:
        return None
    ends_at, until = _after(seconds, now), _after(answer.get("refresh_token_expires_in"), now)
    return Token(
        access=access,
        renewal=fresh if isinstance(fresh, str) and fresh else (before.renewal if before is not None else ""),
        ends_at=now + lifetime if ends_at is None else ends_at,
        scopes=tuple(re.split(r"[\s,]+", granted.strip())) if isinstance(granted, str) else (before.scopes if before is not None else ()),
        renewable_until=until if until is not None or before is None else before.renewable_until,
    )


def _after(seconds: Any, now: float) -> float | None:
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 < seconds < 1e9
    return now + float(seconds) if is_number else None


class Tokens:
    """One account's sign-in with one provider."""

    def __init__(self, provider: Provider, connection: Connection) -> None:
        self._provider = provider
        self._http = connection.http
        self._secrets = connection.secrets
        self._clock = connection.clock

    def authorize_url(self, grant: Grant) -> str:
        """Where the person's browser goes."""
        asked = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": grant.redirect_url,
            "scope": " ".join(self._provider.scopes),
            "state": grant.state,
            **self._provider.asked,
        }
        if self._provider.has_pkce:
            digest = hashlib.sha256(grant.verifier.encode()).digest()
            asked |= {"code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="), "code_challenge_method": "S256"}
        return f"{self._provider.authorize_url}?{urlencode(asked, quote_via=quote)}"

    def exchange(self, code: str, grant: Grant) -> Token:
        """The token that a code stands for; not kept yet.

        Raises:
            CredentialsRejected: the code is used or old, or a permission was not given.
            RemoteError: any other of its kinds.
        """
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": grant.redirect_url}
        if self._provider.has_pkce:
            asked["code_verifier"] = grant.verifier
        token = self._granted(asked, None, refused=f"{self._provider.name} did not accept the code: it is used or too old. {_ONCE_MORE}")
        if missing := self.missing(token):
            raise CredentialsRejected(
                f"The account did not allow everything: {', '.join(missing)} is missing. Nothing was kept; {self._provider.advice}."
            )
        return token

    def keep(self, token: Token) -> None:
        """Keep a token in place of the one that is kept now."""
        self._secrets.refresh(SECRET, self._secrets.get(SECRET), lambda _: token.dump())

    def missing(self, token: Token) -> tuple[str, ...]:
        """The permissions that are needed and not allowed."""
        return () if "*" in token.scopes else tuple(scope for scope in self._provider.scopes if scope not in token.scopes)

    def probe(self, token: Token, next_step: str) -> Probe:
        """Whether a token allows everything; what is missing is named."""
        missing = self.missing(token)
        answer = f"missing: {', '.join(missing)}" if missing else "all that are needed"
        return Probe(name="permissions", is_ok=not missing, answer=answer, next_step=next_step if missing else "")

    def current(self) -> tuple[str, Token]:
        """The token as it is kept, and read; renewed first when it is about to end.

        Raises:
            CredentialsRejected: there is none, or it cannot be renewed.
            RemoteError: any other of its kinds.
        """
        kept = self._secrets.get(SECRET)
        token = load_token(kept)
        if token is None and self._provider.first_use is not None:
            return self.renewed(kept)
        if kept is None or token is None:
            raise CredentialsRejected(f"No {self._provider.name} account is connected to this channel yet. {_ONCE_MORE}")
        return self.renewed(kept) if token.ends_at - self._clock.now().timestamp() <= _EARLY else (kept, token)

    def signed(self, make: Callable[[Token], HttpResponse]) -> HttpResponse:
        """What `make` gets with a token that allows all that is needed; made once more with a newer one where it is not accepted (401).

        Raises:
            CredentialsRejected: there is none, or it lacks a permission; the sentence names it.
            RemoteError: any other of its kinds.
        """
        kept, token = self.current()
        if missing := self.missing(token):
            raise CredentialsRejected(
                f"The account did not allow {', '.join(missing)}. Everything is kept; {_ONCE_MORE[0].lower()}{_ONCE_MORE[1:]}"
            )
        answer = make(token)
        return make(self.renewed(kept)[1]) if answer.status == 401 else answer

    def renewed(self, stale: str | None) -> tuple[str, Token]:
        """A token that is newer than `stale`."""
        kept = self._secrets.refresh(SECRET, stale, self._renew)
        token = load_token(kept)
        if token is None:
            raise CredentialsRejected(f"The kept sign-in of this {self._provider.name} account cannot be read. {_ONCE_MORE}")
        return kept, token

    def _renew(self, current: str | None) -> str:
        before, name = load_token(current), self._provider.name
        if before is not None and before.renewal:
            asked: Mapping[str, str] = {"grant_type": "refresh_token", "refresh_token": before.renewal}
        elif self._provider.first_use is not None:
            asked = self._provider.first_use
        else:
            raise CredentialsRejected(f"The sign-in of this {name} account has ended and cannot be renewed. {_ONCE_MORE}")
        return self._granted(asked, before, refused=f"{name} does not renew this account's sign-in any more. {_ONCE_MORE}").dump()

    def _granted(self, asked: Mapping[str, str], before: Token | None, *, refused: str) -> Token:
        answer = self._asked(asked)
        body, name = answer.json_object, self._provider.name
        said = str((body or {}).get("error_description") or (body or {}).get("error") or "")[:300]
        if answer.status == 429:
            raise RateLimited(
                f"{name} asks us to sign in later; nothing was lost, and it waits.", retry_after=answer.retry_after, detail=said
            )
        # Some answer 200 to a wrong code or password, and tell of the error in the body.
        if body is not None and (answer.status in (400, 401, 403) or (answer.is_ok and isinstance(body.get("error"), str))):
            raise CredentialsRejected(refused, detail=said)
        token = None
        if answer.is_ok:
            now = self._clock.now().timestamp()
            token = read_grant(body or {}, now=now, before=before, lifetime=self._provider.lifetime)
        if token is None:
            raise RemoteUnavailable(f"{name} did not answer the sign-in as it should; it is tried again.", retry_after=answer.retry_after)
        return token

    def _asked(self, asked: Mapping[str, str]) -> HttpResponse:
        provider, form = self._provider, dict(asked)
        headers = dict(provider.headers)
        if provider.by_basic:
            pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            shown = {"client_id": provider.client_id, "client_secret": provider.client_secret}
            form |= {name: value for name, value in shown.items() if value}
        try:
            return self._http.request("POST", provider.token_url, headers=headers, data=form)
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable(f"{provider.name} did not answer the sign-in; it is tried again.", detail=unclear.detail) from None
