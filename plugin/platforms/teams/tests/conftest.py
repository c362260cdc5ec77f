"""A tenant per test, and the adapter connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugin.contracts.platform import Connection
from plugin.domain.ids import Marker
from plugin.platforms.teams.adapter import PLATFORM, TeamsAdapter
from plugin.testing.fakes import START, WEBHOOK_URL, FixedClock, MemorySecrets
from plugin.testing.standins.teams import TeamsStandIn
from plugin.transport.client import Transport


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture
def teams(clock: FixedClock) -> Iterator[TeamsStandIn]:
    with TeamsStandIn(now=lambda: clock.now().timestamp()) as standin:
        yield standin


@pytest.fixture
def connect(teams: TeamsStandIn, clock: FixedClock, secrets: MemorySecrets) -> Iterator[Callable[..., TeamsAdapter]]:
    transport = Transport(allow_private=True)

    def connected(*, timeout: float = 10.0, **changes: Any) -> TeamsAdapter:
        client = transport.client(name="Teams", timeout=timeout)
        connection = Connection(http=client, clock=clock, secrets=secrets, webhook_url=WEBHOOK_URL)
        settings = PLATFORM.settings_schema.load({**teams.settings, **changes})
        adapter = PLATFORM.connect("teams", settings, connection)  # type: ignore[arg-type]
        assert isinstance(adapter, TeamsAdapter)
        return adapter

    yield connected
    transport.close()


@pytest.fixture
def adapter(connect: Callable[..., TeamsAdapter]) -> TeamsAdapter:
    return connect()


@pytest.fixture
def marker() -> Marker:
    return Marker("0123456789abcdefghijklmnop")
