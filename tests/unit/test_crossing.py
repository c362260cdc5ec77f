"""The crossover in the engine: what the customer is told, what is held, how the ticket moves, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from plugin.contracts.capabilities import Level
from plugin.domain.events import ActionTaken, ReactionChanged, TimerElapsed
from plugin.domain.model import Visibility
from plugin.handlers import pressing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.pressing import Press
from plugin.policy.contract import Contract
from plugin.policy.verdicts import Crossover, Filtered, Move, Participation, Routing
from plugin.testing.fake_platform import CAPABILITIES, FakePlatform
from plugin.testing.faults import Fault
from plugin.testing.table_judge import TableJudge
from tests.engine import Engine

INVOICE = Crossover(rule="invoices", reason="It is about an invoice.", group="Formal", priority="2 normal", sla="formal")


def judge() -> TableJudge:
    """Crosses over for an invoice, and when an agent has said enough."""
    return TableJudge(
        crossovers=[
            (lambda facts: "invoice" in facts.message.text.casefold(), INVOICE),
            (lambda facts: "rechnung" in facts.message.text.casefold(), INVOICE),
            (lambda facts: facts.conversation.agent_replies > 2, Crossover(rule="three replies", reason="It takes long.")),
        ]
    )


def started(database_url: str, *, contract: Contract | None = None, table: TableJudge | None = None, **others: Any) -> Engine:
    """An engine with a policy."""
    return Engine(database_url, policy=PolicyAtWork(judge=table or judge(), contract=contract or Contract()), **others)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = started(database_url)
    yield engine
    engine.close()


def crossed(engine: Engine, words: str = "My invoice is wrong", **how: Any) -> None:
    """A customer says what the policy fires on."""
    engine.tell(engine.network.say("maria", words, **how))
    engine.settle()


def reply(engine: Engine, words: str) -> None:
    """An agent answers."""
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, words))
    engine.settle()


def confirming(engine: Engine) -> None:
    """The agent asks the customer whether it is solved."""
    crossed(engine)
    engine.press("confirm")
    engine.press("confirm")
    engine.settle()
    assert engine.stage() == "confirming"


def test_a_rule_that_fires_moves_the_ticket_tells_the_customer_once_and_the_agent_why(engine: Engine) -> None:
    crossed(engine)
    ticket = engine.helpdesk.tickets[0]
    assert (engine.stage(), ticket.group, ticket.priority, ticket.stage) == ("handoff", "Formal", "2 normal", "handoff")
    assert ticket.fields["sla"] == "formal"
    assert "due_at" in ticket.fields
    (told,) = engine.delivered()
    assert ticket.number in told
    assert "private message" in told
    assert any("Rule: invoices. Reason: It is about an invoice." in note for note in engine.notes())
    assert any(told in note for note in engine.notes())
    assert engine.decided() == ["invoices"]
    assert engine.balance().is_ok


def test_the_customer_is_told_in_their_own_language(engine: Engine) -> None:
    crossed(engine, "Meine Rechnung ist falsch und ich warte")
    assert "haben wir dafür das Ticket" in engine.delivered()[0]


def test_a_notice_that_is_too_long_for_the_platform_is_said_in_short(database_url: str) -> None:
    limits = replace(CAPABILITIES.limits, text_length=160)
    engine = started(database_url, network=FakePlatform(capabilities=replace(CAPABILITIES, limits=limits)))
    crossed(engine)
    (told,) = engine.delivered()
    assert told.startswith("This is now ticket")
    engine.close()


def test_a_conversation_crosses_over_once_whatever_fires_later(engine: Engine) -> None:
    crossed(engine)
    crossed(engine, "The invoice is still wrong")
    crossed(engine, "Invoice!!!")
    assert len(engine.delivered()) == 1
    assert engine.decided() == ["invoices"]


def test_two_rules_that_fire_at_once_are_one_handoff_by_the_first(database_url: str) -> None:
    second = Crossover(rule="second", reason="")
    table = TableJudge(crossovers=[(lambda _: True, INVOICE), (lambda _: True, second)])
    engine = started(database_url, table=table)
    engine.tell(engine.network.say("maria", "one"), engine.network.say("maria", "two"), engine.network.say("maria", "three"))
    engine.settle()
    assert engine.decided() == ["invoices"]
    assert len(engine.delivered()) == 1
    engine.close()


def test_after_the_handoff_no_public_reply_leaves_and_the_agent_reads_what_to_press(engine: Engine) -> None:
    crossed(engine)
    reply(engine, "Just send me your card number")
    assert len(engine.delivered()) == 1
    assert any("press `release`" in note for note in engine.notes())
    assert engine.balance().reasons["held"] == {"handoff": 1}
    assert engine.balance().is_ok


def test_a_reply_too_many_is_the_one_that_is_held(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    for number in range(3):
        reply(engine, f"reply {number}")
    assert engine.delivered()[:2] == ["reply 0", "reply 1"]
    assert "ticket" in engine.delivered()[2]
    assert len(engine.delivered()) == 3
    assert engine.stage() == "handoff"


def test_a_supervisor_lets_a_held_reply_go_with_a_reason_and_nobody_else_does(engine: Engine) -> None:
    crossed(engine)
    reply(engine, "The office is open until six.")
    engine.press("release", reason="I want to")
    engine.press("release", role="supervisor")
    engine.settle()
    assert len(engine.delivered()) == 1
    assert sum("was not done" in note for note in engine.notes()) == 2
    engine.press("release", role="supervisor", who="Sue", reason="This is harmless.")
    engine.settle()
    assert engine.delivered()[1] == "The office is open until six."
    assert engine.stage() == "handoff"


def test_a_supervisor_takes_the_handoff_back_and_the_rule_does_not_fire_again(engine: Engine) -> None:
    crossed(engine)
    reply(engine, "It was a typo.")
    engine.press("undo", role="supervisor", reason="A quick question after all.")
    engine.settle()
    crossed(engine, "Thanks, and the next invoice?")
    assert engine.stage() == "social"
    assert engine.delivered()[1:] == ["It was a typo."]
    assert engine.helpdesk.tickets[0].stage == "social"


def test_a_handoff_that_is_only_suggested_waits_for_the_agent(database_url: str) -> None:
    engine = started(database_url, table=TableJudge(crossovers=[(lambda _: True, replace(INVOICE, move=Move.OFFER))]))
    crossed(engine, "one")
    crossed(engine, "two")
    assert (engine.stage(), engine.delivered(), engine.decided()) == ("social", [], ["invoices"])
    assert "Press `handoff`" in engine.notes()[0]
    engine.press("handoff")
    engine.settle()
    assert engine.stage() == "handoff"
    assert engine.rows("SELECT rule FROM decision WHERE kind = 'action'") == [("invoices",)]
    engine.close()


def test_a_handoff_is_put_off_with_a_reason_and_asked_again_when_that_is_over(database_url: str) -> None:
    engine = started(database_url, table=TableJudge(crossovers=[(lambda facts: facts.conversation.customer_messages > 1, INVOICE)]))
    crossed(engine, "hello")
    engine.press("postpone")
    engine.press("postpone", reason="I am on the phone with her.", minutes="30")
    engine.settle()
    crossed(engine, "hello?")
    assert engine.stage() == "social"
    engine.wait_for("postponed")
    engine.settle()
    assert engine.stage() == "handoff"
    engine.close()


def test_a_press_that_is_told_twice_is_one_press(engine: Engine) -> None:
    crossed(engine, "hello")
    assert pressing.press(engine.database, 1, Press(action="handoff", actor="Ada", key="k")) is not None
    assert pressing.press(engine.database, 1, Press(action="handoff", actor="Ada", key="k")) is None
    engine.settle()
    assert engine.decided() == ["agent's request"]
    assert engine.rows("SELECT count(*) FROM audit")[0][0] == 1


def test_a_timer_about_time_open_asks_the_policy_again(database_url: str) -> None:
    table = TableJudge(crossovers=[(lambda facts: facts.trigger == "timer", Crossover(rule="too old", reason="Open too long."))])
    engine = started(database_url, table=table)
    crossed(engine, "hello")
    engine.wait_for("review")
    engine.settle()
    assert engine.decided() == ["too old"]
    engine.close()


def test_required_fields_make_the_ticket_formal_when_all_are_filled(database_url: str) -> None:
    engine = started(database_url, contract=Contract(required_fields=("order", "asset")))
    crossed(engine)
    ticket = engine.helpdesk.tickets[0].ref
    engine.tell_of_tickets(engine.helpdesk.fill(ticket, order="4711"))
    engine.settle()
    assert engine.stage() == "handoff"
    engine.tell_of_tickets(engine.helpdesk.fill(ticket, asset="PC-1"))
    engine.settle()
    assert (engine.stage(), engine.helpdesk.tickets[0].stage) == ("formal", "formal")
    engine.close()


def test_a_command_in_the_tickets_own_field_is_one_press_and_the_field_is_emptied(engine: Engine) -> None:
    crossed(engine, "hello")
    ticket = engine.helpdesk.tickets[0].ref
    engine.tell_of_tickets(engine.helpdesk.fill(ticket, action="handoff", reason="She asks for money."))
    engine.tell_of_tickets(engine.helpdesk.note(ticket, "look again"))
    engine.settle()
    assert engine.helpdesk.tickets[0].fields["action"] == ""
    assert engine.decided() == ["agent's request"]
    engine.tell_of_tickets(engine.helpdesk.fill(ticket, action="confirm"))
    engine.settle()
    assert engine.stage() == "formal"


def test_private_messages_of_the_same_contact_go_on_in_the_same_ticket_and_back(engine: Engine) -> None:
    crossed(engine)
    engine.tell(engine.network.say("maria", "It is me, number 4711", visibility=Visibility.PRIVATE))
    engine.settle()
    assert len(engine.helpdesk.tickets) == 1
    assert "It is me, number 4711" in engine.articles()
    reply(engine, "Thank you, refunded.")
    assert engine.network.delivered[-1].visibility is Visibility.PRIVATE
    assert engine.delivered()[-1] == "Thank you, refunded."
    assert engine.stage(2) == "handoff"


def test_public_posts_after_the_handoff_are_filed_and_pointed_to_the_ticket_once_in_a_period(engine: Engine) -> None:
    crossed(engine)
    for number in range(3):
        crossed(engine, f"anybody there {number}?")
    assert len(engine.delivered()) == 1
    engine.rows('UPDATE conversation SET crossover = crossover || \'{"pointed_at": "2026-01-01T00:00:00+00:00"}\' RETURNING 1')
    for number in range(3):
        crossed(engine, f"still nobody {number}?")
    assert "This belongs to ticket" in engine.delivered()[1]
    assert len(engine.delivered()) == 2
    assert sum("nobody" in words or "anybody" in words for words in engine.articles()) == 6


def test_a_customer_who_asks_for_the_status_is_told_at_once(engine: Engine) -> None:
    crossed(engine, visibility=Visibility.PRIVATE)
    crossed(engine, "Status?", visibility=Visibility.PRIVATE)
    crossed(engine, "status", visibility=Visibility.PRIVATE)
    assert "we are working on it" in engine.delivered()[1]
    assert len(engine.delivered()) == 2


def test_yes_closes_the_ticket_thanks_and_asks_for_a_score(engine: Engine) -> None:
    confirming(engine)
    assert "Please answer yes or no" in engine.delivered()[-1]
    crossed(engine, "@company Yes, thanks!")
    assert (engine.stage(), engine.helpdesk.tickets[0].is_closed) == ("resolved", True)
    assert "from 1 (badly) to 5" in engine.delivered()[-1]
    crossed(engine, "5")
    assert (engine.stage(), engine.helpdesk.tickets[0].is_closed) == ("resolved", True)
    assert engine.decided()[-2:] == ["confirmed", "score"]


def test_no_opens_it_again_at_the_old_place_in_the_queue(engine: Engine) -> None:
    crossed(engine)
    asked_at = engine.rows("SELECT unanswered_since FROM conversation")[0][0]
    reply(engine, "I have answered in the ticket.")
    engine.press("confirm")
    engine.press("confirm")
    engine.settle()
    crossed(engine, "no, it still does not work")
    assert engine.stage() == "formal"
    assert engine.rows("SELECT unanswered_since, times_reopened FROM conversation") == [(asked_at, 1)]
    assert not engine.helpdesk.tickets[0].is_closed
    assert "its old place in the queue" in engine.delivered()[-1]


def test_silence_closes_it_as_unconfirmed(engine: Engine) -> None:
    confirming(engine)
    engine.wait_for("silence")
    engine.settle()
    ticket = engine.helpdesk.tickets[0]
    assert (engine.stage(), ticket.is_closed, engine.decided()[-1]) == ("resolved", True, "unconfirmed")
    assert "cd-unconfirmed-close" in ticket.tags


def test_a_timer_that_was_replaced_does_nothing(engine: Engine) -> None:
    confirming(engine)
    crossed(engine, "well, the other thing is broken as well and I need help with that too")
    assert engine.stage() == "formal"
    engine.wait_for("silence")
    engine.settle()
    assert engine.stage() == "formal"
    assert engine.balance().reasons["ignored"]["replaced"] >= 1


def test_a_reaction_to_the_question_is_an_answer(engine: Engine) -> None:
    confirming(engine)
    network = engine.network
    network.capabilities = replace(network.capabilities, events=network.capabilities.events | {ReactionChanged})
    question = network.delivered[-1]
    maria = network.posts[0].author
    thumbs = ReactionChanged(
        event_key="r1", occurred_at=None, message_ref=question.ref, author=maria, emoji="👍🏽", added=True, thread_key=question.thread_key
    )
    engine.tell(thumbs)
    engine.settle()
    assert engine.decided()[-1] == "confirmed"


def test_questions_in_private_offer_their_answers_to_press_and_a_press_is_an_answer(engine: Engine) -> None:
    in_private = {"visibility": Visibility.PRIVATE}
    crossed(engine, "My invoice is wrong", **in_private)
    engine.press("confirm")
    engine.press("confirm")
    engine.settle()
    asked = engine.network.delivered[-1]
    assert asked.choices == ("Yes", "No")
    crossed(engine, asked.choices[0], **in_private)
    assert engine.stage() == "resolved"
    scored = engine.network.delivered[-1]
    assert scored.choices == ("1", "2", "3", "4", "5")
    crossed(engine, scored.choices[4], **in_private)
    assert engine.decided()[-2:] == ["confirmed", "score"]
    others = [post for post in engine.network.delivered if post not in (asked, scored)]
    assert others
    assert not any(post.choices for post in others)


def test_questions_in_the_customers_language_offer_answers_in_it(engine: Engine) -> None:
    crossed(engine, "Meine Rechnung ist falsch, bitte hilf mir", visibility=Visibility.PRIVATE)
    engine.press("confirm")
    engine.press("confirm")
    engine.settle()
    assert engine.network.delivered[-1].choices == ("Ja", "Nein")
    crossed(engine, "Nein", visibility=Visibility.PRIVATE)
    assert engine.stage() == "formal"


def test_nothing_is_offered_to_press_in_public_or_beyond_what_the_platform_declares(engine: Engine) -> None:
    confirming(engine)
    assert engine.network.delivered[-1].choices == ()
    narrow = replace(CAPABILITIES, limits=replace(CAPABILITIES.limits, choices_per_message=3))
    yes_no, scores = ("Yes", "No"), ("1", "2", "3", "4", "5")
    assert (narrow.offered(yes_no, Visibility.PRIVATE), narrow.offered(scores, Visibility.PRIVATE)) == (yes_no, ())
    assert narrow.offered(("x" * 21,), Visibility.PRIVATE) == narrow.offered(yes_no, Visibility.PUBLIC) == ()
    assert replace(CAPABILITIES, choices=Level.REJECTED).offered(yes_no, Visibility.PRIVATE) == ()


def test_a_bad_score_opens_follow_up_work(engine: Engine) -> None:
    confirming(engine)
    crossed(engine, "yes")
    crossed(engine, "1")
    ticket = engine.helpdesk.tickets[0]
    assert (engine.stage(), ticket.is_closed, "cd-bad-score" in ticket.tags) == ("formal", False, True)


def test_closing_without_the_customer_is_taken_back_with_a_note_on_what_to_press(engine: Engine) -> None:
    crossed(engine)
    ticket = engine.helpdesk.tickets[0]
    engine.tell_of_tickets(engine.helpdesk.set_state(ticket.ref, "closed"))
    engine.settle()
    assert not engine.helpdesk.tickets[0].is_closed
    assert any("Press `confirm` to ask the customer" in note for note in engine.notes())
    engine.tell_of_tickets(engine.helpdesk.set_state(ticket.ref, "closed"))
    engine.settle()
    assert not engine.helpdesk.tickets[0].is_closed


def test_a_helpdesk_that_closes_again_and_again_by_itself_is_told_to_the_admin_and_not_fought_for_ever(engine: Engine) -> None:
    crossed(engine)
    ticket = engine.helpdesk.tickets[0]
    for _ in range(7):
        engine.tell_of_tickets(engine.helpdesk.set_state(ticket.ref, "closed"))
        engine.settle()
    assert engine.helpdesk.tickets[0].is_closed
    assert engine.rows("SELECT code FROM alert") == [("reclosing:1",)]


def test_a_supervisor_closes_with_a_recorded_reason(engine: Engine) -> None:
    crossed(engine)
    reply(engine, "never mind")
    engine.press("close", reason="done")
    engine.settle()
    assert engine.stage() == "handoff"
    engine.press("close", role="supervisor", who="Sue", reason="She called and withdrew it.")
    engine.settle()
    assert (engine.stage(), engine.helpdesk.tickets[0].is_closed) == ("resolved", True)
    assert engine.rows("SELECT reason FROM decision ORDER BY id DESC LIMIT 1")[0][0] == "Sue: She called and withdrew it."
    assert any("not sent: the matter is closed" in note for note in engine.notes())
    assert engine.balance().is_ok
    assert len(engine.delivered()) == 1


def test_a_quick_question_may_end_with_a_light_question(database_url: str) -> None:
    engine = started(database_url, contract=Contract(confirms_quick=True, asks_score=False))
    crossed(engine, "When are you open?")
    reply(engine, "Until six.")
    engine.tell_of_tickets(engine.helpdesk.set_state(engine.helpdesk.tickets[0].ref, "closed"))
    engine.settle()
    assert "Did this solve it?" in engine.delivered()[-1]
    crossed(engine, "Yes")
    assert (engine.stage(), engine.helpdesk.tickets[0].is_closed, engine.decided()[-1]) == ("resolved", True, "confirmed")
    engine.close()


def test_a_bad_score_for_a_quick_question_opens_it_as_what_it_was(database_url: str) -> None:
    engine = started(database_url, contract=Contract(confirms_quick=True))
    crossed(engine, "When are you open?")
    reply(engine, "Until six.")
    engine.tell_of_tickets(engine.helpdesk.set_state(engine.helpdesk.tickets[0].ref, "closed"))
    engine.settle()
    crossed(engine, "Yes")
    crossed(engine, "1")
    ticket = engine.helpdesk.tickets[0]
    assert (engine.stage(), ticket.is_closed, "cd-bad-score" in ticket.tags) == ("social", False, True)
    reply(engine, "And on Saturdays until noon.")
    assert "And on Saturdays until noon." in engine.delivered()[-1]
    engine.close()


def test_who_writes_again_after_the_end_is_not_forgotten(engine: Engine) -> None:
    confirming(engine)
    crossed(engine, "yes")
    crossed(engine, "Thank you very much")
    assert engine.helpdesk.tickets[0].is_closed
    crossed(engine, "Now the same thing happened again with the other order")
    assert (engine.stage(), engine.helpdesk.tickets[0].is_closed) == ("formal", False)


def test_the_formal_ticket_may_be_a_linked_one(database_url: str) -> None:
    engine = started(database_url, contract=Contract(is_linked=True))
    crossed(engine)
    crossed(engine, "one more thing")
    first, second = engine.helpdesk.tickets
    assert (first.is_closed, second.new.follows, second.group, second.is_closed) == (True, first.ref, "Formal", False)
    assert "one more thing" in engine.articles(1)
    assert second.number in engine.delivered()[0]
    engine.tell_of_tickets(engine.helpdesk.reply(first.ref, "in the old ticket"))
    engine.settle()
    assert len(engine.delivered()) == 1
    engine.close()


def test_noise_becomes_no_ticket_stays_in_the_ledger_and_can_be_promoted(database_url: str) -> None:
    noise = Filtered(rule="adverts", reason="An advert.")
    engine = started(database_url, table=TableJudge(filters=[(lambda facts: "win" in facts.message.text, noise)]))
    crossed(engine, "win a car")
    assert engine.helpdesk.tickets == ()
    assert engine.balance().reasons["ignored"] == {"filtered:adverts": 1}
    assert pressing.promote(engine.database, 1, actor="admin")
    engine.settle()
    assert engine.articles() == ["win a car"]
    assert not pressing.promote(engine.database, 1, actor="admin")
    engine.close()


def test_a_ticket_is_routed_by_the_rules_that_have_a_say(database_url: str) -> None:
    routing = Routing(
        rules=("vip",),
        group="VIP",
        owner="Ada",
        priority="3 high",
        tags=("vip",),
        fields=(("team", "a"),),
        participation=Participation.MONITOR,
    )
    engine = started(database_url, table=TableJudge(routings=[(lambda _: True, routing)]))
    crossed(engine, "hello")
    ticket = engine.helpdesk.tickets[0]
    assert (ticket.group, ticket.owner, ticket.priority, ticket.tags, ticket.fields) == ("VIP", "Ada", "3 high", {"vip"}, {"team": "a"})
    reply(engine, "We should only listen.")
    assert engine.delivered() == []
    assert any("only listen" in note for note in engine.notes())
    engine.close()


def test_a_ticket_goes_to_who_can_do_it_and_has_the_fewest_open_ones(database_url: str) -> None:
    routing = Routing(rules=("billing",), owners=("ada", "ben"), capacity=2)
    engine = started(database_url, table=TableJudge(routings=[(lambda _: True, routing)]))
    for name in ("maria", "oscar", "tom", "lena", "jens"):
        engine.tell(engine.network.say(name, "My invoice is wrong"))
        engine.settle()
    assert [ticket.owner for ticket in engine.helpdesk.tickets] == ["ada", "ben", "ada", "ben", ""]
    (reason,) = engine.rows("SELECT reason FROM decision WHERE kind = 'route' ORDER BY id DESC LIMIT 1")[0]
    assert reason == "billing; none of ada, ben has room for more than 2, so nobody owns it yet"
    engine.rows("UPDATE conversation SET ticket_closed = true WHERE id = 2 RETURNING id")
    engine.tell(engine.network.say("kim", "My invoice is wrong"))
    engine.settle()
    assert engine.helpdesk.tickets[-1].owner == "ben"
    engine.close()


def test_a_broken_rule_lets_the_message_through_holds_the_public_side_and_is_told(database_url: str) -> None:
    table = TableJudge(crossovers=[(lambda facts: facts.conversation.window_minutes_left < 5, INVOICE)])  # type: ignore[operator]
    engine = started(database_url, table=table)
    crossed(engine, "hello")
    reply(engine, "Hello Maria")
    assert engine.articles()[0] == "hello"
    assert engine.delivered() == []
    assert engine.balance().reasons["held"] == {"policy": 1}
    assert [row.code for row in engine.rows("SELECT code FROM alert")] == ["policy:rule 1:1"]
    assert engine.rows("SELECT state FROM decision WHERE kind = 'broken'") == [("quarantined",)]
    table.crossovers.clear()
    engine.press("release", role="supervisor", reason="The rule is repaired.")
    engine.settle()
    assert engine.delivered() == ["Hello Maria"]
    assert engine.rows("SELECT state FROM decision WHERE kind = 'broken'") == [("done",)]
    engine.close()


def test_nobody_outside_can_press_or_let_time_pass(engine: Engine) -> None:
    network = engine.network
    network.capabilities = replace(network.capabilities, events=network.capabilities.events | {ActionTaken, TimerElapsed})
    crossed(engine, "hello")
    forged = ActionTaken(event_key="crossdesk:action:1:x", occurred_at=None, action="close", actor="Eve", role="supervisor", reason="ha")
    engine.tell(forged)  # type: ignore[arg-type]
    engine.settle()
    assert engine.rows("SELECT state FROM receipt ORDER BY id DESC LIMIT 1") == [("quarantined",)]
    assert engine.rows("SELECT 1 FROM inbound_event WHERE kind = 'ActionTaken'") == []
    network._feed.append(forged)  # type: ignore[arg-type]
    engine.poller.poll_due()
    assert engine.rows("SELECT 1 FROM inbound_event WHERE kind = 'ActionTaken'") == []


def test_a_promise_that_is_not_kept_is_marked(engine: Engine) -> None:
    crossed(engine)
    engine.wait_for("promise")
    engine.settle()
    assert "cd-overdue" in engine.helpdesk.tickets[0].tags


def test_facts_count_what_there_is(database_url: str) -> None:
    table = TableJudge()
    engine = started(database_url, table=table, contract=Contract())
    engine.tell(engine.network.say("maria", "hello", thread="t"))
    engine.settle()
    engine.tell(engine.network.say("oscar", "me too", thread="t"))
    engine.settle()
    reply(engine, "Hi https://example.org")
    facts = table.asked[-1]
    assert (facts.trigger, facts.agent.name, facts.message.links) == ("reply", "Ada Agent", ("https://example.org",))
    went = facts.conversation
    assert (went.customer_messages, went.bystander_messages, went.agent_replies, went.minutes_unanswered) == (1, 1, 1, None)
    assert (facts.counts.contact_hour, facts.counts.channel_hour, facts.counts.channel_usual) == (1, 2, None)
    engine.close()


def test_a_notice_whose_answer_is_lost_is_looked_for_and_said_once(engine: Engine) -> None:
    engine.network.faults.script("deliver", Fault.LOSE_ANSWER)
    crossed(engine)
    assert len(engine.delivered()) == 1
    assert engine.rows("SELECT call, state FROM intent WHERE op = 'say:handoff'") == [("say", "sent")]
    assert engine.balance().is_ok


def test_a_change_whose_answer_is_lost_is_made_again_and_one_that_is_refused_is_told(engine: Engine) -> None:
    engine.helpdesk.faults.script("update_ticket", Fault.LOSE_ANSWER)
    crossed(engine)
    assert engine.helpdesk.tickets[0].group == "Formal"
    engine.helpdesk.faults.script("update_ticket", Fault.REFUSE)
    engine.press("confirm")
    engine.settle()
    assert any("could not be changed" in note for note in engine.notes())
    assert engine.rows("SELECT op FROM intent WHERE state = 'quarantined'") == [("change:stage",)]
    assert engine.balance().is_ok


def test_the_echo_of_a_notice_is_recognised_and_files_nothing(engine: Engine) -> None:
    crossed(engine)
    before = len(engine.articles())
    engine.poller.poll_due()
    engine.settle()
    assert len(engine.articles()) == before


def test_many_customers_and_many_workers_cross_over_once_each(engine: Engine) -> None:
    with engine.crowd(4):
        for number in range(4):
            engine.tell(*(engine.network.say(f"contact{person}", f"invoice {number}") for person in range(12)))
        engine.settle(seconds=60)
    assert engine.decided().count("invoices") == 12
    assert len(engine.delivered()) == 12
    for ticket in engine.helpdesk.tickets:
        assert [article.text.plain for article in ticket.articles if not article.internal] == [f"invoice {number}" for number in range(4)]
    assert engine.balance().is_ok


def test_every_held_reply_is_told_to_its_author_at_once_and_all_are_released_in_order(engine: Engine) -> None:
    crossed(engine)
    reply(engine, "first")
    reply(engine, "second")
    assert sum("press `release`" in note for note in engine.notes()) == 2
    assert engine.balance().reasons["held"] == {"handoff": 2}
    engine.press("release", role="supervisor", reason="Harmless, both.")
    engine.settle()
    assert engine.delivered()[1:] == ["first", "second"]
