"""A workspace per test, and the adapter connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from plugin.contracts.platform import Connection
from plugin.domain.ids import Marker
from plugin.platforms.slack.adapter import PLATFORM, SlackAdapter
from plugin.testing.fakes import START, WEBHOOK_URL, FixedClock, MemorySecrets
from plugin.testing.standins.slack import APP, SECRET, SlackStandIn
from plugin.transport.client import Transport

ROOM, ADA = "C0HELP0001", "U0ADA00001"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def slack(clock: FixedClock) -> Iterator[SlackStandIn]:
    with SlackStandIn(now=lambda: clock.now().timestamp()) as standin:
        yield standin


@pytest.fixture
def connect(slack: SlackStandIn, clock: FixedClock) -> Iterator[Callable[..., SlackAdapter]]:
    transport = Transport(allow_private=True)

    def connected(*, timeout: float = 10.0, **changes: str) -> SlackAdapter:
        data = {"bot_token": slack.token, "signing_secret": SECRET, "app_id": APP, "api_url": slack.url, **changes}
        client = transport.client(name="Slack", secrets=[slack.token, SECRET], timeout=timeout)
        connection = Connection(http=client, clock=clock, secrets=MemorySecrets(), webhook_url=WEBHOOK_URL)
        adapter = PLATFORM.connect("slack", PLATFORM.settings_schema.load(data), connection)  # type: ignore[arg-type]
        assert isinstance(adapter, SlackAdapter)
        return adapter

    yield connected
    transport.close()


@pytest.fixture
def adapter(connect: Callable[..., SlackAdapter]) -> SlackAdapter:
    return connect()


@pytest.fixture
def marker() -> Marker:
    return Marker("0123456789abcdefghijklmnop")
