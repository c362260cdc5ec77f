"""Serves a WSGI application from this one process, a thread for each connection: the practice data lives in memory."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class _QuietHandler(WSGIRequestHandler):
    """No line per request: the pages ask every second."""

    timeout = 60
    disable_nagle_algorithm = True

    def log_request(self, *_: Any) -> None:
        pass


def bind(build: Callable[[str], Any], *, host: str = "127.0.0.1", port: int = 0) -> BaseWSGIServer:
    """A server that listens already, of the application that `build` makes for its address; `port` 0 takes a free one.

    Call `serve_forever`, and `shutdown` from another thread.
    """
    server = make_server(host, port, _nothing_yet, threaded=True, request_handler=_QuietHandler)
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.app = build(f"http://{host}:{server.port}")
    return server


@contextlib.contextmanager
def background(server: BaseWSGIServer) -> Iterator[str]:
    """The server's address while it runs in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="rehearsal")
    thread.start()
    try:
        yield f"http://{server.host}:{server.port}"
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


def _nothing_yet(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [("Content-Length", "0")])
    return []
