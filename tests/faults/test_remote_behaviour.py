"""Helpdesks and platforms that are down, slow, forgetful, strict or wrong (cases 21 to 35)."""

from __future__ import annotations

import itertools
import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from plugin.contracts.capabilities import Readback
from plugin.domain.errors import SignatureInvalid
from plugin.domain.events import Event
from plugin.domain.ids import Place, TicketRef
from plugin.domain.model import Visibility
from plugin.handlers import operate
from plugin.handlers.sweep import alarm_old
from plugin.platforms.rehearsal.adapter import RehearsalAdapter
from plugin.platforms.rehearsal.schema import Settings
from plugin.store.secrets import PlaceSecrets
from plugin.testing.fake_platform import FakePlatform
from plugin.testing.fakes import CannedHttp, FixedClock, connection
from plugin.testing.faults import Fault
from tests.faults.inner import CHANNEL, Inner, sequence, with_capabilities
from tests.webhooks import signed_by_the_network

ROOT = Path(__file__).resolve().parents[2]


def opened(inner: Inner, *words: str) -> TicketRef:
    """A conversation with a ticket; its reference."""
    for said in words or ("hello",):
        inner.told(inner.platform.say("ann", said))
    inner.settle()
    return inner.desk.tickets[0].ref


def test_21_a_helpdesk_that_is_down_for_hours_costs_time_and_nothing_else(inner: Inner) -> None:
    inner.desk.faults.script("open_ticket", *[Fault.UNAVAILABLE] * 30)
    words = sequence("while it was down", 5)
    for said in words:
        inner.told(inner.platform.say("ann", said))
        inner.round()
    with inner.database.begin() as connection_:
        assert alarm_old(connection_, seconds=0) == 1
    assert inner.alerts() == ["old"]
    inner.settle(seconds=30)
    assert inner.filed() == words
    inner.is_whole()


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
def test_22_an_answer_that_was_lost_is_looked_for_and_never_simply_repeated(inner: Inner, fault: Fault) -> None:
    inner.desk.faults.script("open_ticket", fault)
    inner.desk.faults.script("add_article", fault)
    inner.platform.faults.script("deliver", fault)
    ticket = opened(inner, "first", "second", "third")
    inner.touched(inner.desk.reply(ticket, "our answer"))
    inner.settle()
    assert inner.filed() == ["first", "second", "third"]
    assert inner.delivered() == ["our answer"]
    asked = [row["call"] for row in inner.rows("SELECT call FROM attempt WHERE call LIKE 'find:%' ORDER BY id")]
    assert {"find:open_ticket", "find:reply"} <= set(asked)
    inner.is_whole()


def test_22_a_platform_that_cannot_be_asked_leaves_the_decision_to_a_person(database_url: str) -> None:
    inner = Inner(database_url, platform=with_capabilities(FakePlatform(), readback=Readback.NONE))
    ticket = opened(inner)
    inner.platform.faults.script("deliver", Fault.LOSE_ANSWER)
    inner.touched(inner.desk.reply(ticket, "our answer"))
    inner.settle()
    assert inner.delivered() == ["our answer"]
    assert inner.one("SELECT state || ' ' || reason FROM intent WHERE op = 'reply'") == "quarantined outcome_unknown"
    assert any("not known" in note for note in inner.notes())
    inner.is_whole()


def test_24_a_call_that_is_applied_after_it_was_repeated_stands_twice_and_is_told(inner: Inner) -> None:
    ticket = opened(inner)
    first: list[tuple[object, ...]] = []
    file = inner.desk._file

    def slow(*arguments: object) -> object:
        if not first:
            first.append(arguments)
            raise TimeoutError("no answer in time")
        answer = file(*arguments)  # type: ignore[arg-type]
        if len(first) == 1:
            first.append(())
            file(*first[0])  # type: ignore[arg-type]
        return answer

    inner.desk._file = slow  # type: ignore[method-assign,assignment]
    inner.told(inner.platform.say("ann", "comes late"))
    inner.settle()
    inner.until(lambda: inner.filed().count("comes late") == 2)
    inner.touched(inner.desk.note(ticket, "an agent looks in"))
    inner.settle()
    assert [code.partition(":")[0] for code in inner.alerts()] == ["twin"]
    assert "ignored:twin" in inner.states()
    inner.is_whole()


