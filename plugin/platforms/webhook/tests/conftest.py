"""The comment box of docs/examples, running, and the adapter on it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.ids import ChannelKey
from plugin.platforms.webhook.adapter import PLATFORM
from plugin.testing.fakes import MemorySecrets
from plugin.transport.client import Transport
from tests.servers.registry import free_port

COMMENT_BOX = Path(__file__).parents[4] / "docs" / "examples" / "comment-box" / "comment_box.py"


def secret(letter: str) -> str:
    return "whsec_" + base64.b64encode(letter.encode() * 32).decode()


class Ear(BaseHTTPRequestHandler):
    """Takes every delivery as it came."""

    heard: list[WebhookRequest]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.heard.append(WebhookRequest(method="POST", path="", headers=headers, query={}, body=body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class CommentBox:
    """The example, and what it told us."""

    url: str
    heard: list[WebhookRequest]
    transport: Transport

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "url": f"{self.url}/crossdesk",
            "readback_url": f"{self.url}/crossdesk/messages",
            "events_url": f"{self.url}/crossdesk/events",
            "receive_secret": secret("t"),
            "send_secret": secret("c"),
        }

    def connect(self, **changes: Any) -> Any:
        settings = {**self.settings, **changes}
        secrets = tuple(value for name, value in settings.items() if name.endswith("secret"))
        http = self.transport.client(name="channel:comments", secrets=secrets)
        connection = Connection(
            http=http, clock=SystemClock(), secrets=MemorySecrets(), webhook_url="https://desk.example/in/channel/comments"
        )
        return PLATFORM.connect(ChannelKey("comments"), PLATFORM.settings_schema.load(settings), connection)

    def say(self, name: str, text: str, **more: str) -> None:
        form = urllib.parse.urlencode({"name": name, "text": text, **more}).encode()
        with urllib.request.urlopen(f"{self.url}/comments", form, timeout=10):
            pass

    def page(self) -> str:
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            return str(answer.read().decode())


@pytest.fixture
def comment_box(tmp_path: Path) -> Iterator[CommentBox]:
    """A comment box of the test's own."""
    heard: list[WebhookRequest] = []
    ear = ThreadingHTTPServer(("127.0.0.1", 0), type("TestEar", (Ear,), {"heard": heard}))
    ear.daemon_threads = True
    listening = threading.Thread(target=ear.serve_forever, kwargs={"poll_interval": 0.02})
    listening.start()
    port = free_port()
    environ = {
        **os.environ,
        "TELL_URL": f"http://127.0.0.1:{ear.server_port}/",
        "TELL_SECRET": secret("t"),
        "CALL_SECRET": secret("c"),
        "PORT": str(port),
    }
    box = subprocess.Popen([sys.executable, str(COMMENT_BOX)], env=environ)
    transport = Transport(allow_private=True)
    try:
        found = CommentBox(url=f"http://127.0.0.1:{port}", heard=heard, transport=transport)
        wait_until(lambda: is_there(found))
        yield found
    finally:
        transport.close()
        box.terminate()
        box.wait(10)
        ear.shutdown()
        listening.join(10)
        ear.server_close()


def is_there(box: CommentBox) -> bool:
    try:
        return bool(box.page())
    except OSError:
        return False


def wait_until(is_so: Any, *, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    """The contract as it is published."""
    found: dict[str, Any] = json.loads((COMMENT_BOX.parents[2] / "webhook-channel.openapi.json").read_text(encoding="utf-8"))
    return found
