"""A bare receiver for tests: answers like the real one (200, `{}`, with a length) and keeps what came as `WebhookRequest`s."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

from plugin.contracts.http import WebhookAnswer, WebhookRequest

T = TypeVar("T")


class Listener:
    """Listens on a loopback port as long as it is entered. `answer` may answer handshakes before anything is kept."""

    def __init__(self, port: int, prefix: str, answer: Callable[[WebhookRequest], WebhookAnswer | None] = lambda _: None) -> None:
        self.requests: list[WebhookRequest] = []
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler(prefix, answer))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, look: Callable[[Sequence[WebhookRequest]], T | None], *, seconds: float = 60.0) -> T:
        """What `look` finds in the requests so far, as soon as it finds something."""
        until = time.monotonic() + seconds
        with self._changed:
            while (found := look(self.requests)) is None:
                if not self._changed.wait(until - time.monotonic()):
                    raise AssertionError(f"nothing that fits came within {seconds:.0f} s; {len(self.requests)} requests did")
            return found

    def _keep(self, request: WebhookRequest) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def _handler(self, prefix: str, answer: Callable[[WebhookRequest], WebhookAnswer | None]) -> type[BaseHTTPRequestHandler]:
        keep = self._keep

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                request = WebhookRequest(
                    method=self.command,
                    path=address.path.removeprefix(prefix),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    query=dict(parse_qsl(address.query)),
                    body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
                )
                given = answer(request)
                if given is None:
                    keep(request)
                    given = WebhookAnswer(status=200, body=b"{}", content_type="application/json")
                self.send_response(given.status)
                self.send_header("Content-Type", given.content_type)
                self.send_header("Content-Length", str(len(given.body)))
                self.end_headers()
                self.wfile.write(given.body)

            do_POST = do_PUT = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        return Handler
