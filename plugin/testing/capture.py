"""Writes down what a platform really sends, as request fixtures: the first step of a new adapter.

    python -m plugin.testing.capture FOLDER --port 8099 [--prefix /in/channel/NAME] [--echo hub.challenge]

Each delivery becomes `FOLDER/captured__NNN.request.json` and is answered with 200 and `{}`; `--echo` answers a handshake with the value of
that query parameter instead. Secrets and people's words stand in the files as they came: replace both before they become fixtures.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_UNTOLD = frozenset({"host", "content-length", "connection", "accept-encoding", "user-agent"})
"""What the way says, not the platform."""


class Capture(ThreadingHTTPServer):
    """Listens on loopback; put a tunnel or a web server with a certificate in front. `port` 0 takes a free one."""

    def __init__(self, folder: Path, *, port: int = 0, prefix: str = "", echo: str = "") -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._prefix, self._echo = folder, prefix.rstrip("/"), echo
        self._lock = threading.Lock()

    def keep(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
        """Write one request down; returns the body of the answer."""
        address = urlsplit(target)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        fixture: dict[str, Any] = {
            "method": method,
            "path": address.path.removeprefix(self._prefix).rstrip("/"),
            "headers": {name.lower(): value for name, value in headers if name.lower() not in _UNTOLD},
            "query": query,
            **_body(body),
        }
        with self._lock:
            number = len(list(self._folder.glob("captured__*.request.json"))) + 1
            path = self._folder / f"captured__{number:03}.request.json"
            path.write_text(json.dumps(fixture, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        sys.stdout.write(f"{method} {address.path}: {path.name}\n")
        return query[self._echo].encode() if self._echo in query else b"{}"


class _Handler(BaseHTTPRequestHandler):
    server: Capture
    protocol_version = "HTTP/1.1"

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.keep(self.command, self.path, self.headers.items(), body)
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if answer == b"{}" else "text/plain")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take  # noqa: N815 - the library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: the file's name is told already."""


def _body(body: bytes) -> dict[str, Any]:
    """As the fixture loader reads it back to the same bytes: as text, because a signature covers the bytes."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def main() -> None:
    """Listen until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m plugin.testing.capture", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("--port", type=int, default=8099, help="where to listen on loopback")
    parser.add_argument("--prefix", default="", help="what the address begins with, left out of the path")
    parser.add_argument("--echo", default="", help="the query parameter that a handshake wants back")
    given = parser.parse_args()
    with Capture(given.folder, port=given.port, prefix=given.prefix, echo=given.echo) as capture:
        sys.stdout.write(f"listening on http://127.0.0.1:{capture.server_port}{given.prefix}; Ctrl-C ends it\n")
        try:
            capture.serve_forever()
        except KeyboardInterrupt:
            sys.stdout.write("\n")


if __name__ == "__main__":
    main()
