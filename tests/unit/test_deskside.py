"""What the bridge does in the helpdesk besides filing, as agents see it there: its own lock, replies that are held, fields that say how things stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from plugin.domain.events import DeliveryStatus, DeliveryUpdated, TicketTouched
from plugin.domain.ids import MessageRef, TicketRef
from plugin.domain.model import TicketState
from plugin.handlers.installation import PolicyAtWork
from plugin.policy.policy import Policy
from plugin.testing.fake_helpdesk import FakeHelpdesk
from plugin.testing.fake_platform import CAPABILITIES, FakePlatform
from plugin.testing.faults import Fault
from plugin.testing.table_judge import TableJudge
from tests.engine import Engine, quick

_CARD = "Your card 4111 1111 1111 1111 was charged."


class LockingDesk(FakeHelpdesk):
    """A helpdesk with a lock of its own: the ticket's owner, or a short one that is taken by writing."""

    def __init__(self, *, locks_by_owner: bool) -> None:
        super().__init__()
        self.locks_by_owner = locks_by_owner
        self.lock_calls: list[str] = []
        self.writing = ""

    @property
    def holder(self) -> str:
        return self.tickets[0].owner if self.locks_by_owner else self.writing

    def hold(self, agent: str) -> TicketTouched:
        """The helpdesk's own lock becomes the agent's, there."""
        if self.locks_by_owner:
            self.tickets[0].owner = agent
        else:
            self.writing = agent
        return self.fill(self.tickets[0].ref)

    def take(self, ticket_ref: TicketRef, agent: str, *, steal: bool = False) -> str:
        def apply() -> str:
            self.lock_calls.append(f"{'steal' if steal else 'take'} {agent}")
            if steal or self.holder in ("", agent):
                self.hold(agent)
            return self.holder

        return self.faults.around("take", apply)

    def release(self, ticket_ref: TicketRef, agent: str) -> str:
        def apply() -> str:
            self.lock_calls.append(f"release {agent}")
            if self.holder == agent:
                self.hold("")
            return self.holder

        return self.faults.around("release", apply)

    def follow_merge(self, ticket_ref: TicketRef) -> TicketState:
        return replace(super().follow_merge(ticket_ref), answering="" if self.locks_by_owner else self.writing)


def started(database_url: str, helpdesk: FakeHelpdesk | None = None, **others: Any) -> Engine:
    """An engine with a policy, and a customer who has written."""
    engine = Engine(database_url, helpdesk=helpdesk, policy=PolicyAtWork(judge=TableJudge(), book=Policy()), **others)
    engine.tell(engine.network.say("maria", "My router is broken"))
    engine.settle()
    return engine


@pytest.fixture(params=[True, False], ids=["owner", "own lock"])
def locking(request: pytest.FixtureRequest, database_url: str) -> Iterator[Engine]:
    """A helpdesk with a lock, by owner as Request Tracker has it, or apart from it as osTicket has."""
    engine = started(database_url, LockingDesk(locks_by_owner=request.param))
    yield engine
    engine.close()


def desk(engine: Engine) -> LockingDesk:
    assert isinstance(engine.helpdesk, LockingDesk)
    return engine.helpdesk


def press(engine: Engine, action: str, who: str = "ada", **more: Any) -> None:
    engine.press(action, who=who.title(), agent_ref=who, **more)
    engine.settle()


def lock(engine: Engine) -> dict[str, Any]:
    """Our own lock, as the database has it."""
    return dict(engine.rows("SELECT agent_lock FROM conversation")[0].agent_lock)


def holder(engine: Engine) -> str:
    found = lock(engine).get("holder") or {}
    return str(found.get("ref") or found.get("name") or "")


def reply(engine: Engine, words: str, *, agent: str = "Ada Agent") -> None:
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, words, agent=agent))
    engine.settle()


def held(engine: Engine) -> list[str]:
    return [row.reason for row in engine.rows("SELECT reason FROM intent WHERE lane = 'to_social' AND state = 'held' ORDER BY id")]


def hidden(engine: Engine) -> list[bool]:
    """Which of the agents' articles are internal, in order."""
    return [article.internal for article in engine.helpdesk.tickets[0].articles if article.new is None]


# The lock


def test_taking_ours_takes_theirs_and_giving_ours_back_gives_theirs_back(locking: Engine) -> None:
    press(locking, "take_lock")
    assert (holder(locking), desk(locking).holder) == ("ada", "ada")
    press(locking, "take_lock")
    press(locking, "release_lock")
    assert (holder(locking), desk(locking).holder) == ("", "")
    assert desk(locking).lock_calls == ["take ada", "release ada"]
    assert locking.balance().is_ok


def test_taking_ours_over_steals_theirs(locking: Engine) -> None:
    press(locking, "take_lock")
    press(locking, "take_over", "bob", reason="Ada went home")
    assert (holder(locking), desk(locking).holder) == ("bob", "bob")
    assert desk(locking).lock_calls == ["take ada", "release ada", "steal bob"]


