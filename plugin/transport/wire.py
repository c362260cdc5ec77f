"""One HTTP/1.1 connection on which no wait outlives the call's deadline, whatever the other side drips.

Built on the standard library's `http.client`, which is what urllib3 and requests stand on too: a call through a requests session costs
about five to seven times the processor time. Knows nothing of errors' meaning, redirects or pools.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any

from plugin.contracts.http import Patience
from plugin.transport.addresses import Target

_PIECE = 1 << 18
_JOINED = 1 << 16
_LOOK_SECONDS = 0.25
"""So often somebody who follows a stream is asked whether that is over."""


class ToldToStop(Exception):
    """Whoever follows a stream has had enough of it."""


class Wire:
    """A connected socket with a deadline (`until`, monotonic seconds). Looks enough like a socket for `http.client`."""

    def __init__(self, connected: socket.socket, until: float) -> None:
        self._socket = connected
        self.until = until
        self.patience: Patience | None = None
        """Set while a stream is followed: the other side may then be silent for a while, and we may be told to stop."""
        self.has_ended = False
        """Whether the other side has said all it will ever say."""

    def read_into(self, buffer: Any) -> int:
        """As `recv_into`.

        Raises:
            TimeoutError: the deadline has passed, or the other side was silent for longer than our patience.
            ToldToStop: our patience says so.
        """
        count = self._receive(buffer) if self.patience is None else self._receive_in_time(buffer, self.patience)
        self.has_ended = count == 0
        return count

    def _receive(self, buffer: Any) -> int:
        self._socket.settimeout(self._left())
        return self._socket.recv_into(buffer)

    def _receive_in_time(self, buffer: Any, patience: Patience) -> int:
        silent_until = time.monotonic() + patience.idle_seconds
        while True:
            if patience.is_over():
                raise ToldToStop
            self._socket.settimeout(min(_LOOK_SECONDS, self._left()))
            try:
                return self._socket.recv_into(buffer)
            except TimeoutError:
                if time.monotonic() >= silent_until:
                    raise

    def sendall(self, data: bytes) -> None:
        """Send everything before the deadline.

        Raises:
            OSError: not everything was taken.
        """
        view = memoryview(data)
        while view:
            self._socket.settimeout(self._left())
            view = view[self._socket.send(view[:_PIECE]) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        """A reader for one answer; closing it leaves the socket open."""
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """Nothing: `http.client` closes before the body is read where the server says `Connection: close`. See `hang_up`."""

    def hang_up(self) -> None:
        """Close the socket."""
        self._socket.close()

    def is_alive(self) -> bool:
        """Whether nothing waits to be read: an idle connection with something to read has ended or is out of step."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def _left(self) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time allowed for the call is over")
        return left


class _Reader(io.RawIOBase):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._wire.read_into(buffer)


class WireConnection(http.client.HTTPConnection):
    """A connection whose request is collected first and written at once: until `write`, nothing can have been applied."""

    def __init__(self, target: Target, wire: Wire) -> None:
        super().__init__(target.host, target.port)
        self.default_port = 443 if target.is_tls else 80
        self.wire = wire
        self.origin = target.origin
        self.idle_since = 0.0
        self.was_used = False
        self._collected: list[bytes] = []
        self.sock: Any = wire

    def connect(self) -> None:
        """Never: a connection is made with its socket (`open_connection`), and thrown away with it."""
        raise http.client.NotConnected

    def send(self, data: Any) -> None:
        """Collect a part of the request."""
        self._collected.append(data)

    def write(self) -> None:
        """Write what was collected, small requests in one packet.

        Raises:
            OSError: not everything was taken.
        """
        parts, self._collected = self._collected, []
        if sum(map(len, parts)) <= _JOINED:
            parts = [b"".join(parts)]
        for part in parts:
            self.wire.sendall(part)

    def read_head(self) -> http.client.HTTPResponse:
        """Status and headers of the answer; the body is still to be read.

        Raises:
            OSError, http.client.HTTPException: there is no whole head. (`http.client` takes a head that was cut for a whole one.)
        """
        answer = self.getresponse()
        if self.wire.has_ended:
            raise http.client.IncompleteRead(b"")
        return answer

    def renew(self, until: float) -> None:
        """Make ready for another call after an answer that `http.client` took for the last one, or was not."""
        self.wire.until = until
        self.sock = self.wire


def open_connection(
    target: Target,
    addresses: Sequence[str],
    *,
    until: float,
    connect_seconds: float,
    context: Callable[[], ssl.SSLContext],
) -> WireConnection:
    """Connect to the first of `addresses` that answers, with the target's own name for TLS.

    Raises:
        OSError: none could be reached in time, or the TLS handshake failed.
    """
    connected = _connect(addresses, target.port, until=until, connect_seconds=connect_seconds)
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.is_tls:
            connected.settimeout(max(0.001, until - time.monotonic()))
            connected = context().wrap_socket(connected, server_hostname=target.host.rstrip("."))
    except BaseException:
        connected.close()
        raise
    return WireConnection(target, Wire(connected, until))


def _connect(addresses: Sequence[str], port: int, *, until: float, connect_seconds: float) -> socket.socket:
    problem = OSError("there is no address to connect to")
    for address in addresses:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time allowed for the call is over")
        try:
            return socket.create_connection((address, port), timeout=min(connect_seconds, left))
        except OSError as failed:
            problem = failed
    raise problem
