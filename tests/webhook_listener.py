"""A bare receiver for tests: keeps what comes as `WebhookRequest`s and answers like the real one (200, `{}`, with a length), or as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

from plugin.contracts.http import WebhookAnswer, WebhookRequest

T = TypeVar("T")
Reply = tuple[int, Mapping[str, str], bytes]


class Listener:
    """Listens on a loopback port as long as it is entered. `answer` may answer handshakes before anything is kept.

    `reply` says how what was kept is answered, by status, headers and body; whoever sends waits while it runs.
    """

    def __init__(self, port: int, prefix: str, answer: Callable[[WebhookRequest], WebhookAnswer | None] = lambda _: None) -> None:
        self.requests: list[WebhookRequest] = []
        self.arrivals: list[float] = []
        """When each of the requests came, by `time.monotonic`."""
        self.reply: Callable[[WebhookRequest], Reply] = lambda _: (200, {"Content-Type": "application/json"}, b"{}")
        self._taken = 0
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler(prefix, answer))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}{prefix}"

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
                    raise AssertionError(f"nothing that fits came within {seconds:g} s; {len(self.requests)} requests did")
            return found

    def next(self, seconds: float = 5.0) -> WebhookRequest:
        """The first request that was not taken yet, as soon as it is there."""
        found = self.wait_for(lambda come: come[self._taken] if len(come) > self._taken else None, seconds=seconds)
        self._taken += 1
        return found

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing came that was not taken, and nothing comes for `seconds`."""
        with self._changed:
            return not self._changed.wait_for(lambda: len(self.requests) > self._taken, seconds)

    def _keep(self, request: WebhookRequest) -> None:
        with self._changed:
            self.requests.append(request)
            self.arrivals.append(time.monotonic())
            self._changed.notify_all()

    def _handler(self, prefix: str, answer: Callable[[WebhookRequest], WebhookAnswer | None]) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                request = WebhookRequest(
                    method=self.command,
                    path=address.path.removeprefix(prefix),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    query=dict(parse_qsl(address.query, keep_blank_values=True)),
                    body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
                )
                given = answer(request)
                if given is not None:
                    self._say(given.status, {"Content-Type": given.content_type}, given.body)
                    return
                listener._keep(request)
                self._say(*listener.reply(request))

            do_POST = do_PUT = do_GET  # noqa: N815

            def _say(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        return Handler