def test_who_holds_the_ticket_there_is_seen_by_a_press_here(locking: Engine) -> None:
    desk(locking).hold("xaver")
    press(locking, "take_lock")
    assert (holder(locking), desk(locking).holder) == ("xaver", "xaver")
    assert any("xaver" in note and "Press `take_over`" in note for note in locking.notes())
    assert "helpdesk" in locking.decided()
    press(locking, "take_over", reason="It cannot wait")
    assert (holder(locking), desk(locking).holder) == ("ada", "ada")


def test_a_look_brings_who_writes_there_and_that_they_have_stopped(database_url: str) -> None:
    engine = started(database_url, LockingDesk(locks_by_owner=False))
    engine.tell_of_tickets(desk(engine).hold("xaver"))
    engine.settle()
    assert (holder(engine), lock(engine).get("is_found")) == ("xaver", True)
    reply(engine, "Restart it, please.")
    assert held(engine) == ["lock"]
    engine.tell_of_tickets(desk(engine).hold(""))
    engine.settle()
    assert holder(engine) == ""
    assert desk(engine).lock_calls == []
    engine.close()


def test_a_lock_that_was_pressed_here_is_not_lost_to_who_begins_to_write_there(database_url: str) -> None:
    engine = started(database_url, LockingDesk(locks_by_owner=False))
    press(engine, "take_lock")
    engine.tell_of_tickets(desk(engine).hold("xaver"))
    engine.settle()
    assert (holder(engine), lock(engine).get("is_found", False)) == ("ada", False)
    engine.close()


def test_an_owner_that_was_there_before_is_not_taken_away(database_url: str) -> None:
    engine = started(database_url, LockingDesk(locks_by_owner=True))
    engine.tell_of_tickets(desk(engine).hold("ada"))
    engine.settle()
    press(engine, "take_lock")
    press(engine, "release_lock")
    assert (holder(engine), desk(engine).holder) == ("", "ada")
    engine.close()


def test_an_outage_of_the_helpdesk_blocks_no_lock_of_ours_and_the_last_word_arrives(locking: Engine) -> None:
    desk(locking).faults.script("take", *[Fault.UNAVAILABLE] * 3)
    locking.press("take_lock", who="Ada", agent_ref="ada")
    locking.work()
    locking.work()
    assert holder(locking) == "ada"
    press(locking, "take_over", "bob", reason="Ada went home")
    assert (holder(locking), desk(locking).holder) == ("bob", "bob")
    assert locking.balance().is_ok


def test_a_reply_that_leaves_at_once_moves_no_lock_there(locking: Engine) -> None:
    reply(locking, "Restart it, please.")
    assert locking.delivered() == ["Restart it, please."]
    assert (holder(locking), desk(locking).lock_calls) == ("", [])


# Replies that are held


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = started(database_url)
    yield engine
    engine.close()


def test_a_held_reply_is_hidden_with_a_warning_and_shown_when_it_has_left(engine: Engine) -> None:
    reply(engine, _CARD)
    assert (hidden(engine), held(engine)) == ([True], ["preflight"])
    warnings = [article for article in engine.helpdesk.tickets[0].articles if article.new is not None and article.new.is_warning]
    assert len(warnings) == 1
    assert warnings[0].new is not None
    assert warnings[0].new.in_reply_to == engine.helpdesk.tickets[0].articles[1].ref
    press(engine, "release", reason="A test card", role="supervisor")
    assert (hidden(engine), engine.delivered()) == ([False], [_CARD])
    assert engine.balance().is_ok


def test_what_is_taken_back_stays_hidden(engine: Engine) -> None:
    reply(engine, _CARD)
    engine.press("recall", who="Ada Agent")
    engine.settle()
    assert (hidden(engine), engine.delivered()) == ([True], [])


def test_a_reply_that_leaves_at_once_is_not_touched(engine: Engine) -> None:
    reply(engine, "Restart it, please.")
    assert engine.rows("SELECT 1 FROM intent WHERE lane = 'at_helpdesk'") == []


def test_an_outage_while_a_reply_is_held_and_released_ends_with_it_shown(engine: Engine) -> None:
    engine.helpdesk.faults.script("set_visibility", *[Fault.UNAVAILABLE] * 4)
    reply(engine, _CARD)
    press(engine, "release", reason="A test card", role="supervisor")
    assert (hidden(engine), engine.delivered()) == ([False], [_CARD])
    assert engine.balance().is_ok


def test_a_released_reply_counts_from_when_it_was_sent_however_late_the_helpdesk_hears(engine: Engine) -> None:
    reply(engine, _CARD)
    engine.helpdesk.faults.script("set_visibility", *[Fault.UNAVAILABLE] * 6)
    press(engine, "release", reason="A test card", role="supervisor")
    (left,) = engine.rows("SELECT sent_at FROM intent WHERE op = 'reply'")
    assert [article.sent_at for article in engine.helpdesk.tickets[0].articles if article.new is None] == [left.sent_at]


