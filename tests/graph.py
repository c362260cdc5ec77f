"""A channel of Meta's between the strict stand-in and a listener: everything goes over HTTP, the clock is set by the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.platform import Connection
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey, Marker
from plugin.testing.fakes import FixedClock, MemorySecrets
from plugin.testing.standins.graph import APP, GraphStandIn
from plugin.transport.client import Transport
from tests.webhook_listener import Listener

MARKER = Marker("01jd7q3v9u8v7u6t5s4r3q2p1n")
VERIFY = "pear-Quince_41-medlar"


class Rig:
    """One channel. `connect` makes further adapters with other settings; `told` is what the next delivery becomes."""

    def __init__(self, platform: Any, **settings: Any) -> None:
        self.clock = FixedClock()
        self.graph = GraphStandIn(now=self._now, pace=0.01)
        self.secrets = MemorySecrets()
        self._platform, self._settings = platform, settings
        self._transport = Transport(allow_private=True)
        self.listener = Listener(0, "/in/channel/fixture", self._answer)
        self.adapter = self.connect()

    def __enter__(self) -> Self:
        self.graph.__enter__()
        self.listener.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.graph.__exit__()
        self.listener.__exit__()
        self._transport.close()

    def connect(self, **changes: Any) -> Any:
        """An adapter of this channel."""
        data = {
            "app_id": APP,
            "app_secret": self.graph.secret,
            "verify_token": VERIFY,
            "access_token": self.graph.token,
            "graph_url": self.graph.url,
            **self._settings,
            **changes,
        }
        http = self._transport.client(name="Meta", secrets=[self.graph.token, self.graph.secret], timeout=10.0)
        connection = Connection(http=http, clock=self.clock, secrets=self.secrets, webhook_url=self.listener.url)
        return self._platform.connect(ChannelKey("fixture"), self._platform.settings_schema.load(data), connection)

    def told(self) -> Sequence[PlatformEvent]:
        """The events of the next delivery, verified."""
        request = self.listener.next(30.0)
        self.adapter.verify(request)
        events: Sequence[PlatformEvent] = self.adapter.parse(request)
        return events

    def _now(self) -> float:
        return self.clock.at.timestamp()

    def _answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        answer: WebhookAnswer | None = self.adapter.answer(request)
        return answer
