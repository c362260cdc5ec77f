"""A stand-in per test, adapters connected to it, and a receiver that does what the real one does with deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.errors import UnsupportedEvent
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import Marker
from plugin.platforms._oauth.tokens import SECRET, read_grant
from plugin.platforms.x.adapter import PLATFORM, XAdapter
from plugin.testing.fakes import MemorySecrets
from plugin.testing.standins.x import ACCOUNT, BEARER, CLIENT_ID, CLIENT_SECRET, CONSUMER_SECRET, XStandIn
from plugin.transport.client import Transport
from tests.webhook_listener import Listener

SCOPES = frozenset(PLATFORM.settings_schema.load({"account_id": ACCOUNT, "client_id": CLIENT_ID, "intake": "poll"}).scopes)


@pytest.fixture
def x() -> Iterator[XStandIn]:
    with XStandIn() as standin:
        yield standin


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport(allow_private=True)
    yield transport
    transport.close()


class Connected:
    """An adapter, and the secrets it keeps."""

    def __init__(self, adapter: XAdapter, secrets: MemorySecrets) -> None:
        self.adapter = adapter
        self.secrets = secrets


@pytest.fixture
def connect(x: XStandIn, transport: Transport) -> Callable[..., Connected]:
    def connected(*, webhook_url: str = "", scopes: frozenset[str] | None = SCOPES, timeout: float = 5.0, **changes: Any) -> Connected:
        given = {
            "account_id": ACCOUNT,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "consumer_secret": CONSUMER_SECRET,
            "bearer_token": BEARER,
            "api_url": x.url,
        }
        settings = PLATFORM.settings_schema.load({**given, **changes})
        secrets = MemorySecrets()
        if scopes is not None:
            token = read_grant(x.signing_in.issue(ACCOUNT, scopes), now=x.world.now(), before=None)
            assert token is not None
            secrets.stored[SECRET] = token.dump()
        http = transport.client(name="X", secrets=[CLIENT_SECRET], timeout=timeout)
        connection = Connection(http=http, clock=SystemClock(), secrets=secrets, webhook_url=webhook_url)
        adapter = PLATFORM.connect("x", settings, connection)  # type: ignore[arg-type]
        assert isinstance(adapter, XAdapter)
        return Connected(adapter, secrets)

    return connected


@pytest.fixture
def adapter(connect: Callable[..., Connected]) -> XAdapter:
    return connect().adapter


@pytest.fixture
def marker() -> Marker:
    return Marker("0123456789abcdefghijklmnop")


class Receiver(Listener):
    """The receipt path: handshakes are answered, deliveries verified and read."""

    def __init__(self) -> None:
        self.adapter: XAdapter | None = None
        super().__init__(0, "/in/channel/x", self._handshake)

    def _handshake(self, request: WebhookRequest) -> WebhookAnswer | None:
        return self.adapter.answer(request) if self.adapter is not None else None

    def events(self) -> list[PlatformEvent]:
        """What the deliveries so far became."""
        found: list[PlatformEvent] = []
        for request in self.requests:
            assert self.adapter is not None
            self.adapter.verify(request)
            try:
                found.extend(self.adapter.parse(request))
            except UnsupportedEvent:
                continue
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def registered(x: XStandIn, connect: Callable[..., Connected], receiver: Receiver) -> XAdapter:
    """An adapter that X delivers to."""
    receiver.adapter = connect(webhook_url=receiver.url).adapter
    receiver.adapter.register_webhook()
    return receiver.adapter