def test_publishing_a_held_reply_again_is_judged_anew_and_told_once_each_time(engine: Engine) -> None:
    reply(engine, _CARD)
    ticket = engine.helpdesk.tickets[0]
    article = ticket.articles[1].ref
    for times in (2, 3):
        engine.tell_of_tickets(engine.helpdesk.publish(ticket.ref, article))
        engine.settle()
        assert (hidden(engine), held(engine), engine.delivered()) == ([True], ["preflight"], [])
        assert len([note for note in engine.notes() if "card number" in note]) == times
    press(engine, "release", reason="A test card", role="supervisor")
    assert (hidden(engine), engine.delivered()) == ([False], [_CARD])
    assert engine.balance().is_ok


def test_publishing_what_may_leave_by_now_sends_it(engine: Engine) -> None:
    press(engine, "take_lock", "bob")
    reply(engine, "Restart it, please.")
    assert held(engine) == ["lock"]
    press(engine, "release_lock", "bob")
    engine.press("take_lock", who="Ada Agent")
    engine.settle()
    assert (hidden(engine), engine.delivered()) == ([False], ["Restart it, please."])


def test_the_same_words_again_stand_in_for_those_that_are_held(engine: Engine) -> None:
    reply(engine, _CARD)
    reply(engine, _CARD)
    assert (hidden(engine), held(engine)) == ([True, True], ["preflight"])
    assert any("stands in its place" in note for note in engine.notes())
    press(engine, "release", reason="A test card", role="supervisor")
    assert engine.delivered() == [_CARD]
    assert engine.balance().is_ok


# How far the last reply came


def told(engine: Engine, status: DeliveryStatus, *, why: str = "", until: datetime | None = None) -> None:
    """The platform says how far our reply came."""
    post = engine.network.delivered[-1]
    ref, thread = (MessageRef(""), post.thread_key) if until else (post.ref, None)
    key = f"{post.ref}:{status}"
    engine.tell(
        DeliveryUpdated(event_key=key, occurred_at=None, message_ref=ref, status=status, detail=why, thread_key=thread, until=until)
    )
    engine.settle()


@pytest.fixture(params=[False, True], ids=["without receipts", "with receipts"])
def telling(request: pytest.FixtureRequest, database_url: str) -> Iterator[Engine]:
    """A platform that says how far messages came, a helpdesk with our fields, and a reply that left."""
    able = replace(CAPABILITIES, events=CAPABILITIES.events | {DeliveryUpdated})
    engine = started(database_url, network=FakePlatform(capabilities=able), config=quick(receipts_in_tickets=request.param))
    engine.tell_of_tickets(engine.helpdesk.fill(engine.helpdesk.tickets[0].ref, delivery="", lock="", approval=""))
    engine.settle()
    reply(engine, "Restart it, please.")
    yield engine
    assert engine.balance().is_ok
    engine.close()


def field_and_tags(engine: Engine) -> tuple[str, set[str]]:
    ticket = engine.helpdesk.tickets[0]
    return ticket.fields["delivery"], {tag for tag in ticket.tags if tag.startswith("cd-")}


def test_what_the_platform_could_not_deliver_stands_in_field_and_tag_with_a_warning_about_that_reply(telling: Engine) -> None:
    assert field_and_tags(telling) == ("sent", set())
    told(telling, DeliveryStatus.FAILED, why="The number is not on WhatsApp.")
    assert field_and_tags(telling) == ("failed", {"cd-failed"})
    (warning,) = [article.new for article in telling.helpdesk.tickets[0].articles if article.new is not None and article.new.is_warning]
    assert "“Restart it, please.”" in warning.text.plain
    assert "The number is not on WhatsApp. It stays" in warning.text.plain
    assert warning.in_reply_to == telling.helpdesk.tickets[0].articles[1].ref
    reply(telling, "By letter, then.")
    assert field_and_tags(telling) == ("sent", set())


def test_delivered_and_read_stand_in_the_field_only_where_that_is_wanted(telling: Engine) -> None:
    has_receipts = telling.installation.engine.receipts_in_tickets
    told(telling, DeliveryStatus.DELIVERED)
    assert field_and_tags(telling) == ("delivered" if has_receipts else "sent", set())
    told(telling, DeliveryStatus.READ, until=datetime(2100, 1, 1, tzinfo=UTC))
    assert field_and_tags(telling) == ("read" if has_receipts else "sent", set())
    changes = telling.rows("SELECT 1 FROM intent WHERE op LIKE 'stand%' AND attempts > 0")
    assert len(changes) == (3 if has_receipts else 1), "one change of the ticket for each step that is told, and no other"


def test_what_arrives_after_all_is_no_failure_any_more(telling: Engine) -> None:
    told(telling, DeliveryStatus.FAILED)
    told(telling, DeliveryStatus.DELIVERED)
    has_receipts = telling.installation.engine.receipts_in_tickets
    assert field_and_tags(telling) == ("delivered" if has_receipts else "sent", set())


def test_what_is_held_is_tagged_until_it_leaves(telling: Engine) -> None:
    reply(telling, _CARD)
    assert field_and_tags(telling) == ("held", {"cd-held"})
    press(telling, "release", reason="A test card", role="supervisor")
    assert field_and_tags(telling) == ("sent", set())
