"""Pressing something: hiding, showing again and templates are committed like every other wish, told in the ticket and written down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from plugin.contracts.capabilities import Idempotency, Limits, Readback
from plugin.contracts.platform import Template
from plugin.domain.errors import ConfigError, Unsupported
from plugin.handlers.actions import Actions
from plugin.testing.fake_abilities import CAPABILITIES, AbleNetwork
from plugin.testing.faults import Fault
from tests.engine import Engine
from tests.faults.inner import with_capabilities

GO_ON = Template(name="go_on", language="en", values=("42",))


@pytest.fixture
def network() -> AbleNetwork:
    return AbleNetwork()


@pytest.fixture
def engine(database_url: str, network: AbleNetwork) -> Iterator[Engine]:
    engine = Engine(database_url, network=network)
    engine.tell(network.say("maria", "You are all crooks"))
    engine.settle()
    yield engine
    engine.close()


@pytest.fixture
def actions(engine: Engine) -> Actions:
    return Actions(engine.installation, engine.database)


def test_a_message_is_hidden_and_shown_again(engine: Engine, network: AbleNetwork, actions: Actions) -> None:
    actions.hide("p1", is_hidden=True, actor="ada", reason="insult")
    engine.settle()
    assert network.hidden == {"p1"}
    actions.hide("p1", is_hidden=False, actor="ada")
    engine.settle()
    assert network.hidden == set()
    assert engine.notes() == ["ada hid the message p1 on the platform.", "ada showed again the message p1 on the platform."]
    assert [(row.actor, row.action, row.subject, row.detail["reason"]) for row in engine.rows("SELECT * FROM audit ORDER BY id")] == [
        ("ada", "message hide", "channel:fake p1", "insult"),
        ("ada", "message show", "channel:fake p1", ""),
    ]
    assert engine.balance().is_ok


def test_a_message_is_found_by_its_article_too(engine: Engine, network: AbleNetwork, actions: Actions) -> None:
    article = engine.helpdesk.tickets[0].articles[0].ref
    assert actions.hide(article, is_hidden=True, actor="ada").message_ref == "p1"
    with pytest.raises(ConfigError, match="No message is known as 'p99'"):
        actions.hide("p99", is_hidden=True, actor="ada")


def test_hiding_is_simply_asked_again_when_nobody_knows_whether_it_was_done(engine: Engine, network: AbleNetwork, actions: Actions) -> None:
    network.faults.script("hide", Fault.LOSE_REQUEST, Fault.LOSE_ANSWER, Fault.UNAVAILABLE)
    actions.hide("p1", is_hidden=True, actor="ada")
    engine.settle()
    assert network.hidden == {"p1"}
    assert engine.balance().is_ok


def test_a_refusal_is_told_in_the_ticket(engine: Engine, network: AbleNetwork, actions: Actions) -> None:
    network.faults.script("hide", Fault.REFUSE)
    actions.hide("p1", is_hidden=True, actor="ada")
    engine.settle()
    assert engine.notes()[0].startswith("Not done: ")
    assert network.hidden == set()


def test_hiding_does_not_wait_behind_a_reply_that_is_held(engine: Engine, network: AbleNetwork, actions: Actions) -> None:
    engine.rows("UPDATE conversation SET stage = 'formal' RETURNING 1")
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "We are not."))
    engine.settle()
    actions.hide("p1", is_hidden=True, actor="ada")
    engine.settle()
    assert (engine.delivered(), network.hidden) == ([], {"p1"})


def test_only_what_others_said_can_be_hidden(engine: Engine, network: AbleNetwork, actions: Actions) -> None:
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "We are not."))
    engine.settle()
    with pytest.raises(ConfigError, match="is our own message"):
        actions.hide(network.delivered[0].ref, is_hidden=True, actor="ada")


def test_a_template_reaches_the_customer_when_the_reply_window_is_shut(database_url: str) -> None:
    limits = Limits(text_length=500, ruler=CAPABILITIES.limits.ruler, reply_window=60.0)
    network = with_capabilities(AbleNetwork(), limits=limits)
    network.beginning = datetime.now(UTC)
    engine = Engine(database_url, network=network)
    engine.tell(network.say("maria", "Where is my order?"))
    engine.settle()
    engine.rows("UPDATE conversation SET last_inbound_at = now() - interval '1 day' RETURNING 1")
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "On its way."))
    engine.settle()
    assert engine.delivered() == []
    Actions(engine.installation, engine.database).send_template("p1", GO_ON, text="Your order 42 goes on.", actor="ada")
    engine.settle()
    assert (engine.delivered(), network.templates) == (["Your order 42 goes on."], [GO_ON])
    assert engine.notes()[-1] == "ada sent the template go_on to the customer:\nYour order 42 goes on."
    assert engine.balance().is_ok
    engine.close()


def test_the_echo_of_a_template_is_recognised(engine: Engine, network: AbleNetwork, actions: Actions) -> None:
    actions.send_template("p1", GO_ON, text="Your order 42 goes on.", actor="ada")
    engine.settle()
    engine.poller.poll_due()
    engine.settle()
    assert len(engine.articles()) == 2
    assert engine.balance().is_ok


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
def test_a_template_whose_answer_was_lost_is_looked_for_and_said_once(
    fault: Fault, engine: Engine, network: AbleNetwork, actions: Actions
) -> None:
    network.faults.script("send_template", fault)
    actions.send_template("p1", GO_ON, text="Your order 42 goes on.", actor="ada")
    engine.settle()
    assert engine.delivered() == ["Your order 42 goes on."]


def test_a_template_that_cannot_be_looked_for_waits_for_a_person(database_url: str) -> None:
    network = with_capabilities(AbleNetwork(), readback=Readback.NONE, idempotency=Idempotency.NONE)
    engine = Engine(database_url, network=network)
    engine.tell(network.say("maria", "Where is my order?"))
    engine.settle()
    network.faults.script("send_template", Fault.LOSE_ANSWER)
    Actions(engine.installation, engine.database).send_template("p1", GO_ON, text="Your order 42 goes on.", actor="ada")
    engine.settle()
    assert engine.delivered() == ["Your order 42 goes on."]
    assert engine.balance().fates["quarantined"] == 1
    engine.close()


def test_an_unknown_template_is_told(engine: Engine, actions: Actions) -> None:
    actions.send_template("p1", Template(name="unknown", language="en"), text="?", actor="ada")
    engine.settle()
    assert engine.notes()[0].startswith("The template was not sent: The fake network knows no template of this name")


def test_a_platform_that_cannot_says_so_at_once(database_url: str) -> None:
    engine = Engine(database_url)
    engine.tell(engine.network.say("maria", "Where is my order?"))
    engine.settle()
    unable = Actions(engine.installation, engine.database)
    with pytest.raises(Unsupported, match="Fake network lets us hide nothing"):
        unable.hide("p1", is_hidden=True, actor="ada")
    with pytest.raises(Unsupported, match="Fake network has no templates"):
        unable.send_template("p1", GO_ON, text="", actor="ada")
    assert engine.rows("SELECT 1 FROM audit") == []
    engine.close()
