"""The one way out: pooled connections, a deadline for each call, caps, redaction, and errors that say whether anything was applied.

A session of `requests` costs about 1 ms of processor time a call, this module about a fifth; the engine makes thousands of calls a second.
SDKs that want a session of `requests` are handed one that ends here too (`plugin.transport.sessions`).
"""

from __future__ import annotations

import os
import ssl
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urljoin

import certifi

from plugin.contracts.http import FormFile, HttpResponse, Patience
from plugin.domain.errors import RemoteRejected
from plugin.faults import point
from plugin.transport.addresses import AddressRules, Resolver, Target, read_target, resolve, resolve_by_system
from plugin.transport.bodies import TooBig, encode_body, read_body
from plugin.transport.calls import AFTER_SENDING, Call, ClosedWhileIdle, headers_received, headers_to_send
from plugin.transport.following import follow
from plugin.transport.redaction import Redaction
from plugin.transport.wire import WireConnection, open_connection

_REDIRECTS = frozenset([301, 302, 303, 307, 308])
_MOST_REDIRECTS = 3
_ANSWER_BYTES = 16 << 20
_IDLE_FOR_WRITES = 2.0
"""Seconds a connection may have idled before a write. Servers close idle ones after 5 s (Apache) to 75 s (nginx); a write that meets
the closing has an unknown outcome, which costs far more than a new connection."""
_IDLE_FOR_READS = 30.0
_IDLE_PER_SERVER = 16
_Pool = dict[tuple[bool, str, int], deque[WireConnection]]


