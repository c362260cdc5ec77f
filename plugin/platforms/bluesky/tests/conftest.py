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


class People:
    """Accounts that nobody has used. The network takes a second or more to know a new one, so one of each name is made ahead of its test."""

    def __init__(self, network: dict[str, Any]) -> None:
        self._network = network
        self._ahead: dict[str, BlueskyCustomer] = {}

    def take(self, name: str) -> BlueskyCustomer:
        """One that the network knows."""
        person = self._ahead.pop(name, None) or self._make(name)
        self._ahead[name] = self._make(name)
        eventually(person.is_known)
        return person

    def _make(self, name: str) -> BlueskyCustomer:
        return BlueskyCustomer(self._network["pds"], name, chat=self._network["chat"])


@pytest.fixture(scope="session")
def people(network: dict[str, Any]) -> People:
    """The network's people."""
    return People(network)


@pytest.fixture
def brand(people: People) -> BlueskyCustomer:
    """The company's account, as its staff uses it in an app."""
    return people.take("brand")


@pytest.fixture
def customer(people: People) -> BlueskyCustomer:
    """Somebody with a question."""
    return people.take("customer")


@pytest.fixture
def stranger(people: People) -> BlueskyCustomer:
    """Somebody else."""
    return people.take("stranger")


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
