"""What all stand-ins share: a server of their own on loopback, calls that are recorded, faults on demand, refusals in the vendor's form.

    class SomeStandIn(StandIn):
        def __init__(self) -> None:
            super().__init__("some")
            self.serve("GET", "/things/<one>", self._thing)

Knows no vendor: what a refusal looks like is each stand-in's own matter (`Refusal`, `too_many`, `broken`).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from flask import Flask, Response, jsonify, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from plugin.testing.standins.faults import Fault, Faults, Kind

Json = dict[str, Any]
T = TypeVar("T")


class Refusal(Exception):
    """An answer other than success: its status, JSON and headers, as the vendor words them. Nothing was done, unless a fault says so."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def answer(self) -> Response:
        """What the caller reads."""
        return reply(self.body, self.status, self.headers)


class Outage(Refusal):
    """What stands before the vendor's own servers says no: a page, and no JSON."""

    def __init__(self, status: int) -> None:
        super().__init__(status or 500, f"<html><head><title>{status or 500}</title></head><body>upstream</body></html>")

    def answer(self) -> Response:
        """What the caller reads."""
        return Response(self.body, status=self.status, mimetype="text/html")


class StandIn:
    """One stand-in. Use it as a context manager, or `start` and `stop` it. `calls` holds what was asked, in order of arrival."""

    def __init__(self, name: str, *, now: Callable[[], float] = time.time, port: int = 0) -> None:
        self.now = now
        self.faults = Faults()
        self.calls: list[Any] = []
        self.lock = threading.RLock()
        self.app = Flask(f"{name}-stand-in")
        self.app.register_error_handler(Refusal, lambda refusal: refusal.answer())
        self.app.register_error_handler(404, lambda _: self.unknown(404).answer())
        self.app.register_error_handler(405, lambda _: self.unknown(405).answer())
        self._server: BaseWSGIServer = make_server("127.0.0.1", port, self.app, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name=name, daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; what was said is still there to look at."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The address for an adapter's settings."""
        return self.host

    def arm(self, kind: Kind | str, *, at: str = "", value: float = 0.0, times: int = 1) -> None:
        """Let the next calls go wrong: those `at` what `struck` and `serve` name them by, any when empty."""
        self.faults.arm(Fault(kind=kind, at=at, value=value, times=times))

    def unknown(self, status: int) -> Refusal:
        """What the vendor says of a path (404) or a method (405) that it does not have."""
        return Refusal(status, {"message": "Not Found" if status == 404 else "Method Not Allowed"})

    def too_many(self, seconds: float) -> Refusal:
        """How the vendor says that it is too much."""
        return Refusal(429, {"message": "Too Many Requests"}, {"retry-after": str(int(seconds))})

    def broken(self, status: int, *, is_done: bool) -> Refusal:
        """How the vendor fails, before anything is done or after."""
        del is_done
        return Outage(status)

    def serve(self, method: str, path: str, do: Callable[..., Any]) -> None:
        """Answer a path with what `do` returns: JSON, a `Response`, or None for 204. Faults know the call by its path."""

        def view(**found: str) -> Response:
            self.calls.append((method, request.path, {**request.args.to_dict(), **request.form.to_dict()}))
            result = self.struck(request.path, lambda: self._alone(do, found))
            return reply(result) if result is not None else Response(status=204)

        self.app.add_url_rule(path, f"{method} {path}", view, methods=[method])

    def _alone(self, do: Callable[..., Any], found: Mapping[str, str]) -> Any:
        with self.lock:
            return do(**found)

    def struck(self, at: str, do: Callable[[], T]) -> T:
        """What `do` returns, unless a fault strikes before it, or after it was done.

        Raises:
            Refusal: the fault's, or that of `do`.
        """
        fault = self.faults.strike(at)
        match fault.kind if fault is not None else None:
            case Kind.RATE_LIMIT:
                raise self.too_many(_value(fault))
            case Kind.ERROR_BEFORE:
                raise self.broken(int(_value(fault)), is_done=False)
            case Kind.DROP_BEFORE:
                raise _hang_up()
            case Kind.STALL_BEFORE:
                time.sleep(_value(fault))
        result = do()
        match fault.kind if fault is not None else None:
            case Kind.ERROR_AFTER:
                raise self.broken(int(_value(fault)), is_done=True)
            case Kind.DROP_AFTER:
                raise _hang_up()
            case Kind.STALL_AFTER:
                time.sleep(_value(fault))
        return result


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON as an answer; a `Response` stays as it is."""
    response = body if isinstance(body, Response) else jsonify(body)
    response.status_code = response.status_code if isinstance(body, Response) else status
    response.headers.update(headers or {})
    return response


def _value(fault: Fault | None) -> float:
    return fault.value if fault is not None else 0.0


def _hang_up() -> Refusal:
    """Cut the caller's connection; what is returned is heard by nobody."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Refusal(500, {"message": "Nobody hears this."})


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
