"""A customer on a real Matrix homeserver and an agent at a real Request Tracker talk to each other; the bridge runs as its real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.sections import matrix_section, rt_section, servers_section
from tests.bridge import Bridge
from tests.fixtures import server
from tests.matrix_customer import Customer
from tests.pictures import png
from tests.rt_agent import RtAgent
from tests.servers import rt, synapse
from tests.waiting import eventually

pytestmark = [pytest.mark.servers, pytest.mark.root, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def homeserver() -> dict[str, Any]:
    return server("synapse", synapse.start)


@pytest.fixture(scope="module")
def desk() -> dict[str, Any]:
    return server("rt", rt.start)


@pytest.fixture
def bot(homeserver: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with synapse.appservice(homeserver) as found:
        yield found


@pytest.fixture
def bridge(bot: dict[str, Any], desk: dict[str, Any], database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Bridge]:
    url = f"http://127.0.0.1:{bot['port']}"
    configuration = f'[crossdesk]\npublic_url = "{url}"\ndata_dir = "data"\n[receiver]\nport = {bot["port"]}\n'
    configuration += servers_section(database_url, redis_url) + rt_section(desk) + matrix_section(bot["settings"])
    with (
        rt.hooks_to(desk, f"{url}/in/helpdesk/rt"),
        Bridge(tmp_path, configuration, processes=("serve", "work", "sweep")) as running,
    ):
        yield running


@pytest.fixture
def agent(desk: dict[str, Any]) -> RtAgent:
    return RtAgent(desk)


@pytest.fixture
def customer(homeserver: dict[str, Any]) -> Iterator[Customer]:
    person = Customer(homeserver)
    yield person
    person.close()


def bodies(customer: Customer, room: str, bot: dict[str, Any]) -> list[str]:
    """What the bot said in the room, oldest first."""
    return [event["content"]["body"] for event in customer.messages(room) if event["sender"] == bot["settings"]["user_id"]]


def ticket_of(agent: RtAgent, words: str) -> str:
    (ticket,) = eventually(lambda: agent.tickets(words), seconds=60)
    return ticket


def wait_for_text(agent: RtAgent, ticket: str, words: str) -> None:
    eventually(lambda: any(words in body for _, _, body in agent.texts(ticket)), seconds=60)


def test_a_conversation_goes_both_ways(bridge: Bridge, bot: dict[str, Any], customer: Customer, agent: RtAgent) -> None:
    name = bot["settings"]["user_id"]
    room = customer.create_room(name)
    eventually(lambda: name in customer.members(room))
    words = f"Where is order {room[1:9].lower()}"
    picture, manual = png(), b"%PDF-1.4 the manual"

    first = customer.send(room, f"{words}, please?")
    ticket = ticket_of(agent, words)
    assert agent.ticket(ticket)["Queue"]["Name"] == "Social"

    customer.send_file(room, picture, filename="parcel.png", content_type="image/png")
    assert eventually(lambda: agent.files(ticket), seconds=60) == {"parcel.png": picture}
    customer.edit(room, first, f"{words}, from Monday?")
    wait_for_text(agent, ticket, "from Monday")
    regretted = customer.send(room, "My password is hunter2")
    wait_for_text(agent, ticket, "hunter2")
    customer.redact(room, regretted)
    wait_for_text(agent, ticket, "deleted this message")

    agent.comment(ticket, "<p>He is <b>annoying</b>, never tell him.</p>")
    agent.reply(ticket, "We look into it.", content_type="text/plain")
    agent.reply(ticket, "<p>It leaves <b>today</b> &amp; arrives tomorrow.</p>", files=[("manual.pdf", manual, "application/pdf")])
    customer.wait_for(room, lambda event: "leaves today" in event["content"].get("body", ""), seconds=60)
    assert [body for body in bodies(customer, room, bot) if body != "manual.pdf"] == [
        "We look into it.",
        "It leaves today & arrives tomorrow.",
    ]
    answer = customer.wait_for(room, lambda event: "leaves today" in event["content"].get("body", ""))
    assert "<b>today</b>" in answer["content"]["formatted_body"] or "<strong>today</strong>" in answer["content"]["formatted_body"]
    (sent,) = [event["content"] for event in customer.messages(room) if event["content"].get("body") == "manual.pdf"]
    assert customer.download(sent["url"]) == manual

    customer.reply(room, answer["event_id"], "Thank you, it came!")
    wait_for_text(agent, ticket, "it came")
    assert agent.tickets(words) == [ticket]
    agent.resolve(ticket)

    counts = bridge.settled_balance()
    assert counts["ok"], counts
    assert counts["quarantined"] == counts["held"] == 0, counts
    assert "annoying" not in repr(customer.events(room))
    said = [body for kind, _, body in agent.texts(ticket) if kind in ("Create", "Correspond", "Comment")]
    for once in (f"{words}, please?", "from Monday?", "hunter2", "deleted this message", "it came!"):
        assert sum(once in body for body in said) == 1, (once, said)
    assert bridge.story(first)["event"]["ticket_number"] == ticket


def test_what_was_said_while_the_bridge_was_away_arrives_once_and_in_order(
    bridge: Bridge, bot: dict[str, Any], customer: Customer, agent: RtAgent
) -> None:
    name = bot["settings"]["user_id"]
    room = customer.create_room(name)
    eventually(lambda: name in customer.members(room))
    words = f"Order {room[1:9].lower()}"
    customer.send(room, f"{words} is late")
    ticket = ticket_of(agent, words)

    bridge.stop()
    for number in range(5):
        agent.reply(ticket, f"<p>answer {number}</p>")
    # Last, since the homeserver waits twice as long after each time in which nobody listens.
    for number in range(5):
        customer.send(room, f"question {number}")
    bridge.start()

    wait_for_text(agent, ticket, "question 4")
    eventually(lambda: "answer 4" in bodies(customer, room, bot), seconds=90)
    assert bodies(customer, room, bot) == [f"answer {number}" for number in range(5)]
    said = [number for _, _, body in agent.texts(ticket) for number in range(5) if f"question {number}" in body]
    assert said == [0, 1, 2, 3, 4]
    counts = bridge.settled_balance()
    assert counts["ok"], counts
