"""A channel for tests, and HTTP that is listened to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plugin.contracts.http import HttpResponse
from plugin.domain.errors import OutcomeUnknown
from plugin.domain.ids import ChannelKey
from plugin.platforms.bluesky.adapter import PLATFORM, BlueskyAdapter
from plugin.testing.fakes import FixedClock, MemorySecrets, connection
from plugin.transport.client import Transport


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


def connect(
    settings: Mapping[str, Any], http: Any, *, clock: FixedClock | None = None, secrets: MemorySecrets | None = None
) -> BlueskyAdapter:
    """A channel on `http`."""
    return PLATFORM.connect(ChannelKey("sky"), PLATFORM.settings_schema.load(settings), connection(http, clock=clock, secrets=secrets))
