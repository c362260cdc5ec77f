"""One call and what its errors say: what happened, whether anything can have been applied, and what is done next."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping

from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable
from plugin.transport.addresses import Target
from plugin.transport.bodies import Garbled
from plugin.transport.redaction import Redaction
from plugin.transport.wire import WireConnection

AFTER_SENDING = (OSError, ValueError, http.client.HTTPException, Garbled)
"""What can go wrong once a request was written."""
_READS = frozenset(["GET", "HEAD"])
_AGENT = "crossdesk"


class ClosedWhileIdle(Exception):
    """A reading call met a connection that the server had closed: it goes again on a new one."""


class Call:
    """What one call's errors need to say."""

    __slots__ = ("_name", "_redaction", "_seconds", "is_read", "method", "until", "url")

    def __init__(self, name: str, redaction: Redaction, method: str, url: str, seconds: float) -> None:
        self._name = name
        self._redaction = redaction
        self._seconds = seconds
        self.method = method.upper()
        self.url = url
        self.is_read = self.method in _READS
        self.until = time.monotonic() + seconds

    def connect(self, make: Callable[[Target, float], WireConnection], target: Target) -> WireConnection:
        """What `make` returns for the target and the deadline, or RemoteUnavailable: nothing was written yet."""
        try:
            return make(target, self.until)
        except OSError as problem:
            raise RemoteUnavailable(
                f"{self._where()} could not be reached: {self._why(problem)}. Nothing was changed there; the call is made again later.",
                detail=self._detail(problem),
            ) from None

    def collect(self, connection: WireConnection, target: Target, headers: Mapping[str, str], body: bytes | None) -> None:
        """Put the request together. What cannot stand in one (a line break in a header) is refused before anything is written."""
        try:
            connection.request(self.method, target.path, body=body, headers=dict(headers))
        except (ValueError, http.client.HTTPException):
            raise RemoteRejected(
                f"{self._where()} was not called: a header or the address holds characters that HTTP cannot carry. "
                "Nothing was sent; check the channel's settings for stray line breaks or letters.",
            ) from None

    def unclear(self, problem: Exception) -> RemoteUnavailable | OutcomeUnknown:
        """The request was written and no whole answer came."""
        why, detail = self._why(problem), self._detail(problem)
        if self.is_read:
            return RemoteUnavailable(
                f"{self._where()} gave no whole answer: {why}. The call only reads and is made again later.", detail=detail
            )
        return OutcomeUnknown(
            f"{self._where()} gave no whole answer: {why}. It may have been applied; that is looked up before anything is sent again.",
            detail=detail,
        )

    def too_big(self, status: int) -> RemoteRejected | OutcomeUnknown:
        """The answer is larger than the caller takes."""
        if self.is_read:
            return RemoteRejected(f"{self._where()} answered with more than may be taken. It was left there; open it by hand if needed.")
        return OutcomeUnknown(
            f"{self._where()} answered {status} with more than may be read. The call may have been applied; that is looked up first.",
            detail=f"status {status}",
        )

    def _where(self) -> str:
        return f"{self._name} ({self.method} {self._redaction.address(self.url)})"

    def _why(self, problem: Exception) -> str:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return "its certificate is not trusted here"
        if isinstance(problem, ssl.SSLError):
            return "no secure connection could be made or kept"
        if isinstance(problem, TimeoutError):
            return f"no answer in time (the whole call may take {self._seconds:g} s)"
        if isinstance(problem, ConnectionRefusedError):
            return "nothing listens there"
        if isinstance(problem, ConnectionError):
            return "the connection was closed"
        if isinstance(problem, OSError):
            return "no such host, or no way to it"
        return "what came back is not HTTP, or ended early"

    def _detail(self, problem: Exception) -> str:
        return self._redaction.text(f"{type(problem).__name__}: {problem}")


def headers_to_send(given: Mapping[str, str] | None, content_type: str | None) -> dict[str, str]:
    """The caller's headers over our own."""
    sent = {"accept": "*/*", "accept-encoding": "gzip", "user-agent": _AGENT}
    if content_type is not None:
        sent["content-type"] = content_type
    if given:
        sent |= {name.lower(): value for name, value in given.items()}
    return sent


def headers_received(answer: http.client.HTTPResponse) -> dict[str, str]:
    """The answer's headers, names in lower case, repeated ones joined."""
    headers: dict[str, str] = {}
    for name, value in answer.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers
