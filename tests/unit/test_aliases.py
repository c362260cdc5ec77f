"""Somebody whom the platform names by another id from now on stays the same customer, in the same conversation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from plugin.domain.events import MessageReceived
from plugin.domain.ids import ContactRef, ThreadKey
from plugin.domain.model import Visibility
from plugin.handlers import erasing
from tests.engine import Engine

NUMBER, SCOPED = ContactRef("4915112345678"), ContactRef("DE.900011")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = Engine(database_url)
    yield engine
    engine.close()


def said(engine: Engine, words: str, by: ContactRef, *, formerly: ContactRef | None = None) -> MessageReceived:
    """A private message by somebody who is named by one id, or by a new one beside the old."""
    event = engine.network.say(by, words, visibility=Visibility.PRIVATE)
    former_thread = None if formerly is None else ThreadKey(f"private:{formerly}")
    return replace(event, author=replace(event.author, former_ref=formerly), former_thread=former_thread)


def names(engine: Engine) -> list[tuple[str, str]]:
    """By what the contacts and the conversations go now."""
    rows = engine.rows("SELECT p.ref, c.thread_key FROM conversation c JOIN contact p ON p.id = c.contact_id ORDER BY c.id")
    return [(row.ref, row.thread_key) for row in rows]


def test_a_customer_known_by_number_goes_on_under_the_new_id_in_the_same_ticket(engine: Engine) -> None:
    engine.tell(said(engine, "Where is my order?", NUMBER))
    engine.settle()
    engine.tell(said(engine, "Hello?", SCOPED, formerly=NUMBER))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "On its way."))
    engine.settle()
    (ticket,) = engine.helpdesk.tickets
    (answer,) = engine.network.delivered
    assert (names(engine), engine.articles()[:2]) == ([(SCOPED, f"private:{SCOPED}")], ["Where is my order?", "Hello?"])
    assert (answer.thread_key, ticket.new.contact.ref) == (f"private:{SCOPED}", NUMBER)
    assert engine.rows("SELECT bystander_messages FROM conversation")[0].bystander_messages == 0
    assert engine.balance().is_ok


def test_what_comes_late_under_the_old_id_belongs_to_the_same_customer(engine: Engine) -> None:
    engine.tell(said(engine, "Where is my order?", NUMBER))
    engine.tell(said(engine, "Hello?", SCOPED, formerly=NUMBER))
    engine.tell(said(engine, "By the way", NUMBER))
    engine.settle()
    assert (names(engine), len(engine.helpdesk.tickets)) == ([(SCOPED, f"private:{SCOPED}")], 1)
    assert engine.articles() == ["Where is my order?", "Hello?", "By the way"]
    assert engine.rows("SELECT bystander_messages FROM conversation")[0].bystander_messages == 0


def test_both_ids_in_one_delivery_are_one_customer(engine: Engine) -> None:
    engine.tell(said(engine, "Where is my order?", NUMBER), said(engine, "Hello?", SCOPED, formerly=NUMBER))
    engine.settle()
    engine.tell(said(engine, "Still there?", NUMBER))
    engine.settle()
    assert names(engine) == [(SCOPED, f"private:{SCOPED}")]
    assert engine.articles() == ["Where is my order?", "Hello?", "Still there?"]


def test_one_delivery_that_tells_by_the_old_id_and_by_the_new_is_the_customers_who_was_known(engine: Engine) -> None:
    engine.tell(said(engine, "Where is my order?", NUMBER))
    engine.settle()
    engine.tell(said(engine, "Hello?", NUMBER), said(engine, "Still there?", SCOPED, formerly=NUMBER))
    engine.settle()
    assert names(engine) == [(SCOPED, f"private:{SCOPED}")]
    assert engine.articles() == ["Where is my order?", "Hello?", "Still there?"]
    assert engine.rows("SELECT bystander_messages FROM conversation")[0].bystander_messages == 0


def test_our_own_message_under_the_new_id_takes_the_conversation_with_it(engine: Engine) -> None:
    engine.tell(said(engine, "Where is my order?", NUMBER))
    engine.settle()
    native = engine.network.say_natively("We are looking.", thread=f"private:{SCOPED}", visibility=Visibility.PRIVATE)
    engine.tell(replace(native, former_thread=ThreadKey(f"private:{NUMBER}")))
    engine.settle()
    assert names(engine) == [(NUMBER, f"private:{SCOPED}")]
    assert len(engine.helpdesk.tickets) == 1


def test_two_who_were_both_known_stay_two(engine: Engine) -> None:
    engine.tell(said(engine, "By number", NUMBER))
    engine.settle()
    engine.tell(said(engine, "By the new id", SCOPED))
    engine.settle()
    engine.tell(said(engine, "By both", SCOPED, formerly=NUMBER))
    engine.settle()
    assert names(engine) == [(NUMBER, f"private:{NUMBER}"), (SCOPED, f"private:{SCOPED}")]
    assert engine.articles(1) == ["By the new id", "By both"]


def test_who_was_erased_is_not_found_by_an_old_id(engine: Engine) -> None:
    engine.tell(said(engine, "Where is my order?", SCOPED, formerly=NUMBER))
    engine.settle()
    erasing.erase(engine.database, 1, actor="ada")
    engine.tell(said(engine, "A new matter", NUMBER))
    engine.settle()
    assert names(engine)[1] == (NUMBER, f"private:{NUMBER}")
    (row,) = engine.rows("SELECT c.former_keys, p.former_refs FROM conversation c JOIN contact p ON p.id = c.contact_id WHERE c.id = 1")
    assert (row.former_keys, row.former_refs) == ([], [])
