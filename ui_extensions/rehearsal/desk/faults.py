"""Switches that make the desk misbehave as real servers and networks do. Nothing happens unless a switch is set.

Each switch strikes calls to `/api/` whose method and path fit, `times` times (None: until cleared):

    lose_answer     apply the call, then close the connection
    stall           apply the call, answer `seconds` later
    late            close the connection at once, apply the call `seconds` later
    error_after     apply the call, answer 500 although it was applied
    unavailable     503, not applied; `seconds` goes into Retry-After
    rate_limited    429, not applied; `seconds` goes into Retry-After
    token_refused   401, not applied
    down            close the connection, not applied
    drop_webhooks   forget a webhook instead of sending it
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

KINDS = frozenset(("lose_answer", "stall", "late", "error_after", "unavailable", "rate_limited", "token_refused", "down", "drop_webhooks"))
_UNAPPLIED = {
    "unavailable": ("503 Service Unavailable", "<html><body><h1>503 Service Unavailable</h1></body></html>"),
    "rate_limited": ("429 Too Many Requests", "<html><body><h1>429 Too Many Requests</h1></body></html>"),
    "token_refused": ("401 Unauthorized", '{"error":"Can\'t find User for Token","error_human":"Can\'t find User for Token"}'),
}
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(slots=True, kw_only=True)
class Fault:
    """One switch. `method` is a method or `*`; `path` is a regular expression searched for in the path; `hits` counts its strikes."""

    kind: str
    method: str = "*"
    path: str = ""
    times: int | None = 1
    seconds: float = 0.0
    hits: int = 0


class Faults:
    """The switches that are set, in the order in which they were set."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, kind: str, *, method: str = "*", path: str = "", times: int | None = 1, seconds: float = 0.0) -> Fault:
        """Set a switch.

        Raises:
            ValueError: there is no such kind.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(sorted(KINDS))}")
        fault = Fault(kind=kind, method=method.upper(), path=path, times=times, seconds=seconds)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Unset every switch."""
        with self._lock:
            self._faults.clear()

    def data(self) -> list[dict[str, Any]]:
        """The switches as JSON data."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def strike(self, method: str, path: str) -> Fault | None:
        """The first switch that fits this call, counted."""
        return self._take(
            lambda fault: fault.kind != "drop_webhooks" and fault.method in ("*", method) and re.search(fault.path, path) is not None
        )

    def drops_webhook(self) -> bool:
        """Whether this webhook is to be forgotten."""
        return self._take(lambda fault: fault.kind == "drop_webhooks") is not None

    def _take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.times != 0 and fits(fault):
                    fault.hits += 1
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None


class FaultGate:
    """A WSGI layer that lets the switches strike before and after the real application."""

    def __init__(self, application: Wsgi, faults: Faults) -> None:
        self._application = application
        self._faults = faults

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        fault = self._faults.strike(environ["REQUEST_METHOD"], path) if path.startswith("/api/") else None
        if fault is None:
            return self._application(environ, start_response)
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        if fault.kind in _UNAPPLIED:
            status, page = _UNAPPLIED[fault.kind]
            return _answer(start_response, status, page, retry_after=fault.seconds)
        if fault.kind == "late":
            threading.Thread(target=self._apply_late, args=(dict(environ), fault.seconds), daemon=True).start()
            return _hang_up(environ, start_response)
        if fault.kind == "down":
            return _hang_up(environ, start_response)
        status, headers, body = self._apply(environ)
        if fault.kind == "lose_answer":
            return _hang_up(environ, start_response)
        if fault.kind == "error_after":
            return _answer(start_response, "500 Internal Server Error", '{"error":"Error ID a1b2c3d4: Please contact your administrator."}')
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


def _answer(start_response: Callable[..., Any], status: str, page: str, *, retry_after: float = 0.0) -> Iterable[bytes]:
    body = page.encode()
    kind = "application/json; charset=utf-8" if page.startswith("{") else "text/html; charset=utf-8"
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    if retry_after:
        headers.append(("Retry-After", f"{retry_after:g}"))
    start_response(status, headers)
    return [body]


def _hang_up(environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Close the connection without an answer; a client inside the process gets the same as an exception."""
    connection = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        raise ConnectionResetError("the desk hung up")
    connection.shutdown(socket.SHUT_RDWR)
    start_response("500 Hung Up", [("Content-Length", "0"), ("Connection", "close")])
    return [b""]
