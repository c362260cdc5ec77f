"""Serves a desk from threads of this process: for tests, the fault harness and the rehearsal."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from ui_extensions.rehearsal.desk.app import EXTENSION, DeskSettings, Parts, create_desk


class _Handler(WSGIRequestHandler):
    """Quiet, and without the wait between an answer's head and body."""

    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class DeskServer:
    """A desk that listens on loopback. Use as a context manager; `parts` gives the switches."""

    def __init__(self, settings: DeskSettings, *, port: int = 0, application: Flask | None = None) -> None:
        self.app = application or create_desk(settings)
        self.parts: Parts = self.app.extensions[EXTENSION]
        self._server = make_server("127.0.0.1", port, self.app, threaded=True, request_handler=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="desk", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.parts.stop()
