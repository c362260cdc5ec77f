"""What agents choose in the ticket's own field: each command does what its label says, in the name of whoever chose it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugin.domain.events import Presser
from plugin.domain.ids import TicketRef
from plugin.domain.model import Visibility
from plugin.handlers.installation import PolicyAtWork
from plugin.policy.policy import Policy
from plugin.policy.sections import People, Safety
from plugin.testing.fake_abilities import AbleNetwork
from plugin.testing.fake_helpdesk import FakeHelpdesk
from plugin.testing.faults import Fault
from plugin.testing.table_judge import TableJudge
from tests.engine import Engine

ADA = Presser(ref="ada", name="Ada Agent", groups=("Agents",))
LEA = Presser(ref="lea", name="Lea Lead", groups=("Agents", "Leads"))


class NamingDesk(FakeHelpdesk):
    """A helpdesk that tells who filled the command slot."""

    def __init__(self) -> None:
        super().__init__()
        self.who: Presser | None = ADA

    def who_pressed(self, ticket_ref: TicketRef, action: str) -> Presser | None:
        return self.who


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    policy = PolicyAtWork(judge=TableJudge(), book=Policy(people=People(supervisors="Leads")))
    engine = Engine(database_url, network=AbleNetwork(), helpdesk=NamingDesk(), policy=policy)
    engine.tell(engine.network.say("maria", "My router is broken"))
    engine.settle()
    engine.helpdesk.fill(engine.helpdesk.tickets[0].ref, action="", reason="", reply_as="public")
    yield engine
    engine.close()


def choose(engine: Engine, action: str, *, by: Presser | None = ADA, reason: str = "") -> None:
    """Somebody fills the slot in the ticket."""
    assert isinstance(engine.helpdesk, NamingDesk)
    engine.helpdesk.who = by
    engine.tell_of_tickets(engine.helpdesk.fill(engine.helpdesk.tickets[0].ref, action=action, reason=reason))
    engine.settle()
    assert engine.helpdesk.tickets[0].fields["action"] == ""


def reply(engine: Engine, words: str, *, agent: str = "Ada Agent") -> None:
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, words, agent=agent))
    engine.settle()


def held(engine: Engine) -> list[str]:
    return [row.reason for row in engine.rows("SELECT reason FROM intent WHERE lane = 'to_social' AND state = 'held' ORDER BY id")]


def refused(engine: Engine) -> list[str]:
    return [note for note in engine.notes() if "was not done" in note]


def test_to_private_asks_the_customer_where_they_wrote(engine: Engine) -> None:
    choose(engine, "to_private")
    (said,) = engine.delivered()
    assert said.startswith("Let us go on in private")
    assert refused(engine) == []
    assert engine.balance().is_ok


def test_to_private_says_why_where_it_cannot_be(database_url: str) -> None:
    engine = Engine(database_url, policy=PolicyAtWork(judge=TableJudge(), book=Policy()))
    engine.tell(engine.network.say("maria", "hello", visibility=Visibility.PRIVATE))
    engine.settle()
    engine.press("to_private")
    engine.settle()
    assert "private already" in refused(engine)[0]
    assert engine.delivered() == []
    engine.close()


def test_a_scam_stops_replies_until_a_supervisor_lifts_the_mark(engine: Engine) -> None:
    choose(engine, "mark_scam")
    assert "say why" in refused(engine)[0]
    choose(engine, "mark_scam", reason="Asks for gift cards")
    assert "cd-scam" in engine.helpdesk.tickets[0].tags
    assert engine.rows("SELECT is_scam FROM conversation")[0].is_scam
    reply(engine, "Here is your refund.")
    assert (engine.delivered(), held(engine)) == ([], ["policy"])
    assert any("marked as a scam" in note and "not_scam" in note for note in engine.notes())
    choose(engine, "not_scam", reason="It is Maria herself")
    assert engine.delivered() == []
    choose(engine, "not_scam", by=LEA, reason="It is Maria herself")
    assert engine.delivered() == ["Here is your refund."]
    assert "cd-scam" not in engine.helpdesk.tickets[0].tags
    assert engine.balance().is_ok


def test_what_failed_is_sent_again_and_told_again_when_it_fails_again(engine: Engine) -> None:
    engine.network.faults.script("deliver", Fault.REFUSE, Fault.REFUSE)
    reply(engine, "Restart it, please.")
    assert engine.delivered() == []
    choose(engine, "retry")
    assert len([note for note in engine.notes() if note.startswith("Not delivered")]) == 2
    choose(engine, "retry")
    assert engine.delivered() == ["Restart it, please."]
    choose(engine, "retry")
    assert "waits for another try" in refused(engine)[0]
    assert engine.balance().is_ok


def test_the_next_reply_waits_for_the_approval_that_was_asked_for(engine: Engine) -> None:
    choose(engine, "request_approval")
    reply(engine, "We pay you 5,000.")
    assert (engine.delivered(), held(engine)) == ([], ["approval"])
    choose(engine, "approve")
    assert engine.delivered() == []
    choose(engine, "approve", by=LEA)
    assert engine.delivered() == ["We pay you 5,000."]
    reply(engine, "You are welcome.")
    assert engine.delivered()[1:] == ["You are welcome."]


def test_approval_may_be_asked_for_in_the_very_save_of_the_reply(engine: Engine) -> None:
    assert isinstance(engine.helpdesk, NamingDesk)
    ticket = engine.helpdesk.tickets[0].ref
    engine.helpdesk.fill(ticket, action="request_approval")
    engine.tell_of_tickets(engine.helpdesk.reply(ticket, "We pay you 5,000."))
    engine.settle()
    assert (engine.delivered(), held(engine)) == ([], ["approval"])
    choose(engine, "reject", by=LEA, reason="Too much")
    assert (engine.delivered(), held(engine)) == ([], [])
    reply(engine, "We pay you 50.")
    assert engine.delivered() == ["We pay you 50."]


def test_what_is_held_already_may_be_given_to_a_second_person(engine: Engine) -> None:
    engine.press("take_lock", who="Bob")
    engine.settle()
    reply(engine, "We pay you 5,000.")
    choose(engine, "request_approval")
    engine.press("release_lock", who="Bob")
    engine.press("take_lock", who="Ada Agent")
    engine.settle()
    assert (engine.delivered(), held(engine)) == ([], ["approval"])


def test_supervisors_are_known_by_the_policys_group_and_nobody_else_is_one(engine: Engine) -> None:
    choose(engine, "handoff")
    choose(engine, "close", reason="I say so")
    assert engine.stage() == "handoff"
    assert "only a supervisor" in refused(engine)[0]
    choose(engine, "close", by=None, reason="I say so")
    assert engine.stage() == "handoff"
    choose(engine, "undo", by=LEA, reason="A mistake")
    assert engine.stage() == "social"
    choose(engine, "handoff")
    choose(engine, "close", by=Presser(ref="sue", name="Sue", is_supervisor=True), reason="Spoke on the phone")
    assert engine.stage() == "resolved"


def test_a_lock_that_is_taken_over_in_the_ticket_is_the_choosers(engine: Engine) -> None:
    engine.press("take_lock", who="Bob")
    engine.settle()
    choose(engine, "take_over", reason="Bob is away")
    assert engine.rows("SELECT agent_lock->'holder'->>'ref' AS ref FROM conversation")[0].ref == "ada"


def test_reply_as_private_never_leaves_in_public_and_counts_once(engine: Engine) -> None:
    ticket = engine.helpdesk.tickets[0].ref
    engine.helpdesk.fill(ticket, reply_as="private")
    reply(engine, "Your password is blue.")
    assert engine.delivered() == []
    assert any("private message" in note and "to_private" in note for note in engine.notes())
    assert engine.helpdesk.tickets[0].articles[1].internal
    assert engine.helpdesk.tickets[0].fields["reply_as"] == "public"
    reply(engine, "Restart it, please.")
    assert engine.delivered() == ["Restart it, please."]
    assert engine.balance().is_ok


@pytest.mark.parametrize("is_on", [True, False])
def test_equal_words_in_several_tickets_at_once_are_held(database_url: str, is_on: bool) -> None:
    book = Policy() if is_on else Policy(safety=Safety(equal_replies_within=Safety().equal_replies_within * 0))
    engine = Engine(database_url, policy=PolicyAtWork(judge=TableJudge(), book=book))
    for name in ("maria", "otto", "greta"):
        engine.tell(engine.network.say(name, "My router is broken"))
    engine.settle()
    touched = [engine.helpdesk.reply(ticket.ref, "We are moving house.") for ticket in engine.helpdesk.tickets]
    engine.tell_of_tickets(*touched)
    engine.settle()
    if is_on:
        assert len(engine.delivered()) < 2
        assert set(held(engine)) == {"preflight"}
        assert any("bulk bar" in note for number in range(3) for note in engine.notes(number))
    else:
        assert len(engine.delivered()) == 3
    assert engine.balance().is_ok
    engine.close()


def test_the_same_words_alone_stand_in_for_those_of_the_bulk_edit(database_url: str) -> None:
    engine = Engine(database_url, policy=PolicyAtWork(judge=TableJudge(), book=Policy()))
    for name in ("maria", "otto", "greta"):
        engine.tell(engine.network.say(name, "My router is broken"))
    engine.settle()
    engine.tell_of_tickets(*[engine.helpdesk.reply(ticket.ref, "We are moving house.") for ticket in engine.helpdesk.tickets])
    engine.settle()
    before = len(engine.delivered())
    for _ in range(20):
        engine.helpdesk.note(engine.helpdesk.tickets[2].ref, "time passes")
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[2].ref, "We are moving house."))
    engine.settle()
    assert len(engine.delivered()) == before + 1
    assert engine.balance().is_ok
    engine.close()