def test_25_a_read_back_waits_until_the_other_sides_index_has_caught_up(database_url: str) -> None:
    from dataclasses import replace

    from plugin.handlers.fates import settle_seconds
    from tests.faults.inner import QUICK

    inner = Inner(database_url)
    lagging = replace(inner.desk.capabilities, readback=Readback.LAGGING, limits=replace(inner.desk.capabilities.limits, readback_lag=30.0))
    assert settle_seconds(replace(QUICK, settle_seconds=None), lagging, Visibility.PUBLIC) == lagging.limits.max_lifetime + 30.0
    inner.desk.faults.script("open_ticket", Fault.LOSE_ANSWER)
    opened(inner)
    query = (
        "SELECT a.ended_at - b.ended_at >= make_interval(secs => 0.1) FROM attempt a, attempt b "
        "WHERE a.call = 'find:open_ticket' AND b.call = 'open_ticket'"
    )
    assert inner.one(query) is True


def test_26_a_channel_that_asks_to_wait_is_held_and_the_others_go_on(database_url: str) -> None:
    other = FakePlatform()
    inner = Inner(database_url, others={"other": other})
    ticket = opened(inner)
    inner.told(other.say("bob", "hello from elsewhere"), place=Place("channel:other"))
    inner.settle()
    inner.platform.faults.script("deliver", Fault.RATE_LIMIT)
    inner.touched(inner.desk.reply(ticket, "one"))
    inner.touched(inner.desk.reply(ticket, "two"))
    inner.until(lambda: inner.rows("SELECT 1 FROM intent WHERE state = 'held' AND reason = 'rate'"))
    inner.touched(inner.desk.reply(inner.desk.tickets[1].ref, "unhindered"))
    inner.until(lambda: inner.delivered(other) == ["unhindered"], seconds=0.9)
    assert inner.delivered() == []
    inner.until(lambda: len(inner.delivered()) == 2)
    assert inner.delivered() == ["one", "two"]
    inner.is_whole()


def test_27_a_revoked_token_pauses_its_channel_keeps_everything_and_is_told_once(inner: Inner) -> None:
    ticket = opened(inner)
    inner.platform.faults.script("deliver", *[Fault.BAD_CREDENTIALS] * 2)
    inner.touched(inner.desk.reply(ticket, "one"))
    inner.touched(inner.desk.reply(ticket, "two"))
    inner.settle()
    inner.told(inner.platform.say("ann", "still heard"))
    inner.settle()
    assert inner.alerts() == ["reauth"]
    assert inner.filed()[-1] == "still heard"
    assert [row["reason"] for row in inner.rows("SELECT reason FROM intent WHERE state = 'held'")][:1] == ["auth"]
    inner.is_whole()
    inner.platform.faults.clear()
    operate.resume(inner.database, CHANNEL, actor="test")
    inner.until(lambda: len(inner.delivered()) == 2)
    assert inner.delivered() == ["one", "two"]
    assert inner.alerts() == []


def test_27_what_was_unclear_when_the_token_died_is_looked_for_after_reconnecting(inner: Inner) -> None:
    ticket = opened(inner)
    inner.platform.faults.script("deliver", Fault.LOSE_ANSWER)
    inner.platform.faults.script("find_delivered", Fault.BAD_CREDENTIALS)
    inner.touched(inner.desk.reply(ticket, "one"))
    inner.until(lambda: inner.alerts() == ["reauth"])
    for _ in range(3):
        inner.round()
    assert inner.round() == 0, "a stopped channel must not keep the workers busy"
    inner.is_whole()
    operate.resume(inner.database, CHANNEL, actor="test")
    inner.until(lambda: not inner.rows("SELECT 1 FROM intent WHERE state <> 'sent'"))
    assert inner.delivered() == ["one"]


def test_27_two_workers_renew_a_rotating_token_once(inner: Inner) -> None:
    secrets = PlaceSecrets(inner.database, CHANNEL, [Fernet.generate_key().decode()])
    first = secrets.refresh("token", None, lambda _: "token 0")
    renewals = itertools.count(1)
    with ThreadPoolExecutor(4) as pool:
        renewed = {
            future.result()
            for future in [pool.submit(secrets.refresh, "token", first, lambda _: f"token {next(renewals)}") for _ in range(4)]
        }
    assert renewed == {"token 1"}
    assert secrets.get("token") == "token 1"


