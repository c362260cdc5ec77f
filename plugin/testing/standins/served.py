"""What small stand-ins share: an HTTP server of their own, closed requests, sign-ins by OAuth, and faults. Knows no platform."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

from flask import Flask, Response, jsonify, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from plugin.testing.standins.telegram.faults import Fault, Faults, Kind

Json = dict[str, Any]


class Refused(Exception):
    """An answer other than success: its status, JSON and headers."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


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
            Refused: as RFC 6749, section 5.2.
        """
        form = request.form.to_dict()
        if request.mimetype != "application/x-www-form-urlencoded":
            raise Refused(400, {"error": "invalid_request"})
        if self.by_basic:
            given = request.authorization
            shown = (given.username, given.password) if given is not None and given.type == "basic" else ("", "")
        else:
            shown = (form.pop("client_id", ""), form.pop("client_secret", ""))
        if shown != (self.client_id, self.client_secret):
            raise Refused(401, {"error": "invalid_client"})
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
        raise Refused(400, {"error": "invalid_grant", "error_description": "The grant is used, old or none."})

    def check(self, *needed: str, unauthorized: Refused, missing: Callable[[str], Refused]) -> None:
        """Let a call pass whose bearer token lives and allows what is needed.

        Raises:
            Refused: one of the two.
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
            raise Refused(400, {"error": "invalid_grant", "error_description": "Bad Request"})
        return self.issue(*scopes)


class Served:
    """One stand-in's HTTP server. Use it as a context manager. `calls` holds method, path and what was sent."""

    def __init__(self, name: str, *, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.faults = Faults()
        self.calls: list[tuple[str, str, Json]] = []
        self.lock = threading.RLock()
        self._app = Flask(f"{name}-stand-in")
        self._app.register_error_handler(404, lambda _: _answer({"message": "Not Found"}, 404))
        self._app.register_error_handler(405, lambda _: _answer({"message": "Method Not Allowed"}, 405))
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, self._app, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def arm(self, kind: Kind | str, *, path: str = "", value: float = 0.0, times: int = 1) -> None:
        """Let the next `times` calls of this path (any when empty) go wrong."""
        self.faults.arm(Fault(kind=kind if isinstance(kind, Kind) else Kind(kind), method=path, value=value, times=times))

    def too_many(self, seconds: float) -> Refused:
        """How this platform says that it is too much."""
        return Refused(429, {"message": "Too Many Requests"}, {"retry-after": str(int(seconds))})

    def serve(self, method: str, path: str, do: Callable[..., Any]) -> None:
        """Answer a path with what `do` returns: JSON, a `Response`, or None for 204."""

        def view(**found: str) -> Response:
            try:
                with self.lock:
                    self.calls.append((method, request.path, {**request.args.to_dict(), **request.form.to_dict()}))
                    fault = self.faults.strike(request.path)
                    self._before(fault)
                    result = do(**found)
                    _after(fault)
            except Refused as refusal:
                return _answer(refusal.body, refusal.status, refusal.headers)
            if isinstance(result, Response):
                return result
            return _answer(result, 200) if result is not None else Response(status=204)

        self._app.add_url_rule(path, f"{method} {path}", view, methods=[method])

    def _before(self, fault: Fault | None) -> None:
        match fault.kind if fault is not None else None:
            case Kind.RATE_LIMIT:
                raise self.too_many(fault.value if fault is not None else 0.0)
            case Kind.ERROR_BEFORE:
                raise Refused(int(fault.value) if fault is not None else 500, {"message": "Sent by a fault of the stand-in."})
            case Kind.DROP_BEFORE:
                _cut()
            case _:
                return


def checked(given: Mapping[str, Any], allowed: Mapping[str, Any], refuse: Callable[[str], Refused]) -> Json:
    """`given` if it holds what `allowed` names and nothing else; a name that ends with `!` must be there. Values are types or shapes.

    Raises:
        Refused: what `refuse` makes of the sentence.
    """
    names = {name.rstrip("!"): shape for name, shape in allowed.items()}
    if unknown := set(given) - set(names):
        raise refuse(f"Unknown name: {', '.join(sorted(unknown))}")
    if missing := [name.rstrip("!") for name in allowed if name.endswith("!") and name.rstrip("!") not in given]:
        raise refuse(f"Required: {', '.join(missing)}")
    for name, value in given.items():
        shape = names[name]
        if isinstance(shape, dict):
            if not isinstance(value, dict):
                raise refuse(f"{name} must be an object")
            checked(value, shape, refuse)
        elif not isinstance(value, shape):
            raise refuse(f"{name} has the wrong type")
    return dict(given)


def sent_json(refuse: Callable[[str], Refused]) -> Json:
    """The request's JSON object.

    Raises:
        Refused: another content type, or no object.
    """
    body = request.get_json(silent=True) if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise refuse("The request's body must be a JSON object with content type application/json")
    return body


class _Quiet(WSGIRequestHandler):
    """Says nothing on standard error."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the overridden name
        """Nothing."""

    def handle(self) -> None:
        """A caller that has gone is no news."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True


def _after(fault: Fault | None) -> None:
    match fault.kind if fault is not None else None:
        case Kind.ERROR_AFTER:
            raise Refused(int(fault.value) if fault is not None else 500, {"message": "Sent by a fault of the stand-in."})
        case Kind.DROP_AFTER:
            _cut()
        case _:
            return


def _answer(body: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    response = jsonify(body)
    response.status_code = status
    response.headers.update(headers or {})
    return response


def _cut() -> None:
    """End the caller's connection without an answer."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise Refused(500, {"message": "Nobody hears this."})
