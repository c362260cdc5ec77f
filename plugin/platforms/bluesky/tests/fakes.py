"""Fakes with behaviour: a clock, a secret store, HTTP that is listened to and HTTP out of a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.contracts.settings import Renew
from plugin.domain.errors import OutcomeUnknown
from plugin.domain.ids import ChannelKey
from plugin.platforms.bluesky.adapter import PLATFORM, BlueskyAdapter
from plugin.transport.client import Transport


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


class CountingHttp:
    """The real transport; notes the calls by method name. `spoil` may lose an answer that was given."""

    def __init__(self) -> None:
        self._client = Transport().client(name="Bluesky")
        self.calls: list[str] = []
        self.spoil: Callable[[str], bool] = lambda method: False

    def request(self, method: str, url: str, **how: Any) -> HttpResponse:
        name = url.partition("/xrpc/")[2].partition("?")[0] or url
        self.calls.append(name)
        answer = self._client.request(method, url, **how)
        if self.spoil(name):
            raise OutcomeUnknown
        return answer

    def download(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        return self._client.download(url, max_bytes=max_bytes, headers=headers)


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