def test_28_a_merged_ticket_is_followed_and_a_deleted_one_is_followed_by_a_new_one(inner: Inner) -> None:
    ticket = opened(inner)
    inner.told(inner.platform.say("bob", "another matter"))
    inner.settle()
    target = inner.desk.tickets[1].ref
    inner.touched(inner.desk.merge(ticket, target))
    inner.settle()
    inner.told(inner.platform.say("ann", "after the merge"))
    inner.settle()
    assert [article.text.plain for article in inner.desk.tickets[1].articles][-1] == "after the merge"
    inner.desk.remove(target)
    inner.told(inner.platform.say("ann", "after the deletion"))
    inner.settle()
    assert inner.desk.tickets[-1].articles[0].text.plain == "after the deletion"
    assert len(inner.desk.tickets) == 3
    inner.is_whole()


def test_28_a_message_after_the_end_opens_the_ticket_again(inner: Inner) -> None:
    ticket = opened(inner)
    inner.touched(inner.desk.set_state(ticket, "closed"))
    inner.settle()
    inner.told(inner.platform.say("ann", "one more thing"))
    inner.settle()
    assert [len(inner.desk.tickets), inner.desk.tickets[0].state] == [1, "open"]


@pytest.mark.parametrize("fault", [Fault.GONE, Fault.REFUSE])
def test_29_a_reply_that_can_never_arrive_fails_with_a_note_to_the_agent(inner: Inner, fault: Fault) -> None:
    ticket = opened(inner)
    inner.platform.faults.script("deliver", fault)
    inner.touched(inner.desk.reply(ticket, "too late"))
    inner.touched(inner.desk.reply(ticket, "the next one goes"))
    inner.settle()
    assert inner.delivered() == ["the next one goes"]
    assert any("Not delivered" in note for note in inner.notes())
    assert inner.one("SELECT count(*) FROM intent WHERE state = 'failed'") == 1
    inner.is_whole()


def test_30_what_no_webhook_brought_is_found_by_the_poll_once(inner: Inner) -> None:
    opened(inner, "came by webhook")
    for said in sequence("dropped", 60):
        inner.platform.say("ann", said)
    inner.until(lambda: len(inner.filed()) == 61, polls=True)
    inner.settle(polls=True)
    assert inner.filed() == ["came by webhook", *sequence("dropped", 60)]
    assert {row["origin"] for row in inner.rows("SELECT DISTINCT origin FROM inbound_event WHERE id > 1")} <= {"poll", "backfill"}
    inner.is_whole()


def test_30_what_a_platform_told_late_says_so_in_the_ticket(inner: Inner) -> None:
    opened(inner)
    inner.platform.say("ann", "dropped by the platform")
    inner.told(inner.platform.say("ann", "came in time"))
    inner.settle()
    inner.until(lambda: len(inner.filed()) == 3, polls=True)
    assert inner.filed() == ["hello", "came in time", "dropped by the platform"]
    assert "told of it late" in inner.desk.tickets[0].articles[-1].text.plain


def test_31_twenty_deliveries_at_once_and_later_ones_are_one_event(inner: Inner) -> None:
    request = inner.platform.webhook(inner.platform.say("ann", "hello"))
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: inner.received(CHANNEL, request), range(20)))
    inner.settle()
    inner.rows("UPDATE receipt SET received_at = now() - interval '3 days' RETURNING id")
    inner.received(CHANNEL, request)
    inner.settle()
    assert inner.filed() == ["hello"]
    assert inner.one("SELECT count(*) FROM receipt") == 1


@pytest.mark.parametrize("ways", list(itertools.permutations(("webhook", "poll", "again"))))
def test_32_one_message_by_every_way_in_every_order_is_one_article(inner: Inner, ways: tuple[str, ...]) -> None:
    said = inner.platform.say("ann", "hello")
    other = inner.platform.say("bob", "somebody else")
    for way in ways:
        if way == "poll":
            inner.poller.poll_due()
        else:
            inner.told(*((said,) if way == "webhook" else (said, other)))
        inner.round()
    inner.settle(polls=True)
    assert sorted(inner.filed()) == ["hello", "somebody else"]
    inner.is_whole()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_33_edits_and_deletions_that_come_before_their_message_wait_for_it(inner: Inner, order: tuple[int, ...]) -> None:
    said = inner.platform.say("ann", "hello")
    told: list[Event] = [said, inner.platform.change(said.message_ref, "hello there"), inner.platform.take_back(said.message_ref)]
    for index in order:
        inner.told(told[index])
        inner.round()
    inner.settle()
    texts = [article.text.plain for article in inner.desk.tickets[0].articles]
    assert texts[0] == "hello"
    assert sum("edited" in text for text in texts) == sum("deleted" in text for text in texts) == 1
    inner.is_whole()


def test_33_an_answer_that_comes_before_what_it_answers_waits_for_it(inner: Inner) -> None:
    first = inner.platform.say("ann", "the question", thread="t")
    second = inner.platform.say("ann", "the answer", thread="t", parent=first.message_ref)
    inner.told(second)
    inner.round()
    inner.told(first)
    inner.settle()
    assert inner.filed() == ["the question", "the answer"]


def test_34_a_clock_that_is_an_hour_wrong_refuses_signed_times_and_says_so() -> None:
    settings = Settings(url="http://127.0.0.1:1/network", token="token-0123456789", webhook_secret="secret-0123456789")
    clock = FixedClock()
    adapter = RehearsalAdapter(settings, connection(CannedHttp([]), clock=clock))
    for skew in (-299.0, 299.0):
        adapter.verify(signed_by_the_network(b"{}", secret="secret-0123456789", at=clock.now().timestamp() + skew))
    for skew in (-3600.0, 3600.0):
        with pytest.raises(SignatureInvalid, match="clock"):
            adapter.verify(signed_by_the_network(b"{}", secret="secret-0123456789", at=clock.now().timestamp() + skew))


def test_34_leases_and_pauses_go_by_the_databases_clock_alone() -> None:
    modules = [path for folder in ("plugin/handlers", "plugin/store", "workers") for path in (ROOT / folder).glob("*.py")]
    wall = re.compile(r"datetime\.now|utcnow|\btime\.time\(\)")
    assert [path.name for path in modules if wall.search(path.read_text(encoding="utf-8"))] == []


def test_35_a_rotated_secret_and_the_one_before_it_both_open_until_that_is_taken_away() -> None:
    both = Settings(
        url="http://127.0.0.1:1/n",
        token="token-0123456789",
        webhook_secret="the-new-secret-01",
        previous_webhook_secret="the-old-secret-01",
    )
    only = Settings(url="http://127.0.0.1:1/n", token="token-0123456789", webhook_secret="the-new-secret-01")
    clock = FixedClock()
    old = signed_by_the_network(b"{}", secret="the-old-secret-01", at=clock.now().timestamp())
    new = signed_by_the_network(b"{}", secret="the-new-secret-01", at=clock.now().timestamp())
    overlapping = RehearsalAdapter(both, connection(CannedHttp([]), clock=clock))
    overlapping.verify(old)
    overlapping.verify(new)
    after = RehearsalAdapter(only, connection(CannedHttp([]), clock=clock))
    after.verify(new)
    with pytest.raises(SignatureInvalid):
        after.verify(old)


def test_random_bad_days_on_both_sides_lose_double_and_reorder_nothing(inner: Inner) -> None:
    """The remote faults of cases 21 to 26 again, mixed: cheap enough to be many."""
    dice = random.Random(7)
    kinds = [None, None, None, Fault.LOSE_ANSWER, Fault.LOSE_REQUEST, Fault.UNAVAILABLE]
    for call in ("open_ticket", "add_article", "find_ticket", "find_article", "follow_merge", "list_articles_since"):
        reading = call not in {"open_ticket", "add_article"}
        inner.desk.faults.script(call, *[dice.choice([None, Fault.UNAVAILABLE] if reading else kinds) for _ in range(60)])
    inner.platform.faults.script("deliver", *[dice.choice(kinds) for _ in range(60)])
    inner.platform.faults.script("find_delivered", *[dice.choice([None, Fault.UNAVAILABLE]) for _ in range(60)])
    wanted = {who: sequence(f"{who} says", 12) for who in ("ann", "bob", "cid")}
    for turn in range(12):
        for who, words in wanted.items():
            inner.told(inner.platform.say(who, words[turn], visibility=Visibility.PRIVATE if who == "bob" else Visibility.PUBLIC))
            inner.round()
        for ticket in inner.desk.tickets:
            inner.touched(inner.desk.reply(ticket.ref, f"answer {turn} in {ticket.ref}"))
    inner.settle(seconds=40)
    for ticket in inner.desk.tickets:
        said = [article.text.plain.splitlines()[0] for article in ticket.articles if article.new is not None and not article.internal]
        assert said == wanted[said[0].split()[0]]
    delivered = inner.delivered()
    for ticket in inner.desk.tickets:
        ours = [words for words in delivered if words.endswith(ticket.ref)]
        assert ours == [article.text.plain for article in ticket.articles if article.new is None]
    inner.is_whole()
