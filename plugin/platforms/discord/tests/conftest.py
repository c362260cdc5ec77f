"""A Discord per test, and the adapter connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugin.contracts.platform import Connection
from plugin.domain.ids import Marker
from plugin.platforms.discord.adapter import PLATFORM, DiscordAdapter
from plugin.testing.fakes import START, WEBHOOK_URL, FixedClock, MemorySecrets
from plugin.testing.standins.discord import DiscordStandIn
from plugin.transport.client import Transport

ROOM, FORUM = "200000000000000001", "200000000000000002"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def discord(clock: FixedClock) -> Iterator[DiscordStandIn]:
    with DiscordStandIn(now=lambda: clock.now().timestamp()) as standin:
        standin.opens(ROOM)
        standin.opens(FORUM, kind=15)
        yield standin


@pytest.fixture
def connect(discord: DiscordStandIn, clock: FixedClock) -> Iterator[Callable[..., DiscordAdapter]]:
    transport = Transport(allow_private=True)

    def connected(*, timeout: float = 10.0, **changes: Any) -> DiscordAdapter:
        data = {"bot_token": discord.token, "channels": [ROOM, FORUM], "public_key": discord.public_key, "api_url": discord.url, **changes}
        client = transport.client(name="Discord", secrets=[discord.token], timeout=timeout)
        connection = Connection(http=client, clock=clock, secrets=MemorySecrets(), webhook_url=WEBHOOK_URL)
        adapter = PLATFORM.connect("discord", PLATFORM.settings_schema.load(data), connection)  # type: ignore[arg-type]
        assert isinstance(adapter, DiscordAdapter)
        return adapter

    yield connected
    transport.close()


@pytest.fixture
def adapter(connect: Callable[..., DiscordAdapter]) -> DiscordAdapter:
    return connect()


@pytest.fixture
def marker() -> Marker:
    return Marker("0123456789abcdefghijklmnop")
