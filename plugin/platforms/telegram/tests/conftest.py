"""A stand-in per test, and adapters connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.ids import Marker
from plugin.platforms.telegram.adapter import PLATFORM, PollingTelegramAdapter, TelegramAdapter
from plugin.testing.fakes import MemorySecrets
from plugin.testing.standins.telegram import TelegramStandIn
from plugin.transport.client import Transport

SECRET = "q7Xw_2c-93kfhQzE"
WEBHOOK_URL = "https://desk.example/in/channel/telegram"


@pytest.fixture
def telegram() -> Iterator[TelegramStandIn]:
    with TelegramStandIn(pace=0.01) as standin:
        yield standin


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport()
    yield transport
    transport.close()


@pytest.fixture
def connect(telegram: TelegramStandIn, transport: Transport) -> Callable[..., Any]:
    def connected(*, webhook_url: str = WEBHOOK_URL, timeout: float = 5.0, http: Any = None, **changes: Any) -> TelegramAdapter:
        data = {"token": telegram.token, "secret_token": SECRET, "api_url": telegram.url, **changes}
        settings = PLATFORM.settings_schema.load(data)
        client = http or transport.client(name="Telegram", secrets=[telegram.token], timeout=timeout)
        connection = Connection(http=client, clock=SystemClock(), secrets=MemorySecrets(), webhook_url=webhook_url)
        adapter = PLATFORM.connect("telegram", settings, connection)  # type: ignore[arg-type]
        assert isinstance(adapter, TelegramAdapter)
        return adapter

    return connected


@pytest.fixture
def adapter(connect: Callable[..., TelegramAdapter]) -> TelegramAdapter:
    return connect()


@pytest.fixture
def poller(connect: Callable[..., Any]) -> PollingTelegramAdapter:
    found = connect(intake="poll", secret_token="")
    assert isinstance(found, PollingTelegramAdapter)
    return found


@pytest.fixture
def marker() -> Marker:
    return Marker("0123456789abcdefghijklmnop")
