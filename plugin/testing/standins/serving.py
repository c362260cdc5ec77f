"""What small stand-ins share: a server of their own on loopback, faults on demand, and refusal of what the vendor would refuse."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any, Self

from flask import Flask, Request, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from plugin.testing.standins.telegram.faults import Fault, Faults, Kind

Json = dict[str, Any]


class Struck(Exception):
    """A fault that answers in place of the vendor: `kind` says which, `value` is a status or seconds."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault.kind))
        self.kind, self.value = fault.kind, fault.value
        self.status = int(fault.value) or 500


class Server:
    """Serves one flask application. Use it as a context manager."""

    def __init__(self, app: Flask, *, port: int = 0) -> None:
        self.faults = Faults()
        self._server: BaseWSGIServer = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name=app.name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def arm(self, kind: Kind | str, *, method: str = "", value: float = 0.0, times: int = 1) -> None:
        """Let the next calls of `method` (any, when empty) go wrong."""
        self.faults.arm(Fault(kind=kind, method=method, value=value, times=times))

    def before(self, method: str) -> Fault | None:
        """What happens to a call before it is done; hand what it returns to `after`.

        Raises:
            Struck: the call is not done at all.
        """
        fault = self.faults.strike(method)
        if fault is None:
            return None
        if fault.kind in (Kind.RATE_LIMIT, Kind.ERROR_BEFORE):
            raise Struck(fault)
        if fault.kind is Kind.DROP_BEFORE:
            _hang_up(request)
            raise Struck(fault)
        if fault.kind is Kind.STALL_BEFORE:
            time.sleep(fault.value)
        return fault

    def after(self, fault: Fault | None) -> None:
        """What happens to a call when it is done.

        Raises:
            Struck: it was done, and the answer says otherwise.
        """
        if fault is not None and fault.kind is Kind.ERROR_AFTER:
            raise Struck(fault)
        if fault is not None and fault.kind is Kind.DROP_AFTER:
            _hang_up(request)
        if fault is not None and fault.kind is Kind.STALL_AFTER:
            time.sleep(fault.value)


def unknown_fields(given: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """The fields that the vendor's method does not have."""
    return sorted(set(given) - set(known))


def _hang_up(made: Request) -> None:
    """Cut the connection: the caller reads nothing."""
    wire = made.environ.get("werkzeug.socket")
    if isinstance(wire, socket.socket):
        wire.shutdown(socket.SHUT_RDWR)


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