class Transport:
    """The connections of one process. Any thread may call; a fork starts with none of its parent's.

    `allow_private` lets `download` fetch from loopback and private networks: for installations whose platforms run there. `ports` are
    those that it may fetch from; by default 80 and 443, and any where private networks are allowed. `ca_file` adds authorities (PEM).
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        ports: Collection[int] | None = None,
        resolver: Resolver = resolve_by_system,
        connect_seconds: float = 5.0,
        ca_file: str | None = None,
    ) -> None:
        self._rules = AddressRules(allow_private=allow_private, ports=_download_ports(ports, allow_private=allow_private))
        self._resolver = resolver
        self._connect_seconds = connect_seconds
        self._ca_file = ca_file
        self._pid = os.getpid()
        self._pool: _Pool = {}
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        weakref.finalize(self, _hang_up_all, self._pool)

    def client(self, *, name: str, secrets: Sequence[str] = (), timeout: float = 20.0) -> Client:
        """One caller's HTTP: `name` is what errors call the other side, `secrets` never show in them, `timeout` is for a whole call."""
        return Client(self, name=name, redaction=Redaction(secrets), timeout=timeout)

    def close(self) -> None:
        """Close every idle connection. The transport can still be used."""
        _hang_up_all(self._pool)

    def connection_to_read(self, target: Target, until: float) -> WireConnection:
        """An idle connection, or a new one.

        Raises:
            OSError: there is none to be had.
        """
        return self._connection(target, until, _IDLE_FOR_READS)

    def connection_to_write(self, target: Target, until: float) -> WireConnection:
        """An idle connection that the server has hardly begun to think of closing, or a new one.

        Raises:
            OSError: there is none to be had.
        """
        return self._connection(target, until, _IDLE_FOR_WRITES)

    def _connection(self, target: Target, until: float, longest: float) -> WireConnection:
        idle = self._idle(target)
        while idle:
            try:
                connection = idle.pop()
            except IndexError:  # another thread was faster
                break
            if time.monotonic() - connection.idle_since <= longest and connection.wire.is_alive():
                connection.renew(until)
                return connection
            connection.wire.hang_up()
        return self.fresh_connection(target, until)

    def fresh_connection(self, target: Target, until: float) -> WireConnection:
        """A new connection to a server that the admin named.

        Raises:
            OSError: there is none to be had.
        """
        addresses = resolve(self._resolver, target.host, target.port, until)
        return self._open(target, addresses, until)

    def checked_connection(self, target: Target, until: float) -> WireConnection:
        """A new connection to an address from outside: the name is resolved once, checked, and that very address connected to.

        Raises:
            RemoteRejected: the address is not to be fetched.
            OSError: there is no connection to be had.
        """
        self._rules.check_target(target)
        addresses = resolve(self._resolver, target.host, target.port, until)
        self._rules.check_addresses(addresses)
        return self._open(target, addresses, until)

    def put_back(self, connection: WireConnection) -> None:
        """Keep a connection for the next call to the same server."""
        connection.idle_since = time.monotonic()
        connection.was_used = True
        idle = self._pool.setdefault(connection.origin, deque())
        idle.append(connection)
        if len(idle) > _IDLE_PER_SERVER:
            _hang_up_oldest(idle)

    def _idle(self, target: Target) -> deque[WireConnection] | None:
        if os.getpid() != self._pid:
            self._pid = os.getpid()
            _hang_up_all(self._pool)  # closes this process's copies only
        return self._pool.get(target.origin)

    def _open(self, target: Target, addresses: Sequence[str], until: float) -> WireConnection:
        return open_connection(target, addresses, until=until, connect_seconds=self._connect_seconds, context=self._tls)

    def _tls(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                context = ssl.create_default_context()
                context.load_verify_locations(self._ca_file or certifi.where())
                context.set_alpn_protocols(["http/1.1"])
                self._context = context
            return self._context


def _download_ports(ports: Collection[int] | None, *, allow_private: bool) -> frozenset[int] | None:
    if ports is not None:
        return frozenset(ports)
    return None if allow_private else frozenset([80, 443])


class Client:
    """The `HttpClient` of one channel or helpdesk. No cookies, no proxies, nothing from the environment."""

    __slots__ = ("_name", "_redaction", "_timeout", "_transport")

    def __init__(self, transport: Transport, *, name: str, redaction: Redaction, timeout: float) -> None:
        self._transport = transport
        self._name = name
        self._redaction = redaction
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"<Client {self._name}>"

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | Sequence[tuple[str, str]] | None = None,
        json: Any = None,
        data: bytes | Mapping[str, str] | None = None,
        files: Sequence[tuple[str, FormFile]] | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> HttpResponse:
        """As `HttpClient.request`."""
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        body, content_type = encode_body(json_value=json, data=data, files=files)
        sent = headers_to_send(headers, content_type)
        call = Call(self._name, self._redaction, method, url, self._timeout if timeout is None else timeout)
        target = read_target(url)
        connection = call.connect(self._transport.connection_to_read if call.is_read else self._transport.connection_to_write, target)
        if connection.was_used and call.is_read:
            try:
                return self._exchange(call, connection, target, sent, body, max_bytes)
            except ClosedWhileIdle:
                connection = call.connect(self._transport.fresh_connection, target)
        return self._exchange(call, connection, target, sent, body, max_bytes)

    def download(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """As `HttpClient.download`. The given headers go to the first origin only."""
        call = Call(self._name, self._redaction, "GET", url, self._timeout)
        target = read_target(url)
        first = target.origin
        for _ in range(_MOST_REDIRECTS + 1):
            connection = call.connect(self._transport.checked_connection, target)
            sent = headers_to_send(headers if target.origin == first else None, None) | {"connection": "close"}
            answer = self._exchange(call, connection, target, sent, None, max_bytes)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None:
                return answer
            call.url = urljoin(call.url, location)
            target = read_target(call.url)
        raise RemoteRejected("The address was not fetched: it redirects too often. The message was kept; open the link by hand.")

    def follow(
        self,
        url: str,
        on_line: Callable[[str], None],
        *,
        patience: Patience,
        headers: Mapping[str, str] | None = None,
        is_named: bool = True,
    ) -> HttpResponse:
        """As `FollowsStreams.follow`. The connection is never shared with other calls."""
        call = Call(self._name, self._redaction, "GET", url, self._timeout)
        target = read_target(url)
        connection = call.connect(self._transport.fresh_connection if is_named else self._transport.checked_connection, target)
        ours = {"accept": "text/event-stream", "accept-encoding": "identity", "connection": "close"}
        return follow(call, connection, target, headers_to_send({**(headers or {}), **ours}, None), on_line, patience)

    def _exchange(
        self,
        call: Call,
        connection: WireConnection,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        max_bytes: int | None,
    ) -> HttpResponse:
        """One request, written, and its whole answer, read."""
        is_reusable = False
        try:
            call.collect(connection, target, headers, body)
            point("http.before_write")
            try:
                connection.write()
                answer = connection.read_head()
            except AFTER_SENDING as problem:
                if call.is_read and connection.was_used and isinstance(problem, ConnectionError):
                    raise ClosedWhileIdle from None
                raise call.unclear(problem) from None
            try:
                content = read_body(answer, _ANSWER_BYTES if max_bytes is None else max_bytes)
            except TooBig:
                raise call.too_big(answer.status) from None
            except AFTER_SENDING as problem:
                raise call.unclear(problem) from None
            point("http.after_answer")
            is_reusable = not answer.will_close and answer.isclosed()
            return HttpResponse(status=answer.status, headers=headers_received(answer), body=content, url=call.url)
        finally:
            if is_reusable:
                self._transport.put_back(connection)
            else:
                connection.wire.hang_up()


def _hang_up_oldest(idle: deque[WireConnection]) -> None:
    try:
        idle.popleft().wire.hang_up()
    except IndexError:
        return


def _hang_up_all(pool: _Pool) -> None:
    for idle in list(pool.values()):
        while idle:
            _hang_up_oldest(idle)
