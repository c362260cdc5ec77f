"""People and a channel on the real network."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from plugin.platforms.bluesky.adapter import BlueskyAdapter
from plugin.platforms.bluesky.tests.fakes import CountingHttp, connect
from plugin.testing.fakes import FixedClock, MemorySecrets
from tests.bluesky_customer import BlueskyCustomer
from tests.fixtures import server
from tests.servers import bluesky
from tests.waiting import eventually


@pytest.fixture(scope="session")
def network() -> dict[str, Any]:
    """The network's addresses."""
    return server("bluesky", bluesky.start)


@pytest.fixture
def brand(network: dict[str, Any]) -> BlueskyCustomer:
    """The company's account, as its staff uses it in an app."""
    return _person(network, "brand")


@pytest.fixture
def customer(network: dict[str, Any]) -> BlueskyCustomer:
    """Somebody with a question."""
    return _person(network, "customer")


@pytest.fixture
def stranger(network: dict[str, Any]) -> BlueskyCustomer:
    """Somebody else."""
    return _person(network, "stranger")


@pytest.fixture
def http() -> CountingHttp:
    return CountingHttp()


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.now(UTC))


@pytest.fixture
def channel(
    network: dict[str, Any], brand: BlueskyCustomer, http: CountingHttp, secrets: MemorySecrets, clock: FixedClock
) -> BlueskyAdapter:
    """The brand's channel on the real network."""
    settings = {
        "service": network["pds"],
        "directory": network["plc"],
        "identifier": brand.handle,
        "app_password": brand.app_password(),
        "poll_seconds": 5,
    }
    return connect(settings, http, clock=clock, secrets=secrets)


@pytest.fixture
def chatting(
    network: dict[str, Any], brand: BlueskyCustomer, http: CountingHttp, secrets: MemorySecrets, clock: FixedClock
) -> BlueskyAdapter:
    """The brand's channel with its chats, in which everybody may write to it."""
    brand.let_write("all")
    settings = {
        "service": network["pds"],
        "directory": network["plc"],
        "identifier": brand.handle,
        "app_password": brand.app_password(opens_chats=True),
        "poll_seconds": 5,
        "private_messages": True,
        "chat_service": network["chat"],
    }
    return connect(settings, http, clock=clock, secrets=secrets)


def _person(network: dict[str, Any], name: str) -> BlueskyCustomer:
    person = BlueskyCustomer(network["pds"], name, chat=network["chat"])
    eventually(person.is_known)
    return person
