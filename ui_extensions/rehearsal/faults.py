"""Switches that make a practice server misbehave as real servers and networks do. Nothing happens unless a switch is set.

Each switch strikes calls to `/api/` whose method and path fit, or webhooks whose kind of event fits, `times` times (None: until cleared):

    lose_answer         apply the call, then close the connection
    stall               apply the call, answer `seconds` later
    late                close the connection at once, apply the call `seconds` later
    error_after         apply the call, answer 500 although it was applied
    unavailable         503, not applied; `seconds` goes into Retry-After
    rate_limited        429, not applied; `seconds` goes into Retry-After
    token_refused       401, not applied
    down                close the connection, not applied
    drop_webhooks       forget a webhook instead of sending it
    duplicate_webhooks  send a webhook again `seconds` later
    delay_webhooks      send a webhook `seconds` late, so that later ones overtake it
"""

from __future__ import annotations

import contextlib
import hmac
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, jsonify, request

WEBHOOK_KINDS = frozenset(("drop_webhooks", "duplicate_webhooks", "delay_webhooks"))
CALL_KINDS = frozenset(("lose_answer", "stall", "late", "error_after", "unavailable", "rate_limited", "token_refused", "down"))
KINDS = WEBHOOK_KINDS | CALL_KINDS
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(slots=True, kw_only=True)
class Fault:
    """One switch. `method` is a method or `*`; `path` is a regular expression searched for in the path, or in the webhook's kind of event.

    `chance` is how likely a call that fits is struck; `hits` counts the strikes.
    """

    kind: str
    method: str = "*"
    path: str = ""
    times: int | None = 1
    seconds: float = 0.0
    chance: float = 1.0
    hits: int = 0


class Faults:
    """The switches that are set, in the order in which they were set. With the same seed and calls, the same strikes."""

    def __init__(self, seed: int = 0) -> None:
        self._faults: list[Fault] = []
        self._dice = random.Random(seed)  # noqa: S311 - dice for drills, no secret
        self._lock = threading.Lock()

    def add(
        self, kind: str, *, method: str = "*", path: str = "", times: int | None = 1, seconds: float = 0.0, chance: float = 1.0
    ) -> Fault:
        """Set a switch.

        Raises:
            ValueError: there is no such kind, or the path is no regular expression.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(sorted(KINDS))}")
        try:
            re.compile(path)
        except re.error as problem:
            raise ValueError(f"{path!r} is no regular expression: {problem}") from problem
        fault = Fault(kind=kind, method=method.upper(), path=path, times=times, seconds=seconds, chance=chance)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Unset every switch."""
        with self._lock:
            self._faults.clear()

    def seed(self, seed: int) -> None:
        """Start the dice again."""
        with self._lock:
            self._dice.seed(seed)

    def data(self) -> list[dict[str, Any]]:
        """The switches as JSON data."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def strike(self, method: str, path: str) -> Fault | None:
        """The first switch that fits this call, counted."""
        return self._take(CALL_KINDS, method, path)

    def strike_webhook(self, event_type: str) -> Fault | None:
        """The first switch that fits this webhook, counted."""
        return self._take(WEBHOOK_KINDS, "*", event_type)

    def _take(self, kinds: frozenset[str], method: str, path: str) -> Fault | None:
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                fits = fault.kind in kinds and fault.times != 0 and fault.method in {"*", method} and re.search(fault.path, path)
                if fits and self._dice.random() < fault.chance:
                    fault.hits += 1
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server of some make answers when it did not take a call, or broke."""

    status: str
    body: str
    content_type: str = "application/json"


class FaultGate:
    """A WSGI layer that lets the switches strike before and after the real application.

    `answers` says how a server of this make words `unavailable`, `rate_limited`, `token_refused` and `error_after`.
    """

    def __init__(self, application: Wsgi, faults: Faults, answers: Mapping[str, Answer]) -> None:
        self._application, self._faults, self._answers = application, faults, answers

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one call, or spoil it."""
        path = environ.get("PATH_INFO", "")
        fault = self._faults.strike(environ["REQUEST_METHOD"], path) if path.startswith("/api/") else None
        if fault is None:
            return self._application(environ, start_response)
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        if fault.kind in {"unavailable", "rate_limited", "token_refused"}:
            return self._answer(start_response, fault.kind, retry_after=fault.seconds)
        if fault.kind == "late":
            threading.Thread(target=self._apply_late, args=(dict(environ), fault.seconds), daemon=True).start()
        if fault.kind in {"late", "down"}:
            return _hang_up(environ, start_response)
        status, headers, body = self._apply(environ)
        if fault.kind == "lose_answer":
            return _hang_up(environ, start_response)
        if fault.kind == "error_after":
            return self._answer(start_response, fault.kind)
        time.sleep(fault.seconds)
        start_response(status, headers)
        return [body]

    def _apply(self, environ: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        """Run the real application to its end."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _problem: Any = None) -> Callable[[bytes], None]:
            started[:] = [status, headers]
            return lambda _part: None

        parts = self._application(dict(environ), start_response)
        try:
            body = b"".join(parts)
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()
        return started[0], started[1], body

    def _apply_late(self, environ: dict[str, Any], seconds: float) -> None:
        time.sleep(seconds)
        self._apply(environ)

    def _answer(self, start_response: Callable[..., Any], kind: str, *, retry_after: float = 0.0) -> Iterable[bytes]:
        answer = self._answers[kind]
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body.encode())))]
        if retry_after:
            headers.append(("Retry-After", f"{retry_after:g}"))
        start_response(answer.status, headers)
        return [answer.body.encode()]


def control(faults: Faults, token: str) -> Blueprint:
    """The routes by which a drill throws the switches: `GET`, `POST` and `DELETE /rehearsal/faults`, with the control token as bearer."""
    routes = Blueprint("fault_control", __name__, url_prefix="/rehearsal/faults")
    routes.before_request(lambda: guard(token))

    @routes.get("")
    def show() -> Response:
        return jsonify(faults.data())

    @routes.post("")
    def add() -> tuple[Response, int]:
        data = dict(request.get_json())
        try:
            if "seed" in data:
                faults.seed(int(data.pop("seed")))
            if data:
                faults.add(**data)
        except (TypeError, ValueError) as problem:
            return jsonify(error=str(problem)), 422
        return jsonify(faults.data()), 201

    @routes.delete("")
    def clear() -> Response:
        faults.clear()
        return jsonify([])

    return routes


def guard(token: str) -> tuple[Response, int] | None:
    """Refuse a request without the control token."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return None if hmac.compare_digest(given.encode(), token.encode()) else (jsonify(error="The control token is missing or wrong."), 401)


def _hang_up(environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Close the connection without an answer; a client inside the process gets the same as an exception."""
    connection = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        raise ConnectionResetError("the server hung up")
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    start_response("500 Hung Up", [("Content-Length", "0"), ("Connection", "close")])
    return [b""]
