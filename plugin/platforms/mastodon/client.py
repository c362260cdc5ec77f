"""Calls to the account's own server, and what its answers mean. Knows nothing of statuses.

Other servers speak this API with status codes of their own (400 where Mastodon says 422) and leave parts of it out: an answer is judged
by its class, and `find` takes "no such thing" and "no such endpoint" for the same.
Sources: Mastodon documentation, "Rate limits" and the "Returns" of each method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from plugin.contracts.http import FollowsStreams, HttpResponse, Patience
from plugin.contracts.platform import Connection
from plugin.contracts.reading import read_objects, read_string, read_time
from plugin.domain.errors import (
    CredentialsRejected,
    MalformedPayload,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.domain.model import File
from plugin.platforms.mastodon.schema import Settings
from plugin.platforms.mastodon.values import read_id

if TYPE_CHECKING:
    from plugin.platforms.mastodon.sdk import Call, Sdk

TOKEN = "access_token"  # noqa: S105 - the name under which it is kept
_ABSENT = frozenset({404, 405, 410, 501})
_LOCKED_OUT = ("scope", "login", "suspended", "disabled", "confirm")
"""Words of a 403 that speak of us and not of the thing asked for."""
_UNREADABLE = "The server answered with something that is not the Mastodon API"
_PLAIN_URL = "Enter the server's final address as `url`."


class Client:
    """One account's server. A call is named by the method of Mastodon.py that spells it, with its ids and other arguments (`sdk.py`)."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._http = connection.http
        self._clock = connection.clock
        self._secrets = connection.secrets

    def get(self, name: str, *ids: str, **given: Any) -> Mapping[str, Any]:
        """Ask for one thing.

        Raises:
            TargetGone: it does not exist (any more), or not for us.
            RemoteError: any other of its kinds, never `OutcomeUnknown`.
        """
        return _object(self._good(self._told(name, *ids, **given)))

    def find(self, name: str, *ids: str, **given: Any) -> Mapping[str, Any] | None:
        """As `get`, but None where it does not exist or the server knows no such endpoint."""
        answer = self._told(name, *ids, **given)
        return None if answer.status in _ABSENT else _object(self._good(answer))

    def page(self, name: str, *ids: str, **given: Any) -> list[Mapping[str, Any]]:
        """Ask for a list."""
        return _list(self._good(self._told(name, *ids, **given)))

    def find_page(self, name: str, *ids: str, **given: Any) -> list[Mapping[str, Any]] | None:
        """As `page`, but None where the server knows no such endpoint."""
        answer = self._told(name, *ids, **given)
        return None if answer.status in {*_ABSENT, 400, 422} else _list(self._good(answer))

    def write(self, name: str, *ids: str, **given: Any) -> Mapping[str, Any]:
        """Change something.

        Raises:
            OutcomeUnknown: it may have been applied.
            TargetGone: what is changed or answered does not exist (any more).
            RemoteError: any other of its kinds.
        """
        answer = self._told(name, *ids, **given)
        if not answer.is_ok:
            raise self._failure(answer, writes=True)
        try:
            return _object(answer)
        except RemoteUnavailable as unreadable:
            raise OutcomeUnknown(
                f"{_UNREADABLE}; whether it was written is looked up before anything is sent again.", detail=unreadable.detail
            ) from None

    def upload(self, file: File, *, description: str) -> tuple[str, bool]:
        """Hand over a file: its id, and whether it is ready. Nobody sees it until a status names it, so an unclear outcome is no harm."""
        about = {"mime_type": file.content_type, "file_name": file.filename, "description": description or None}
        call = self._spelled("media_post", media_file=file.content, **about)
        try:
            answer = self._send(call, timeout=60.0)
            if answer.status in _ABSENT:
                answer = self._send(replace(call, path="/api/v1/media"), timeout=60.0)
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable("The file could not be handed to the server; nothing was posted and it is tried again.") from unclear
        data = _object(self._good(answer))
        return _id(data), answer.status != 202 and "url" in data and data["url"] is not None

    def is_ready(self, media_id: str) -> bool:
        """Whether the server has finished with an uploaded file."""
        return self._good(self._told("media", media_id)).status != 206

    def follow(self, base: str, path: str, on_line: Callable[[str], None], patience: Patience) -> None:
        """Read a stream at `base`, the address of a server, line by line until it ends.

        Raises:
            RemoteRejected: there is no such stream.
            RemoteError: any other of its kinds, never `OutcomeUnknown`.
        """
        if not isinstance(self._http, FollowsStreams):
            raise RemoteRejected("Streams cannot be read from here. Nothing is lost: the channel is polled.")
        is_named = base == self._settings.url
        answer = self._http.follow(base + path, on_line, patience=patience, headers=self._authorization, is_named=is_named)
        if patience.is_over():
            return
        if answer.is_ok and not answer.headers.get("content-type", "").lower().startswith("text/event-stream"):
            raise RemoteRejected("The server offers no stream of notifications. Nothing is lost: the channel is polled.")
        self._good(answer)

    @cached_property
    def _sdk(self) -> Sdk:
        # Whoever has no Mastodon channel shall not pay for the package: see there.
        from plugin.platforms.mastodon.sdk import Sdk

        return Sdk()

    def _spelled(self, name: str, *ids: str, **given: Any) -> Call:
        call: Call = getattr(self._sdk, name)(*(quote(one, safe="") for one in ids), **given)
        return call

    def _told(self, name: str, *ids: str, **given: Any) -> HttpResponse:
        return self._send(self._spelled(name, *ids, **given))

    def _good(self, answer: HttpResponse) -> HttpResponse:
        if not answer.is_ok:
            raise self._failure(answer, writes=False)
        return answer

    def _send(self, call: Call, *, timeout: float | None = None) -> HttpResponse:
        headers = {**self._authorization, **call.headers}
        return self._http.request(call.method, self._settings.url + call.path, headers=headers, timeout=timeout, **call.how)

    @property
    def _authorization(self) -> dict[str, str]:
        token = self._settings.access_token or self._secrets.get(TOKEN)
        if not token:
            raise CredentialsRejected(
                "No account is connected to this channel yet. Everything is kept; connect it (crossdesk channel connect), then resume it."
            )
        return {"authorization": f"Bearer {token}"}

    def _failure(self, answer: HttpResponse, *, writes: bool) -> RemoteError:
        status, said = answer.status, _said(answer)
        if status == 429:
            return RateLimited("The Mastodon server asks us to slow down; the message waits.", retry_after=self._wait(answer), detail=said)
        if status == 401 or (status == 403 and any(word in said.lower() for word in _LOCKED_OUT)):
            return CredentialsRejected(
                f"{self._settings.url} does not accept the access token for this: {said or status}. The channel pauses and everything is"
                " kept; look at the account and its application under Preferences, Development, enter a new token, resume the channel.",
                detail=said,
            )
        if status in (408, 425) or (status >= 500 and status != 501):
            if writes:
                return OutcomeUnknown(
                    "The Mastodon server failed while it wrote; whether it did is looked up before anything is sent again.", detail=said
                )
            return RemoteUnavailable(
                "The Mastodon server cannot do this now; it is tried again.", retry_after=answer.retry_after, detail=said
            )
        if status in _ABSENT:
            return TargetGone(
                "The Mastodon server says that this does not exist, or not for us any more. Nothing was changed;"
                " look at the post on the platform and answer a newer message.",
                detail=said,
            )
        if 300 <= status < 400:
            return RemoteRejected(f"{self._settings.url} sends us elsewhere. {_PLAIN_URL}", detail=said)
        return RemoteRejected(
            f"The Mastodon server refused this: {said or status}. Nothing was posted; change the text or the files and send it again.",
            detail=said,
        )

    def _wait(self, answer: HttpResponse) -> float | None:
        """Seconds to wait: `Retry-After`, else until `X-RateLimit-Reset` by the server's own clock."""
        if answer.retry_after is not None:
            return answer.retry_after
        reset = read_reset(answer.headers.get("x-ratelimit-reset", ""))
        if reset is None:
            return None
        try:
            now = parsedate_to_datetime(answer.headers["date"])
            return max(1.0, (reset - now).total_seconds())
        except (KeyError, ValueError, TypeError):
            return max(1.0, (reset - self._clock.now()).total_seconds())


