"""What the engine does on good days: messages in, tickets out, replies back, each once and in order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.rulers import CODE_POINTS
from plugin.domain.events import DeliveryStatus, DeliveryUpdated, MessageDeleted, ReactionChanged
from plugin.domain.ids import MessageRef
from plugin.domain.model import File, Visibility
from plugin.handlers.turn import Turns
from plugin.store import conversations, events
from plugin.testing.fake_platform import CAPABILITIES, FakePlatform
from plugin.testing.faults import Fault
from tests.engine import Engine, quick

PICTURE = File(filename="receipt.png", content_type="image/png", content=b"\x89PNG picture")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = Engine(database_url)
    yield engine
    engine.close()


def test_a_first_message_opens_a_ticket_with_who_where_and_what(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "Where is my order?"))
    engine.settle()
    (ticket,) = engine.helpdesk.tickets
    assert (ticket.title, ticket.group, engine.articles()) == ("Where is my order?", "Social", ["Where is my order?"])
    assert ticket.new.contact.handle == "maria"
    assert engine.balance().is_ok


def test_what_a_contact_says_later_goes_into_the_same_ticket_in_order(engine: Engine) -> None:
    for number in range(30):
        engine.tell(engine.network.say("maria", f"message {number:02}"))
    engine.settle()
    assert [len(engine.helpdesk.tickets), engine.articles()] == [1, [f"message {number:02}" for number in range(30)]]


def test_an_agents_reply_is_said_under_the_customers_message(engine: Engine) -> None:
    question = engine.network.say("maria", "Where is my order?")
    engine.tell(question)
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "On its way."))
    engine.settle()
    (reply,) = engine.network.delivered
    assert (reply.text.plain, reply.parent_ref) == ("On its way.", question.message_ref)


def test_a_note_never_leaves(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "Where is my order?"))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.note(engine.helpdesk.tickets[0].ref, "She is always like that."))
    engine.settle()
    assert engine.delivered() == []
    assert engine.balance().reasons["ignored"]["note"] == 1


def test_a_note_that_is_made_public_later_leaves_then(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "Where is my order?"))
    engine.settle()
    ticket = engine.helpdesk.tickets[0]
    engine.tell_of_tickets(engine.helpdesk.note(ticket.ref, "On its way."))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.publish(ticket.ref, ticket.articles[-1].ref))
    engine.settle()
    assert engine.delivered() == ["On its way."]


def test_the_echo_of_our_own_reply_is_recognised(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "Where is my order?"))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "On its way."))
    engine.settle()
    engine.poller.poll_due()
    engine.settle()
    assert engine.articles() == ["Where is my order?", "On its way."]
    assert engine.delivered() == ["On its way."]


def test_what_our_staff_says_natively_is_filed_and_never_sent_again(engine: Engine) -> None:
    question = engine.network.say("maria", "Where is my order?")
    engine.tell(question)
    engine.settle()
    engine.tell(engine.network.say_natively("It left today!", thread=question.thread_key))
    engine.settle()
    engine.poller.poll_due()
    engine.settle()
    assert "It left today!" in engine.articles()[1]
    assert engine.delivered() == []


def test_a_post_of_our_own_that_answers_nobody_opens_no_ticket(engine: Engine) -> None:
    engine.tell(engine.network.say_natively("Big sale tomorrow!", thread="a new thread"))
    engine.settle()
    assert engine.helpdesk.tickets == ()
    assert engine.balance().reasons["ignored"] == {"own_post": 1}


def test_an_edit_stands_below_the_message_as_a_revision(engine: Engine) -> None:
    question = engine.network.say("maria", "My number is 12345")
    engine.tell(question)
    engine.tell(engine.network.change(question.message_ref, "My number is secret"))
    engine.settle()
    first, second = engine.articles()
    assert first == "My number is 12345"
    assert "edited" in second
    assert "My number is secret" in second


def test_a_deletion_stands_in_the_ticket_as_a_tombstone(engine: Engine) -> None:
    question = engine.network.say("maria", "My number is 12345")
    engine.tell(question)
    engine.settle()
    engine.tell(engine.network.take_back(question.message_ref))
    engine.settle()
    assert "deleted" in engine.notes()[0]


def test_an_edit_that_overtakes_its_message_waits_for_it(engine: Engine) -> None:
    question = engine.network.say("maria", "first words")
    edit = engine.network.change(question.message_ref, "better words")
    engine.tell(edit)
    engine.work()
    engine.tell(question)
    engine.settle()
    assert engine.articles()[0] == "first words"
    assert "better words" in engine.articles()[1]


def test_a_deletion_of_what_never_came_is_ignored_by_name_in_the_end(database_url: str) -> None:
    engine = Engine(database_url, config=quick(parent_wait_seconds=0.0))
    question = engine.network.say("maria", "never delivered")
    engine.tell(engine.network.take_back(question.message_ref))
    engine.work()
    with engine.database.begin() as connection:
        events.give_up_strays(connection)
    assert engine.balance().reasons["ignored"] == {"unknown_target": 1}
    engine.close()


def test_an_answer_to_a_message_that_never_comes_is_filed_with_a_remark(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "I agree with that!", parent=MessageRef("a stranger's post")))
    engine.settle()
    assert engine.articles() == ["I agree with that!\n[This answers a message that is not in this ticket.]"]


def test_a_bystander_is_labelled(engine: Engine) -> None:
    question = engine.network.say("maria", "Where is my order?", thread="t")
    engine.tell(question, engine.network.say("oscar", "Call +1 555 to get your money back", thread="t", parent=question.message_ref))
    engine.settle()
    assert "Oscar (@oscar) is not the customer" in engine.articles()[1]


def test_a_customers_file_stands_in_the_ticket_with_the_words(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "Here it is", files=(PICTURE,)))
    engine.settle()
    (article,) = engine.helpdesk.tickets[0].articles
    assert [(file.filename, file.content) for file in article.files] == [("receipt.png", PICTURE.content)]
    assert engine.rows("SELECT 1 FROM media WHERE content IS NOT NULL") == []


def test_a_file_that_cannot_be_had_is_named_in_the_ticket_and_the_words_are_kept(engine: Engine) -> None:
    engine.network.faults.script("fetch_media", Fault.REFUSE)
    engine.tell(engine.network.say("maria", "Here it is", files=(PICTURE,)))
    engine.settle()
    (article,) = engine.helpdesk.tickets[0].articles
    assert article.text.plain.startswith("Here it is\n[receipt.png: This file is not here:")


def test_an_agents_file_reaches_the_customer(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "Send me the form"))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Here", files=(PICTURE,)))
    engine.settle()
    (reply,) = engine.network.delivered
    assert [file.content for file in reply.files] == [PICTURE.content]


def _small(**changes: object) -> FakePlatform:
    limits = Limits(text_length=20, ruler=CODE_POINTS, max_lifetime=0.1)
    return FakePlatform(capabilities=replace(CAPABILITIES, limits=limits, **changes))  # type: ignore[arg-type]


def test_a_long_reply_is_split_by_the_platforms_ruler_each_part_under_the_one_before(database_url: str) -> None:
    engine = Engine(database_url, network=_small())
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "One two three. Four five six. Seven eight nine."))
    engine.settle()
    parts = engine.network.delivered
    assert [part.text.plain for part in parts] == ["One two three.", "Four five six.", "Seven eight nine."]
    assert [part.parent_ref for part in parts[1:]] == [part.ref for part in parts[:-1]]
    engine.close()


def test_a_file_that_the_platform_does_not_take_is_said_in_a_note(database_url: str) -> None:
    engine = Engine(database_url, network=_small())
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Here", files=(PICTURE,)))
    engine.settle()
    assert engine.delivered() == ["Here"]
    assert "'receipt.png' was not sent" in engine.notes()[0]
    engine.close()


def test_when_a_part_is_refused_the_rest_of_the_reply_is_not_sent(database_url: str) -> None:
    engine = Engine(database_url, network=_small())
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    engine.network.faults.script("deliver", None, Fault.REFUSE)
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "One two three. Four five six. Seven eight nine."))
    engine.settle()
    assert len(engine.delivered()) == 1
    assert "Not delivered" in engine.notes()[0]
    assert engine.balance().is_ok
    engine.close()


def test_a_refused_reply_is_explained_to_the_agent(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    engine.network.faults.script("deliver", Fault.REFUSE)
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Hello!"))
    engine.settle()
    assert engine.delivered() == []
    assert "Not delivered" in engine.notes()[0]
    assert "stays in this ticket" in engine.notes()[0]


def test_a_platform_that_takes_no_replies_is_known_before_it_is_asked(database_url: str) -> None:
    listens_only = Capabilities(
        visibilities=(Visibility.PUBLIC,), idempotency=Idempotency.NONE, readback=Readback.NONE, replies_public=Level.REJECTED
    )
    network = FakePlatform(capabilities=replace(listens_only, events=CAPABILITIES.events))
    engine = Engine(database_url, network=network)
    engine.tell(network.say("maria", "hello"))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Hello!"))
    engine.settle()
    assert "takes no public replies" in engine.notes()[0]
    engine.close()


@pytest.mark.parametrize(("visibility", "repeats"), [(Visibility.PUBLIC, True), (Visibility.PRIVATE, False)])
def test_what_follows_an_unclear_answer_goes_by_the_messages_visibility(database_url: str, visibility: Visibility, repeats: bool) -> None:
    natural = replace(CAPABILITIES, idempotency=Idempotency.NATURAL, private_idempotency=Idempotency.NONE)
    engine = Engine(database_url, network=FakePlatform(capabilities=natural))
    engine.tell(engine.network.say("maria", "hello", visibility=visibility))
    engine.settle()
    engine.network.faults.script("deliver", Fault.LOSE_ANSWER)
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "Hello!"))
    engine.settle()
    assert len(engine.delivered()) == 1
    calls = [row.call for row in engine.rows("SELECT call FROM attempt WHERE call IN ('reply', 'find:reply') ORDER BY id")]
    assert calls == (["reply", "reply"] if repeats else ["reply", "find:reply"])
    engine.close()


def test_a_reaction_whose_name_is_deleted_is_taken_back(engine: Engine) -> None:
    engine.network.capabilities = replace(CAPABILITIES, events=CAPABILITIES.events | {ReactionChanged})
    said = engine.network.say("maria", "hello")
    engine.tell(said)
    engine.settle()
    given = ReactionChanged(
        event_key="$heart",
        occurred_at=None,
        message_ref=said.message_ref,
        author=said.author,
        emoji="❤️",
        added=True,
        thread_key=said.thread_key,
    )
    engine.tell(given)
    engine.tell(MessageDeleted(event_key="$redaction", occurred_at=None, message_ref=MessageRef("$heart")))
    engine.settle()
    assert [note for note in engine.articles() if "❤️" in note] == [
        "[Maria (@maria) reacted with ❤️]",
        "[Maria (@maria) took back the reaction ❤️]",
    ]
    both = replace(given, event_key="$star", emoji="⭐")
    engine.tell(both, MessageDeleted(event_key="$gone", occurred_at=None, message_ref=MessageRef("$star")))
    engine.settle()
    assert sum("⭐" in note for note in engine.articles()) == 2
    assert engine.balance().is_ok


def test_a_late_message_reopens_the_ticket(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.set_state(engine.helpdesk.tickets[0].ref, "closed"))
    engine.settle()
    engine.tell(engine.network.say("maria", "one more thing"))
    engine.settle()
    assert len(engine.helpdesk.tickets) == 1
    assert not engine.helpdesk.tickets[0].is_closed


@pytest.mark.parametrize("late", ["follow_up", "new"])
def test_a_late_message_opens_a_new_ticket_linked_or_not_where_the_channel_says_so(database_url: str, late: str) -> None:
    engine = Engine(database_url, late=late)
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    first = engine.helpdesk.tickets[0]
    engine.tell_of_tickets(engine.helpdesk.set_state(first.ref, "closed"))
    engine.settle()
    engine.tell(engine.network.say("maria", "one more thing"))
    engine.settle()
    assert [ticket.new.follows for ticket in engine.helpdesk.tickets] == [None, first.ref if late == "follow_up" else None]
    engine.close()


def test_a_deleted_ticket_is_continued_by_a_new_one(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    first = engine.helpdesk.tickets[0]
    engine.helpdesk.remove(first.ref)
    engine.tell(engine.network.say("maria", "one more thing"))
    engine.settle()
    assert engine.helpdesk.tickets[-1].new.follows == first.ref
    assert engine.articles(-1) == ["one more thing"]


def test_a_merged_ticket_is_followed_and_nothing_of_the_other_ticket_is_sent(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "hello"), engine.network.say("oscar", "hi"))
    engine.settle()
    target, source = engine.helpdesk.tickets
    engine.tell_of_tickets(engine.helpdesk.reply(target.ref, "for Maria alone"))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.merge(source.ref, target.ref))
    engine.settle()
    engine.tell(engine.network.say("oscar", "still there?"))
    engine.settle()
    assert engine.delivered() == ["for Maria alone"]
    assert engine.articles()[-1] == "still there?"


def test_hundreds_of_contacts_and_many_workers_lose_double_and_reorder_nothing(engine: Engine) -> None:
    with engine.crowd(4):
        for number in range(15):
            engine.tell(*(engine.network.say(f"contact{person}", f"message {number:02}") for person in range(20)))
        engine.settle(seconds=60)
    assert len(engine.helpdesk.tickets) == 20
    for ticket in engine.helpdesk.tickets:
        assert [article.text.plain for article in ticket.articles] == [f"message {number:02}" for number in range(15)]
    assert engine.balance().is_ok


def _die(engine: Engine) -> None:
    """A worker takes a conversation, counts what it is about to try, and ends; its lease runs out."""
    with engine.database.begin() as connection:
        (lease,) = conversations.claim(connection, owner="doomed", limit=1, seconds=engine.installation.engine.lease_seconds)
    Turns(engine.installation, engine.database).take(lease, (), is_first=True, may_go_on=True)
    engine.rows("UPDATE conversation SET lease_until = now() - interval '1 second' RETURNING 1")


def test_an_event_that_ends_its_process_again_and_again_is_set_aside_and_the_conversation_goes_on(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    engine.tell(engine.network.say("maria", "poison"), engine.network.say("maria", "and one more"))
    engine.splitter.split_due()
    for _ in range(4):
        _die(engine)
    engine.settle()
    assert engine.articles()[-1] == "and one more"
    assert engine.rows("SELECT state, reason FROM inbound_event WHERE state = 'quarantined'") == [
        ("quarantined", "ended its process 5 times")
    ]
    assert "could not be shown" in engine.notes()[0]
    assert engine.balance().is_ok


def test_of_what_is_ready_everything_is_counted_before_it_is_tried_and_after_a_death_only_the_first(engine: Engine) -> None:
    engine.tell(*(engine.network.say("maria", words) for words in ("one", "two", "three", "four")))
    engine.splitter.split_due()
    engine.rows(
        "UPDATE inbound_event SET state = 'waiting', due_at = now() + interval '1 hour' WHERE id = (SELECT min(id) FROM inbound_event) RETURNING 1"
    )
    engine.rows(
        "UPDATE inbound_event SET state = 'retry', due_at = now() + interval '1 hour' WHERE id = (SELECT max(id) FROM inbound_event) RETURNING 1"
    )
    counted = "SELECT deaths FROM inbound_event ORDER BY id"
    _die(engine)
    assert [row.deaths for row in engine.rows(counted)] == [0, 1, 1, 0]
    _die(engine)
    assert [row.deaths for row in engine.rows(counted)] == [0, 2, 1, 0]


def test_messages_of_a_channel_that_is_gone_wait_for_it_however_often_they_are_looked_at(engine: Engine) -> None:
    engine.tell(engine.network.say("maria", "hello"))
    engine.splitter.split_due()
    engine.rows("INSERT INTO place (key, adapter) VALUES ('channel:gone', 'fake') RETURNING 1")
    engine.rows("UPDATE conversation SET place = 'channel:gone' RETURNING 1")
    for _ in range(6):
        engine.work()
        engine.rows("UPDATE conversation SET lease_until = now() - interval '1 second' RETURNING 1")
    engine.rows("UPDATE conversation SET place = 'channel:fake' RETURNING 1")
    engine.settle()
    assert engine.articles() == ["hello"]


def test_a_rate_budget_spreads_calls_over_time_and_loses_none(database_url: str) -> None:
    limits = replace(CAPABILITIES.limits, calls_per_second=20.0)
    engine = Engine(database_url, network=FakePlatform(capabilities=replace(CAPABILITIES, limits=limits)))
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    ticket = engine.helpdesk.tickets[0].ref
    engine.tell_of_tickets(*(engine.helpdesk.reply(ticket, f"reply {number:02}") for number in range(30)))
    began = time.monotonic()
    engine.settle(seconds=30)
    # Twenty may go at once, the other ten take half a second.
    assert time.monotonic() - began >= 0.4
    assert engine.delivered() == [f"reply {number:02}" for number in range(30)]
    engine.close()


def test_messenger_tells_up_to_when_things_were_read(database_url: str) -> None:
    engine = Engine(database_url, network=FakePlatform(capabilities=replace(CAPABILITIES, events=CAPABILITIES.events | {DeliveryUpdated})))
    question = engine.network.say("maria", "Where is my order?")
    engine.tell(question)
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "On its way."))
    engine.settle()
    (left,) = engine.rows("SELECT sent_at FROM intent WHERE op = 'reply'")

    def told(status: DeliveryStatus, until: datetime) -> DeliveryUpdated:
        key = f"{status}:{until.isoformat()}"
        ref = MessageRef("")
        return DeliveryUpdated(event_key=key, occurred_at=None, message_ref=ref, status=status, thread_key=question.thread_key, until=until)

    def delivery() -> list[str]:
        return [row.delivery for row in engine.rows("SELECT delivery FROM message ORDER BY id")]

    engine.tell(told(DeliveryStatus.READ, left.sent_at - timedelta(seconds=1)))
    engine.settle()
    assert delivery() == ["", ""], "it had not left yet"
    engine.tell(told(DeliveryStatus.READ, left.sent_at + timedelta(seconds=1)))
    engine.tell(told(DeliveryStatus.DELIVERED, left.sent_at + timedelta(seconds=1)))
    engine.settle()
    assert delivery() == ["", "read"], "what was read was delivered, too"
    assert engine.balance().is_ok
    engine.close()
