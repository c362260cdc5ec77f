"""People whose platform names them by an id alone are made known to the helpdesk by their names, and nobody waits for that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from plugin.domain.errors import RemoteUnavailable
from plugin.domain.model import Contact
from plugin.testing.fake_platform import FakePlatform
from tests.engine import Engine
from tests.unit.test_policy_looks import at_work, written

_MANY_LISTEN = """
[policy]
name = "test"

[[policy.crossover]]
name = "many listen"
when = "influence"
group = "Press"
"""


class ShyNetwork(FakePlatform):
    """A network that tells who somebody is when it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.is_away = False
        self.meanwhile: Callable[[], object] = list

    def describe(self, contact: Contact) -> Contact:
        self.asked.append(contact.ref)
        self.meanwhile()
        if self.is_away:
            raise RemoteUnavailable("The network is away.")
        return replace(contact, display_name="Maria Lind", language="sv", followers=25_000)


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


def test_what_the_platform_told_stays_when_later_messages_say_less(engine: Engine, network: ShyNetwork) -> None:
    engine.tell(network.say("maria", "Where is my order?"))
    engine.settle()
    event = network.say("maria", "Hello?")
    engine.tell(replace(event, author=Contact(ref=event.author.ref, avatar_url="https://fake.example/maria.png")))
    engine.settle()
    (row,) = engine.rows("SELECT profile FROM contact")
    assert (row.profile["display_name"], row.profile["followers"], row.profile["avatar_url"]) == (
        "Maria Lind",
        25_000,
        "https://fake.example/maria.png",
    )


def test_the_first_message_of_somebody_whom_many_follow_is_judged_again_when_that_is_known(database_url: str, tmp_path: Path) -> None:
    engine = Engine(database_url, network=ShyNetwork(), policy=at_work(written(tmp_path, _MANY_LISTEN)))
    engine.tell(engine.network.say("maria", "Where is my order?"))
    engine.settle()
    (ticket,) = engine.helpdesk.tickets
    assert (engine.decided(), engine.stage(), ticket.group) == (["many listen"], "handoff", "Press")
    assert engine.balance().is_ok
    engine.close()


def test_who_was_erased_meanwhile_is_not_described_again(engine: Engine, network: ShyNetwork) -> None:
    network.meanwhile = lambda: engine.rows(
        "UPDATE contact SET ref = 'erased:1', profile = jsonb_build_object('ref', 'erased:1') WHERE ref = 'maria' RETURNING id"
    )
    engine.tell(network.say("maria", "Where is my order?"))
    engine.settle()
    (row,) = engine.rows("SELECT profile FROM contact")
    assert row.profile == {"ref": "erased:1"}
