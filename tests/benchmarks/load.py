"""The load generator: signed deliveries over kept-open connections from one small process, so that it takes little from what is measured.

`python -m tests.benchmarks.load` reads one JSON order from standard input and writes one JSON answer:
order {"port", "path", "clients", "first", "contacts", "seconds" or "count", "rate" (deliveries a second; 0: each client as fast as it is
answered)}; answer {"seconds", "statuses", "broken", "latencies" (milliseconds), "sent": {id: monotonic seconds}}.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.adapters import SIGNATURE, sign

_FILLING = "I ordered the blue one last week and it has still not arrived, can somebody look into it please? " * 4


def body_of(number: int, contacts: int) -> bytes:
    """One delivery, about 500 bytes: contacts take turns."""
    contact = f"c{number % contacts:05d}"
    said = {"id": f"m{number:08d}", "from": contact, "name": f"Customer {contact}", "text": f"{number:08d} {_FILLING}"}
    return json.dumps(said).encode()


def request_of(path: str, body: bytes) -> bytes:
    """The whole HTTP request."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{SIGNATURE}: {sign(body)}\r\n\r\n"
    return head.encode() + body


@dataclass(slots=True)
class _Client:
    port: int
    wire: socket.socket
    began: float = 0.0
    due: float = 0.0
    request: bytes = b""
    buffer: bytearray = field(default_factory=bytearray)


class Load:
    """One order being carried out."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._next: int = order.get("first", 0)
        self._end = self._next + order["count"] if order.get("count") else sys.maxsize
        self._selector = selectors.DefaultSelector()
        self._statuses: Counter[int] = Counter()
        self._latencies: list[float] = []
        self._sent: dict[str, float] = {}
        self._broken = 0
        self._free: list[_Client] = []

    def run(self) -> dict[str, Any]:
        for _ in range(self._order["clients"]):
            self._free.append(self._connect(_Client(self._order["port"], socket.socket())))
        began = time.monotonic()
        until = began + self._order.get("seconds", 600)
        rate, due, busy = self._order.get("rate", 0), began, 0
        while True:
            now = time.monotonic()
            is_over = now >= until or self._next >= self._end
            while self._free and not is_over and (not rate or now >= due):
                self._send(self._free.pop(), due if rate else now)
                busy += 1
                due += 1 / rate if rate else 0
                is_over = self._next >= self._end
            if is_over and not busy:
                break
            timeout = max(0.0, due - time.monotonic()) if rate and self._free and not is_over else 5.0
            for key, _ in self._selector.select(timeout):
                if self._receive(key.data):
                    busy -= 1
                    self._free.append(key.data)
        return {
            "seconds": time.monotonic() - began,
            "statuses": dict(self._statuses),
            "broken": self._broken,
            "latencies": self._latencies,
            "sent": self._sent if rate else {},
        }

    def _connect(self, client: _Client) -> _Client:
        client.wire = socket.create_connection(("127.0.0.1", client.port))
        client.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(client.wire, selectors.EVENT_READ, client)
        return client

    def _send(self, client: _Client, due: float) -> None:
        number, self._next = self._next, self._next + 1
        client.request = request_of(self._order["path"], body_of(number, self._order.get("contacts", 200)))
        client.began = time.monotonic()
        if self._order.get("rate"):
            self._sent[f"{number:08d}"] = due
        client.wire.sendall(client.request)

    def _receive(self, client: _Client) -> bool:
        data = client.wire.recv(65536)
        if not data:
            return self._again(client)
        client.buffer += data
        end = client.buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(client.buffer[:end]).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(client.buffer) < end + 4 + length:
            return False
        status = int(head[9:12])
        client.buffer.clear()
        self._statuses[status] += 1
        self._latencies.append((time.monotonic() - client.began) * 1000)
        if b"connection: close" in head:
            self._hang_up(client)
        return True

    def _again(self, client: _Client) -> bool:
        """The server closed under the request: a sender that deserves the name sends it again."""
        self._broken += 1
        self._hang_up(client)
        client.wire.sendall(client.request)
        return False

    def _hang_up(self, client: _Client) -> None:
        self._selector.unregister(client.wire)
        client.wire.close()
        client.buffer.clear()
        self._connect(client)


if __name__ == "__main__":
    json.dump(Load(json.load(sys.stdin)).run(), sys.stdout)
