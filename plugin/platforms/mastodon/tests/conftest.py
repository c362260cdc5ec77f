"""People and a channel on a server that none of us wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugin.platforms.mastodon.adapter import MastodonAdapter
from plugin.platforms.mastodon.tests.fakes import Faults, ListenedHttp, Listener, MovableClock, Person, connect
from tests.fixtures import server
from tests.servers import mastodon


@pytest.fixture(scope="session")
def network() -> dict[str, Any]:
    """The server's address."""
    return server(mastodon.name(), mastodon.start)


@pytest.fixture
def brand(network: dict[str, Any]) -> Person:
    """The company's account, as its staff uses it in an app."""
    return Person(network["url"], name="brand")


@pytest.fixture
def customer(network: dict[str, Any]) -> Person:
    """Somebody with a question, on the company's own server."""
    return Person(network["url"], name="customer")


@pytest.fixture
def stranger(network: dict[str, Any]) -> Person:
    """Somebody else, on another server."""
    return Person(network["url"], token="far-0")


@pytest.fixture
def faults(network: dict[str, Any]) -> Iterator[Faults]:
    made = Faults(network["url"])
    yield made
    made.clear()


@pytest.fixture
def http() -> ListenedHttp:
    return ListenedHttp()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def channel(network: dict[str, Any], brand: Person, http: ListenedHttp, clock: MovableClock) -> MastodonAdapter:
    """The brand's channel."""
    return connect({"url": network["url"], "access_token": brand.token}, http, clock=clock)


@pytest.fixture
def listener(channel: MastodonAdapter) -> Listener:
    """From before anybody spoke."""
    listening = Listener(channel)
    assert listening.hear() == ()
    return listening
