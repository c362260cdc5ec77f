"""Fakes with behaviour: a clock, a secret store, HTTP within this machine and HTTP out of a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import requests

from plugin.contracts.http import FormFile, HttpResponse
from plugin.contracts.platform import Connection
from plugin.contracts.settings import Renew
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable
from plugin.domain.ids import ChannelKey
from plugin.platforms.bluesky.adapter import PLATFORM, BlueskyAdapter


class MovableClock:
    """Now, until a test says otherwise."""

    def __init__(self, moment: datetime | None = None) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment or datetime.now(UTC)


class Secrets:
    """A secret store in memory with the real one's promise: one renewal per stale value."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.kept.get(name)

    def refresh(self, name: str, stale: str | None, renew: Renew) -> str:
        current = self.kept.get(name)
        if current is None or current == stale:
            self.kept[name] = renew(current)
        return self.kept[name]


class LoopbackHttp:
    """HTTP within this machine; counts the calls by method name. `spoil` may lose an answer that was given."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.spoil: Callable[[str], bool] = lambda method: False

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Any = None,
        json: Any = None,
        data: Any = None,
        files: Sequence[tuple[str, FormFile]] | None = None,
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> HttpResponse:
        name = url.partition("/xrpc/")[2].partition("?")[0] or url
        self.calls.append(name)
        try:
            answer = requests.request(method, url, headers=headers, params=params, json=json, data=data, timeout=timeout or 30)
        except requests.ConnectionError as problem:
            raise RemoteUnavailable from problem
        if max_bytes is not None and len(answer.content) > max_bytes:
            raise RemoteRejected
        if self.spoil(name):
            raise OutcomeUnknown
        return HttpResponse(
            status=answer.status_code, headers={name.lower(): value for name, value in answer.headers.items()}, body=answer.content, url=url
        )

    def download(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        raise RemoteRejected("no address from outside is fetched in tests")


class CannedHttp:
    """Answers from a list, in order, and keeps what was asked."""

    def __init__(self, answers: Sequence[Mapping[str, Any]]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Any]] = []

    def request(self, method: str, url: str, **how: Any) -> HttpResponse:
        self.asked.append((method, url.partition("/xrpc/")[2] or url, how.get("params") or how.get("json") or how.get("data")))
        answer = self.answers.pop(0)
        body = answer["body"].encode() if "body" in answer else json.dumps(answer.get("json", {})).encode()
        return HttpResponse(status=answer.get("status", 200), headers=answer.get("headers", {}), body=body, url=url)

    def download(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        return self.request("DOWNLOAD", url)


def connect(settings: Mapping[str, Any], http: Any, *, clock: Any = None, secrets: Any = None) -> BlueskyAdapter:
    """A channel on `http`."""
    connection = Connection(
        http=http, clock=clock or MovableClock(), secrets=secrets or Secrets(), webhook_url="https://desk.example/in/channel/sky"
    )
    return PLATFORM.connect(ChannelKey("sky"), PLATFORM.settings_schema.load(settings), connection)
