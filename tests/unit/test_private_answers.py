"""A private answer to what was said in public: it leaves for the customer alone, and what they answer in private is the same ticket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from plugin.domain.ids import Marker, ThreadKey
from plugin.domain.model import OutboundMessage, Receipt, Visibility
from plugin.testing.fake_platform import FakePlatform
from tests.engine import Engine


class Network(FakePlatform):
    """Answers a post in private by a call of its own, and tells under which thread the customer will write, if it tells."""

    def __init__(self) -> None:
        super().__init__()
        self.private: list[OutboundMessage] = []
        self.opens = "dm:4711"

    def answer_in_private(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """As `AnswersInPrivate.answer_in_private`."""
        self.private.append(message)
        said = self._deliver(replace(message, reply_to=None), marker)
        return replace(said, opened_thread=ThreadKey(self.opens) if self.opens else None)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def engine(database_url: str, network: Network) -> Iterator[Engine]:
    engine = Engine(database_url, network=network)
    yield engine
    engine.close()


def _answer(engine: Engine, words: str, *, reply_as: str) -> None:
    engine.rows(
        "UPDATE conversation SET ticket_fields = jsonb_build_object('reply_as', CAST(:way AS text)) WHERE id = 1 RETURNING id", way=reply_as
    )
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, words))
    engine.settle()


def test_what_is_answered_to_a_private_answer_goes_into_the_same_ticket(engine: Engine, network: Network) -> None:
    engine.tell(network.say("maria", "My order 1234 never came"))
    engine.settle()
    _answer(engine, "Which address is it for?", reply_as="private")
    (message,) = network.private
    assert [message.visibility, message.text.plain] == [Visibility.PRIVATE, "Which address is it for?"]
    engine.tell(network.say("4711", "Elm Street 5", thread="dm:4711", visibility=Visibility.PRIVATE))
    engine.settle()
    (ticket,) = engine.helpdesk.tickets
    assert [article.text.plain for article in ticket.articles if not article.internal][-1] == "Elm Street 5"
    engine.tell_of_tickets(engine.helpdesk.reply(ticket.ref, "Thank you, it leaves today."))
    engine.settle()
    assert network.delivered[-1].thread_key == "dm:4711"
    assert len(network.private) == 1, "in a private thread of its own, an answer is a message like any other"
    assert engine.balance().is_ok


def test_the_echo_of_a_private_answer_is_ours_wherever_it_comes(engine: Engine, network: Network) -> None:
    engine.tell(network.say("maria", "My order 1234 never came"))
    engine.settle()
    engine.tell(network.say("4711", "Hello", thread="dm:4711", visibility=Visibility.PRIVATE))
    engine.settle()
    _answer(engine, "Which address is it for?", reply_as="private")
    (row,) = engine.rows("SELECT marker FROM intent WHERE op = 'reply'")
    echo = network.say_natively("Which address is it for?", thread="dm:4711", visibility=Visibility.PRIVATE)
    engine.tell(replace(echo, marker=Marker(row.marker)))
    engine.settle()
    assert engine.articles(1) == ["Hello"]
    assert engine.balance().is_ok


def test_nobody_is_taken_for_the_same_person_by_guess(engine: Engine, network: Network) -> None:
    network.opens = ""
    engine.tell(network.say("maria", "My order 1234 never came"))
    engine.settle()
    _answer(engine, "Which address is it for?", reply_as="private")
    engine.tell(network.say("4711", "Elm Street 5", thread="dm:4711", visibility=Visibility.PRIVATE))
    engine.settle()
    assert len(engine.helpdesk.tickets) == 2


def test_an_answer_is_public_unless_the_agent_chose_otherwise(engine: Engine, network: Network) -> None:
    engine.tell(network.say("maria", "Where is my order?"))
    engine.settle()
    _answer(engine, "On its way.", reply_as="public")
    assert [network.private, network.delivered[-1].visibility] == [[], Visibility.PUBLIC]


def test_where_the_platform_cannot_answer_in_private_nothing_leaves_and_the_agent_is_told(database_url: str) -> None:
    engine = Engine(database_url)
    engine.tell(engine.network.say("maria", "Where is my order?"))
    engine.settle()
    _answer(engine, "Which address is it for?", reply_as="private")
    assert engine.delivered() == []
    assert any("`Reply as` said private" in note for note in engine.notes())
    assert engine.balance().is_ok
    engine.close()
