"""People whose platform names them by an id alone are made known to the helpdesk by their names, and nobody waits for that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from plugin.domain.errors import RemoteUnavailable
from plugin.domain.model import Contact
from plugin.testing.fake_platform import FakePlatform
from tests.engine import Engine


class ShyNetwork(FakePlatform):
    """A network that tells who somebody is when it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.is_away = False

    def describe(self, contact: Contact) -> Contact:
        self.asked.append(contact.ref)
        if self.is_away:
            raise RemoteUnavailable("The network is away.")
        return replace(contact, display_name="Maria Lind", language="sv")


@pytest.fixture
def network() -> ShyNetwork:
    return ShyNetwork()


@pytest.fixture
def engine(database_url: str, network: ShyNetwork) -> Iterator[Engine]:
    engine = Engine(database_url, network=network)
    yield engine
    engine.close()


def test_a_new_customer_is_filed_by_the_name_that_the_platform_tells(engine: Engine, network: ShyNetwork) -> None:
    engine.tell(engine.network.say("maria", "Where is my order?"))
    engine.settle()
    engine.tell(engine.network.say("maria", "Hello?"))
    engine.settle()
    (ticket,) = engine.helpdesk.tickets
    assert (ticket.new.contact.display_name, ticket.new.contact.language, ticket.new.contact.ref) == ("Maria Lind", "sv", "maria")
    assert network.asked == ["maria"]
    assert engine.balance().is_ok


def test_a_platform_that_does_not_answer_keeps_nobody_waiting(engine: Engine, network: ShyNetwork) -> None:
    network.is_away = True
    engine.tell(engine.network.say("maria", "Where is my order?"))
    engine.settle()
    (ticket,) = engine.helpdesk.tickets
    assert ticket.new.contact.display_name == "Maria"
    assert engine.articles() == ["Where is my order?"]
