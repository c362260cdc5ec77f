"""HTTP as the rest of the bridge sees it. `plugin.transport` is the one implementation; tests bring their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from plugin.domain.errors import MalformedPayload


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A request as it arrived: `path` is what follows the channel's own address (`""` or `/...`), header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            MalformedPayload: not UTF-8, not JSON, nested too deeply, or not an object or array.
        """
        return parse_json(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """What to answer to a handshake."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """An answer, read to its end within the caps. Any status: the adapter decides what it means."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str = field(default="", repr=False)

    @property
    def is_ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            MalformedPayload: as for `WebhookRequest.json`.
        """
        return parse_json(self.body)

    @property
    def json_object(self) -> dict[str, Any] | None:
        """The body where it is a JSON object; None for anything else, such as a proxy's page."""
        try:
            value = self.json()
        except MalformedPayload:
            return None
        return value if isinstance(value, dict) else None

    @property
    def retry_after(self) -> float | None:
        """Seconds in `Retry-After`, None where absent or not a number of seconds."""
        try:
            return max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFile:
    """One file part of a multipart form."""

    filename: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


class HttpClient(Protocol):
    """One caller's HTTP: time-outs, redaction and size caps are already in it. Header names in answers are lower case."""

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
        """Make one call to a server that the admin named. Redirects are not followed.

        Raises:
            RemoteUnavailable: the request was surely not applied (refused, no such host, TLS), or it only reads.
            RemoteRejected: nothing was sent (no http(s) address, a header that HTTP cannot carry), or a read brought too much.
            OutcomeUnknown: the request was written and no whole answer came back.
        """
        ...

    def download(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """Fetch an address that came from outside: public addresses only, every redirect checked, capped in bytes and time.

        Raises:
            RemoteUnavailable: not reachable now.
            RemoteRejected: the address is private, the scheme is not http(s), or the file is too big.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How much of a stream is taken. `seconds` in all, `idle_seconds` without a byte, `line_bytes` for one line.

    `is_over` is asked several times a second, from the thread that follows.
    """

    is_over: Callable[[], bool]
    seconds: float = 3600.0
    idle_seconds: float = 90.0
    line_bytes: int = 1 << 18


@runtime_checkable
class FollowsStreams(Protocol):
    """An `HttpClient` that can also read an answer without end."""

    def follow(
        self,
        url: str,
        on_line: Callable[[str], None],
        *,
        patience: Patience,
        headers: Mapping[str, str] | None = None,
        is_named: bool = True,
    ) -> HttpResponse:
        """Read a `text/event-stream` line by line, until it ends, its time is up or `patience.is_over` says so; nothing of it is kept.

        Lines come without their ends. What is returned has no body then; any other answer is returned as it came, up to 64 KiB, and
        `on_line` was not called; its status is 0 when it was over before any answer. Redirects are not followed.
        `is_named`: the admin named this server; else public addresses only.

        Raises:
            RemoteUnavailable: not reachable, cut in the middle, or silent for too long.
            RemoteRejected: no http(s) address or not one to be called, a line too long, or another answer that is too big.
        """
        ...


def parse_json(body: bytes) -> Any:
    """Read JSON from outside. Lone surrogates become U+FFFD, so that what is read can always be stored.

    Raises:
        MalformedPayload: not UTF-8, not JSON, a number without end, or nested too deeply.
    """
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as problem:
        raise MalformedPayload("The payload is not readable JSON; it was kept as it came.", detail=type(problem).__name__) from None
    return _storable(value)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _storable(value: Any, depth: int = 0) -> Any:
    """Strings without NUL and lone surrogates: PostgreSQL can keep neither."""
    if depth > 60:
        raise MalformedPayload("The payload is nested more than 60 levels deep; it was kept as it came.")
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(key): _storable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    return value


def storable_text(value: str) -> str:
    """`value` with NUL removed and lone surrogates replaced."""
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
