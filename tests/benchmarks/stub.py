"""The other side, without latency: a helpdesk and a platform in one process that remember when what arrived.

`python -m tests.benchmarks.stub PORT_FILE` listens on a free port of loopback. Hand-parsed HTTP/1.1, so that on a shared machine it takes
as little as possible from what is measured. It also speaks to plain clients (Node-RED, requests) as long as they send Content-Length.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

_HEAD_END = b"\r\n\r\n"


class World:
    """Tickets and their articles, and the log of every write: (seconds, kind, key, text), the clock being the system's monotonic one."""

    def __init__(self) -> None:
        self.tickets: dict[str, list[tuple[int, str, str]]] = {}
        self.by_key: dict[str, str] = {}
        self.by_ref: dict[str, dict[str, Any]] = {}
        self.log: list[tuple[float, str, str, str]] = []
        self.reads = 0
        self._number = 0

    def number(self) -> int:
        self._number += 1
        return self._number

    def answer(self, method: str, path: str, body: bytes) -> Any:
        path, _, query = path.partition("?")
        parts = path.strip("/").split("/")
        if method == "POST":
            return self._write(parts, json.loads(body or b"{}"))
        self.reads += 1
        match parts:
            case ["lookup", key]:
                return {"id": self.by_key.get(key)}
            case ["find", ref]:
                return self.by_ref.get(ref, {"id": None, "article": None})
            case ["tickets", _]:
                return {"state": "open"}
            case ["tickets", ticket, "articles"]:
                since = int(query.removeprefix("since=") or 0)
                return {"articles": [item for item in self.tickets.get(ticket, []) if item[0] > since]}
            case ["log"]:
                return {"log": self.log, "reads": self.reads}
            case ["count"]:
                return {"writes": len(self.log), "last": self.log[-1][0] if self.log else 0.0}
        return {}

    def _write(self, parts: list[str], data: dict[str, Any]) -> Any:
        if parts == ["reset"]:
            self.__init__()  # type: ignore[misc] # a new world
            return {}
        now, number = time.monotonic(), self.number()
        match parts:
            case ["tickets"]:
                ticket = str(number)
                self.tickets[ticket] = [(number, data["text"], data.get("ref", ""))]
                self.by_key[data["key"]] = ticket
                self.log.append((now, "ticket", data["key"], data["text"]))
                made = {"id": ticket, "article": number}
            case ["tickets", ticket, "articles"]:
                self.tickets.setdefault(ticket, []).append((number, data["text"], data.get("ref", "")))
                self.log.append((now, "article", ticket, data["text"]))
                made = {"id": ticket, "article": number}
            case ["agent", ticket]:
                self.tickets[ticket].append((number, data["text"], ""))
                return {"article": number}
            case _:
                self.log.append((now, "said", data.get("to", ""), data.get("text", "")))
                made = {"id": number, "article": number}
        if data.get("ref"):
            self.by_ref[data["ref"]] = made
        return made


class Speaker(asyncio.Protocol):
    """One connection."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(_HEAD_END)) >= 0:
            head = self._buffer[:end]
            length = _length(head)
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            method, path, _ = head[: head.index(b"\r\n")].decode().split(" ")
            said = json.dumps(self._world.answer(method, path, body)).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(said) + said)


def _length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def _serve(port_file: Path) -> None:
    world = World()
    server = await asyncio.get_running_loop().create_server(lambda: Speaker(world), "127.0.0.1", 0, backlog=256)
    making = port_file.with_suffix(".making")
    making.write_text(str(server.sockets[0].getsockname()[1]))
    making.rename(port_file)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