def read_reset(value: str) -> datetime | None:
    """When a limit ends: a time on Mastodon, seconds since 1970 on other servers."""
    try:
        return datetime.fromtimestamp(int(value), UTC) if value.isdecimal() else read_time(value)
    except (ValueError, OverflowError, OSError):
        return None


def _object(answer: HttpResponse) -> Mapping[str, Any]:
    data = _json(answer)
    if not isinstance(data, dict):
        raise RemoteUnavailable(f"{_UNREADABLE}; it is tried again.")
    return data


def _list(answer: HttpResponse) -> list[Mapping[str, Any]]:
    data = _json(answer)
    if not isinstance(data, list):
        raise RemoteUnavailable(f"{_UNREADABLE}; it is tried again.")
    return read_objects(data)


def _json(answer: HttpResponse) -> Any:
    try:
        return answer.json()
    except MalformedPayload as problem:
        raise RemoteUnavailable(f"{_UNREADABLE}; it is tried again.", detail=problem.detail) from None


def _id(data: Mapping[str, Any]) -> str:
    found = read_id(data.get("id"))
    if not found:
        raise RemoteUnavailable(f"{_UNREADABLE}; it is tried again.")
    return found


def _said(answer: HttpResponse) -> str:
    """The server's own words, short."""
    data = answer.json_object or {}
    return (read_string(data.get("error_description")) or read_string(data.get("error")))[:300]
