"""Slack's stand-in, the bridge's engine and a helpdesk: a question in a direct conversation, its answer lost on the way, and its end by a press."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from plugin.handlers.installation import PolicyAtWork
from plugin.platforms.slack.adapter import SlackAdapter
from plugin.policy.contract import Contract
from plugin.policy.verdicts import Crossover
from plugin.testing.fakes import FixedClock
from plugin.testing.standins.slack import SlackStandIn
from plugin.testing.table_judge import TableJudge
from tests.engine import CHANNEL, Engine

pytestmark = pytest.mark.servers
ADA, DIRECT = "U0ADA00001", "D0ADA00001"


@pytest.fixture
def clock() -> FixedClock:
    """The moment at which the test began: the engine goes by the database's clock."""
    return FixedClock(datetime.now(UTC))


@pytest.fixture
def engine(adapter: SlackAdapter, database_url: str) -> Iterator[Engine]:
    network: Any = adapter
    crossover = Crossover(rule="invoices", reason="It is about an invoice.", group="Formal", priority="2 normal", sla="formal")
    judge = TableJudge(crossovers=[(lambda facts: "invoice" in facts.message.text, crossover)])
    engine = Engine(database_url, network=network, policy=PolicyAtWork(judge=judge, contract=Contract()))
    yield engine
    engine.close()


def hear(slack: SlackStandIn, engine: Engine) -> None:
    """Slack tells of everything that happened so far, once more each time."""
    for request in slack.events:
        engine.receive(CHANNEL, request)
    engine.settle()


def test_a_conversation_ends_by_a_press_that_counts_once(slack: SlackStandIn, engine: Engine) -> None:
    slack.knows(ADA, name="ada", real_name="Ada Lovelace")
    slack.says(DIRECT, ADA, "My invoice is wrong")
    hear(slack, engine)
    assert engine.articles()[0] == "My invoice is wrong"
    slack.arm("drop_after", at="chat.postMessage")
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Here is a new one."))
    engine.settle()
    hear(slack, engine)
    for _ in range(2):
        engine.press("confirm")
    engine.settle()
    assert engine.stage() == "confirming"
    asked = slack.said_by_bot(DIRECT)[-1]
    assert [said["text"] for said in slack.said_by_bot(DIRECT)].count("Here is a new one.") == 1
    for _ in range(2):
        engine.receive(CHANNEL, slack.presses(DIRECT, ADA, asked["ts"], "Yes"))
        engine.settle()
    hear(slack, engine)
    assert "confirmed" in engine.decided()
    assert engine.articles().count("Yes") == 1
    assert engine.helpdesk.tickets[0].is_closed
    assert len(engine.helpdesk.tickets) == 1
    assert engine.balance().is_ok
