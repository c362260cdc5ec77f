"""What stands between an agent's reply and the platform: preflight, lock, approval and the reply window, as agents and customers see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugin.domain.model import Visibility
from plugin.handlers.installation import PolicyAtWork
from plugin.policy.policy import Policy
from plugin.policy.sections import Safety
from plugin.testing.table_judge import TableJudge
from tests.engine import Engine

_CARD = "Your card 4111 1111 1111 1111 was charged."


def started(database_url: str, *, table: TableJudge | None = None, book: Policy | None = None, **others: Any) -> Engine:
    """An engine with a policy."""
    return Engine(database_url, policy=PolicyAtWork(judge=table or TableJudge(), book=book or Policy()), **others)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = started(database_url)
    engine.tell(engine.network.say("maria", "My router is broken"))
    engine.settle()
    yield engine
    engine.close()


def reply(engine: Engine, words: str, *, agent: str = "Ada Agent") -> None:
    """An agent answers."""
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, words, agent=agent))
    engine.settle()


def held(engine: Engine) -> list[str]:
    """For what the replies are held that have not left."""
    return [row.reason for row in engine.rows("SELECT reason FROM intent WHERE lane = 'to_social' AND state = 'held' ORDER BY id")]


def test_a_public_reply_with_a_card_number_is_held_and_the_agent_reads_what_to_press(engine: Engine) -> None:
    reply(engine, _CARD)
    assert engine.delivered() == []
    assert held(engine) == ["preflight"]
    (note,) = [note for note in engine.notes() if "card number" in note]
    assert "4111 1111" not in note
    assert "press `release`" in note
    assert engine.balance().is_ok


def test_what_follows_a_reply_that_the_preflight_holds_leaves_all_the_same(engine: Engine) -> None:
    reply(engine, _CARD, agent="Bob Agent")
    reply(engine, "We look into it.")
    assert engine.delivered() == ["We look into it."]


def test_a_supervisor_posts_it_as_it_is_with_a_reason(engine: Engine) -> None:
    reply(engine, _CARD)
    engine.press("release", reason="It is a test card", role="supervisor")
    engine.settle()
    assert engine.delivered() == [_CARD]
    assert engine.balance().is_ok


def test_in_private_the_same_words_leave_and_the_agent_is_warned(database_url: str) -> None:
    engine = started(database_url)
    engine.tell(engine.network.say("maria", "hello", visibility=Visibility.PRIVATE))
    engine.settle()
    reply(engine, _CARD)
    assert engine.delivered() == [_CARD]
    assert any("About this reply:" in note and "card number" in note for note in engine.notes())
    engine.close()


def test_the_policy_names_the_kinds_that_stop_a_reply(database_url: str) -> None:
    engine = started(database_url, book=Policy(safety=Safety(stops_outbound=("card",))))
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    reply(engine, "Write to maria@example.org please")
    assert engine.delivered() == ["Write to maria@example.org please"]
    reply(engine, _CARD)
    assert held(engine) == ["preflight"]
    engine.close()
