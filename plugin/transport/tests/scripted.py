"""A real HTTP server on loopback that does, per path, whatever a test's script does to the naked socket."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


Script = Callable[[socket.socket, Asked], bool]
"""Answers one request; False ends the connection."""


@dataclass
class ScriptedServer:
    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    tls: ssl.SSLContext | None = None
    _open: list[socket.socket] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @contextlib.contextmanager
    def running(self) -> Iterator[ScriptedServer]:
        listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = listener.getsockname()[1]
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    accepted, _ = listener.accept()
                except OSError:
                    return
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(accepted, self.connections), daemon=True)
                threads.append(thread)
                thread.start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield self
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            acceptor.join(5)
            for accepted in self._open:
                with contextlib.suppress(OSError):
                    accepted.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)

    def _secured(self, accepted: socket.socket) -> socket.socket:
        return accepted if self.tls is None else self.tls.wrap_socket(accepted, server_side=True)

    def _serve(self, plain: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), self._secured(plain) as accepted:
            self._open.append(accepted)
            buffer = b""
            while True:
                while b"\r\n\r\n" not in buffer:
                    piece = accepted.recv(65536)
                    if not piece:
                        return
                    buffer += piece
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").split("\r\n")
                method, path, _ = first.split(" ")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                length = int(headers.get("content-length", 0))
                while len(buffer) < length:
                    buffer += accepted.recv(65536)
                body, buffer = buffer[:length], buffer[length:]
                asked = Asked(method, path, headers, body, number)
                self.asked.append(asked)
                script = self.scripts.get(path.partition("?")[0], answering())
                if not script(accepted, asked):
                    return


def answering(status: str = "200 OK", body: bytes = b"{}", **headers: str) -> Script:
    def script(accepted: socket.socket, asked: Asked) -> bool:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        accepted.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode())
        if asked.method != "HEAD":
            accepted.sendall(body)
        return True

    return script


def saying(raw: bytes) -> Script:
    def script(accepted: socket.socket, asked: Asked) -> bool:
        accepted.sendall(raw)
        return False

    return script


def hanging_up(accepted: socket.socket, asked: Asked) -> bool:
    return False


def resetting(accepted: socket.socket, asked: Asked) -> bool:
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def dripping(first: bytes, drip: bytes, every: float) -> Script:
    """Sends `first`, then `drip` for ever."""

    def script(accepted: socket.socket, asked: Asked) -> bool:
        accepted.sendall(first)
        pause = threading.Event()
        while not pause.wait(every):
            accepted.sendall(drip)
        return False

    return script


def silent(accepted: socket.socket, asked: Asked) -> bool:
    accepted.settimeout(20)
    accepted.recv(1)
    return False
