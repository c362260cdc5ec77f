"""Listening: saved searches bring in what does not address us, within a budget, and say so in the ticket."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from plugin.config import SearchConfig
from plugin.testing.fake_abilities import AbleNetwork
from plugin.testing.faults import Fault
from tests.engine import Engine

Listening = Callable[..., Engine]


@pytest.fixture
def network() -> AbleNetwork:
    return AbleNetwork()


@pytest.fixture
def listening(database_url: str, network: AbleNetwork) -> Iterator[Listening]:
    """An engine that listens, by default for "crossdesk"."""
    made: list[Engine] = []

    def make(**changes: object) -> Engine:
        search = SearchConfig(**{"query": "crossdesk", "a_day": 100, "group": "", **changes})  # type: ignore[arg-type]
        made.append(Engine(database_url, network=network, searches={"brand": search}))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def hear(engine: Engine) -> None:
    """What is due is asked, and what it brings is worked."""
    engine.rows("UPDATE cursor SET due_at = now() RETURNING 1")
    engine.poller.poll_due()
    engine.settle()


def spent(engine: Engine) -> int:
    (row,) = engine.rows("SELECT spent FROM cursor WHERE task = 'search:brand'")
    return int(row.spent)


def test_a_found_post_becomes_a_ticket_that_says_it_was_found(listening: Listening, network: AbleNetwork) -> None:
    engine = listening(group="Listening")
    network.mutter("otto", "Has anybody tried Crossdesk?")
    network.mutter("otto", "Nice weather.")
    hear(engine)
    (ticket,) = engine.helpdesk.tickets
    assert ticket.group == "Listening"
    assert engine.articles() == ["Has anybody tried Crossdesk?\n[Found by the search brand; it does not address us.]"]
    assert engine.balance().is_ok


def test_what_addresses_us_is_filed_where_the_channel_files(listening: Listening, network: AbleNetwork) -> None:
    engine = listening(group="Listening")
    engine.tell(network.say("maria", "Where is my order?"))
    engine.settle()
    assert [ticket.group for ticket in engine.helpdesk.tickets] == ["Social"]
    assert engine.articles() == ["Where is my order?"]


def test_a_search_remembers_how_far_it_came_apart_from_the_poll(listening: Listening, network: AbleNetwork) -> None:
    engine = listening()
    network.mutter("otto", "Crossdesk is fine")
    network.say("maria", "Where is my order?")
    hear(engine)
    hear(engine)
    network.mutter("otto", "Crossdesk is still fine")
    hear(engine)
    assert len(engine.helpdesk.tickets) == 3
    assert (network.read, spent(engine)) == (2, 2)


def test_an_agent_may_answer_what_was_found(listening: Listening, network: AbleNetwork) -> None:
    engine = listening()
    found = network.mutter("otto", "Has anybody tried Crossdesk?")
    hear(engine)
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "We have."))
    engine.settle()
    (reply,) = network.delivered
    assert (reply.text.plain, reply.parent_ref) == ("We have.", found.message_ref)


def test_a_reply_that_the_platform_forbids_is_not_sent_and_the_agent_reads_why(listening: Listening, network: AbleNetwork) -> None:
    engine = listening()
    network.mutter("otto", "Has anybody tried Crossdesk?", no_reply="Only those who mentioned us may be answered.")
    hear(engine)
    assert "[Replies to this are not sent: Only those who mentioned us may be answered.]" in engine.articles()[0]
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "We have."))
    engine.settle()
    assert engine.delivered() == []
    (note,) = engine.notes()
    assert note.startswith("Not sent: The platform's rule does not let us answer this post: Only those who mentioned us may be answered.")
    assert engine.balance().is_ok


def test_once_they_address_us_they_are_answered(listening: Listening, network: AbleNetwork) -> None:
    engine = listening()
    found = network.mutter("otto", "Has anybody tried Crossdesk?", no_reply="Only those who mentioned us may be answered.")
    hear(engine)
    network.say("otto", "@company have you?", thread=found.thread_key)
    hear(engine)
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "We have."))
    engine.settle()
    assert engine.delivered() == ["We have."]


def test_no_more_posts_are_read_in_a_day_than_the_budget_has(listening: Listening, network: AbleNetwork) -> None:
    engine = listening(a_day=3)
    for number in range(5):
        network.mutter("otto", f"Crossdesk {number}")
    hear(engine)
    hear(engine)
    assert (network.read, spent(engine), len(engine.helpdesk.tickets)) == (3, 3, 3)
    (row,) = engine.rows(
        "SELECT due_at - now() < interval '1 day 2 seconds' AS is_tomorrow, due_at > now() AS rests FROM cursor WHERE task LIKE 's%'"
    )
    assert (row.is_tomorrow, row.rests) == (True, True)


def test_a_new_day_has_a_new_budget(listening: Listening, network: AbleNetwork) -> None:
    engine = listening(a_day=3)
    for number in range(5):
        network.mutter("otto", f"Crossdesk {number}")
    hear(engine)
    engine.rows("UPDATE cursor SET spent_on = spent_on - 1 RETURNING 1")
    hear(engine)
    assert (network.read, spent(engine), len(engine.helpdesk.tickets)) == (5, 2, 5)


def test_a_search_that_fails_costs_nothing(listening: Listening, network: AbleNetwork) -> None:
    engine = listening(a_day=3)
    network.faults.script("search", Fault.UNAVAILABLE, Fault.RATE_LIMIT)
    network.mutter("otto", "Crossdesk")
    hear(engine)
    hear(engine)
    assert (network.read, spent(engine)) == (0, 0)
    hear(engine)
    assert (network.read, spent(engine)) == (1, 1)


def test_a_search_that_cannot_be_understood_is_told_by_name_and_stops_nothing_else(listening: Listening, network: AbleNetwork) -> None:
    engine = listening(query="(crossdesk")
    network.say("maria", "Where is my order?")
    hear(engine)
    (alert,) = engine.rows("SELECT place, code, text FROM alert WHERE closed_at IS NULL")
    assert (alert.place, alert.code) == ("channel:fake", "search:brand")
    assert "The saved search brand of channel:fake" in alert.text
    assert "[channel.fake.search.brand]" in alert.text
    (place,) = engine.rows("SELECT status, blocked_until FROM place WHERE key = 'channel:fake'")
    assert (place.status, place.blocked_until, len(engine.helpdesk.tickets)) == ("active", None, 1)


def test_the_alert_closes_when_the_search_finds_again(listening: Listening, network: AbleNetwork) -> None:
    engine = listening()
    network.faults.script("search", Fault.REFUSE, Fault.BAD_CREDENTIALS)
    hear(engine)
    hear(engine)
    assert len(engine.rows("SELECT 1 FROM alert WHERE closed_at IS NULL")) == 1
    assert engine.rows("SELECT status FROM place WHERE key = 'channel:fake'")[0].status == "active"
    hear(engine)
    assert engine.rows("SELECT 1 FROM alert WHERE closed_at IS NULL") == []


def test_a_search_that_was_taken_out_of_the_file_rests(listening: Listening, network: AbleNetwork, database_url: str) -> None:
    with_search = listening()
    tasks = "SELECT task FROM cursor WHERE place = 'channel:fake' AND due_at IS NOT NULL ORDER BY task"
    without = Engine(database_url, network=network)
    without.close()
    assert [row.task for row in with_search.rows(tasks)] == ["poll", "recheck"]
    assert [row.task for row in listening().rows(tasks)] == ["poll", "recheck", "search:brand"]
