"""The adapter against the stand-in, over HTTP: public and private conversations, answers lost on the way, sign-in; and the stand-in's strictness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.contracts.platform import Grant
from plugin.domain.errors import (
    CredentialsRejected,
    MalformedPayload,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    TargetGone,
    WindowClosed,
)
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import Marker, MessageRef
from plugin.domain.model import OutboundMessage, Visibility
from plugin.domain.text import Text
from plugin.platforms.reddit.adapter import RedditAdapter
from plugin.platforms.reddit.tests.conftest import SCOPES
from plugin.platforms.reddit.things import change_in, spoken
from plugin.testing.fakes import FixedClock
from plugin.testing.standins.faults import Kind
from plugin.testing.standins.reddit import ACCOUNT, BYSTANDER, CUSTOMER, PASSWORD, SUBREDDIT, RedditStandIn

MARKER = Marker("0123456789abcdefghijklmnop")
ANSWERS = "/api/comment"


def answer_to(event: MessageReceived, words: str, clock: FixedClock) -> OutboundMessage:
    return OutboundMessage(
        thread_key=event.thread_key,
        contact=event.author,
        visibility=event.visibility,
        text=Text(words),
        reply_to=event.message_ref,
        created_at=clock.now(),
    )


def only(events: Any) -> Any:
    (event,) = events
    return event


@pytest.fixture
def mention(reddit: RedditStandIn, adapter: RedditAdapter) -> MessageReceived:
    post = reddit.post(BYSTANDER, "Late again")
    reddit.comment(CUSTOMER, f"u/{ACCOUNT} where is my train?", below=post)
    event = only(adapter.poll(None).events)
    assert isinstance(event, MessageReceived)
    return event


def test_a_public_conversation(reddit: RedditStandIn, adapter: RedditAdapter, clock: FixedClock, mention: MessageReceived) -> None:
    assert (mention.author.handle, mention.visibility, mention.parent_ref) == (
        CUSTOMER,
        Visibility.PUBLIC,
        reddit.things[mention.message_ref]["parent_id"],
    )
    receipt = adapter.deliver(answer_to(mention, "Platform 7.", clock), marker=MARKER)
    clock.advance(60)
    reddit.comment(CUSTOMER, "Thank you", below=receipt.message_ref)
    polled = adapter.poll({"at": clock.now().timestamp() - 60})
    told = {event.message_ref: event for event in polled.events}
    assert len(told) == 3
    assert {event.thread_key for event in told.values()} == {mention.thread_key}
    assert told[receipt.message_ref].is_own
    assert adapter.edit(receipt.message_ref, answer_to(mention, "Platform 8.", clock), marker=MARKER).message_ref == receipt.message_ref
    assert isinstance(only(adapter.recheck([receipt.message_ref])), MessageEdited)
    for _ in range(2):
        adapter.delete(receipt.message_ref, mention.thread_key, marker=MARKER)
    assert reddit.things[receipt.message_ref]["author"] == "[deleted]"


def test_a_private_conversation(reddit: RedditStandIn, adapter: RedditAdapter, clock: FixedClock) -> None:
    reddit.message(CUSTOMER, "My ticket is 42", to=ACCOUNT)
    asked = only(adapter.poll(None).events)
    assert (asked.visibility, asked.text.plain) == (Visibility.PRIVATE, "A question\n\nMy ticket is 42")
    message = answer_to(asked, "Thank you.", clock)
    assert adapter.find_delivered(message, marker=MARKER) is None
    receipt = adapter.deliver(message, marker=MARKER)
    assert (found := adapter.find_delivered(message, marker=MARKER)) is not None
    assert found.message_ref == receipt.message_ref
    reddit.message(CUSTOMER, "And?", to=ACCOUNT, below=receipt.message_ref)
    told = adapter.poll(None).events
    assert {event.thread_key for event in told} == {asked.thread_key}
    assert [event.is_own for event in told].count(True) == 1
    with pytest.raises(RemoteRejected):
        adapter.delete(receipt.message_ref, asked.thread_key, marker=MARKER)
    with pytest.raises(RemoteRejected):
        adapter.deliver(replace(message, visibility=Visibility.PUBLIC), marker=MARKER)
    reddit.hides_messages = True
    closed = adapter.poll(None)
    assert closed.events == ()
    assert "does not hand out private messages" in str(closed.skipped[0].reason)


def test_a_subreddit_is_read_page_by_page(reddit: RedditStandIn, adapter: RedditAdapter, clock: FixedClock) -> None:
    post = reddit.post(CUSTOMER, "Where do I ask?", "About a bag", subreddit=SUBREDDIT)
    for number in range(7):
        clock.advance(1)
        reddit.comment(BYSTANDER, f"Try desk {number}", below=post)
    told = adapter.poll(None).events
    assert [event.text.plain for event in told] == ["Where do I ask?\n\nAbout a bag", *(f"Try desk {number}" for number in range(7))]


def test_who_answers_a_customers_post_is_a_bystander_there_and_who_turns_to_us_is_not(
    reddit: RedditStandIn, adapter: RedditAdapter, clock: FixedClock
) -> None:
    post = reddit.post(CUSTOMER, "Where do I ask?", subreddit=SUBREDDIT)
    clock.advance(1)
    helping = reddit.comment(BYSTANDER, "Try the desk", below=post)
    reddit.comment(CUSTOMER, "Which one?", below=helping)
    turning = reddit.comment(BYSTANDER, f"u/{ACCOUNT} which one is it?", below=post)
    asked, *told = (event for event in adapter.poll(None).events if isinstance(event, MessageReceived))
    threads = {event.message_ref: event.thread_key for event in told}
    assert threads[MessageRef(helping)] == asked.thread_key
    assert [key for ref, key in threads.items() if key != asked.thread_key] == [threads[MessageRef(turning)]]
    answer = adapter.deliver(answer_to(asked, "Desk 7.", clock), marker=MARKER)
    back = reddit.comment(BYSTANDER, "Thanks, me too", below=answer.message_ref)
    (told_back,) = (event for event in adapter.poll(None).events if event.message_ref == back)
    assert isinstance(told_back, MessageReceived)
    assert told_back.thread_key == threads[MessageRef(turning)]
    ours = reddit.post(ACCOUNT, "Our new timetable", subreddit=SUBREDDIT)
    below_ours = reddit.comment(CUSTOMER, "Since when?", below=ours)
    (about_ours,) = (event for event in adapter.poll(None).events if event.message_ref == below_ours)
    assert isinstance(about_ours, MessageReceived)
    assert about_ours.thread_key.endswith(CUSTOMER)


def test_our_own_peoples_answers_are_told_with_whom_they_are_for(
    reddit: RedditStandIn, adapter: RedditAdapter, mention: MessageReceived
) -> None:
    by_hand = reddit.comment(ACCOUNT, "Answered in the app", below=mention.message_ref)
    reddit.comment(ACCOUNT, "Talking to ourselves", below=by_hand)
    polled = adapter.poll(None)
    own = only([event for event in polled.events if event.is_own])
    assert (own.message_ref, own.thread_key) == (by_hand, mention.thread_key)
    assert len(polled.skipped) == 1


def test_edits_and_deletions_are_found_by_looking_again(reddit: RedditStandIn, adapter: RedditAdapter, mention: MessageReceived) -> None:
    assert adapter.recheck([mention.message_ref]) == []
    reddit.change(mention.message_ref, "Where is it?")
    first = only(adapter.recheck([mention.message_ref]))
    assert isinstance(first, MessageEdited)
    assert adapter.recheck([mention.message_ref, MessageRef("t4_zzz")]) == [first]
    reddit.remove(mention.message_ref)
    assert isinstance(only(adapter.recheck([mention.message_ref])), MessageDeleted)


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER])
def test_an_answer_lost_on_the_way_is_found(
    reddit: RedditStandIn, adapter: RedditAdapter, clock: FixedClock, mention: MessageReceived, kind: Kind
) -> None:
    message = answer_to(mention, "Platform 7.", clock)
    reddit.arm(kind, at=ANSWERS, value=503)
    with pytest.raises(OutcomeUnknown):
        adapter.deliver(message, marker=MARKER)
    assert adapter.find_delivered(message, marker=MARKER) is not None
    assert adapter.find_delivered(replace(message, text=Text("Platform 8.")), marker=MARKER) is None
    assert [path for method, path, _ in reddit.calls if method == "POST"] == [ANSWERS]


def test_refusals_in_a_success(reddit: RedditStandIn, adapter: RedditAdapter, clock: FixedClock, mention: MessageReceived) -> None:
    with pytest.raises(RemoteRejected, match="too long"):
        adapter.deliver(answer_to(mention, "x" * 10_001, clock), marker=MARKER)
    reddit.things[mention.message_ref]["locked"] = True
    with pytest.raises(WindowClosed):
        adapter.deliver(answer_to(mention, "Hello", clock), marker=MARKER)
    reddit.remove(mention.message_ref)
    with pytest.raises(TargetGone):
        adapter.deliver(answer_to(mention, "Hello", clock), marker=MARKER)
    reddit.arm(Kind.RATE_LIMIT, at=ANSWERS, value=42)
    with pytest.raises(RateLimited) as limited:
        adapter.deliver(answer_to(mention, "Hello", clock), marker=MARKER)
    assert limited.value.retry_after == 42


def test_saved_searches_go_page_by_page(reddit: RedditStandIn, adapter: RedditAdapter, clock: FixedClock) -> None:
    for number in range(5):
        clock.advance(60)
        reddit.post(CUSTOMER, f"Example Rail, part {number}")
    reddit.post(ACCOUNT, "Example Rail itself")
    reddit.post(CUSTOMER, "Example Rail here", subreddit=SUBREDDIT)
    titles, position = [], None
    while True:
        polled = adapter.search("brand", "example rail", position, most=20)
        titles += [event.text.plain for event in polled.events if event.found_by == "brand"]
        position = polled.position
        if not polled.has_more:
            break
    assert sorted(titles) == [f"Example Rail, part {number}" for number in range(5)]
    clock.advance(60)
    reddit.things[reddit.post(CUSTOMER, "Example Rail again")]["locked"] = True
    again = adapter.search("brand", "example rail", position, most=20).events[-1]
    assert (again.text.plain, bool(again.no_reply)) == ("Example Rail again", True)
    with pytest.raises(RemoteRejected):
        adapter.search("brand", " ", None, most=20)


def test_signing_in(reddit: RedditStandIn, connect: Callable[..., RedditAdapter]) -> None:
    adapter = connect()
    grant = Grant(state="s", verifier="v" * 43, redirect_url="https://desk.example/oauth/callback")
    assert "duration=permanent" in adapter.authorize_url(grant)
    with pytest.raises(CredentialsRejected, match="No Reddit account"):
        adapter.poll(None)
    with pytest.raises(CredentialsRejected, match="privatemessages"):
        adapter.exchange(reddit.signing_in.agree(grant.redirect_url, grant.verifier, *SCOPES[:-1]), grant)
    adapter.exchange(reddit.signing_in.agree(grant.redirect_url, grant.verifier, *SCOPES), grant)
    assert all(probe.is_ok for probe in adapter.probe())
    reddit.signing_in.end()
    adapter.poll(None)
    reddit.signing_in.end()
    reddit.signing_in.renewals.clear()
    with pytest.raises(CredentialsRejected):
        adapter.poll(None)
    stranger = connect(username="somebody")
    with pytest.raises(CredentialsRejected, match="the channel is for"):
        stranger.exchange(reddit.signing_in.agree(grant.redirect_url, grant.verifier, *SCOPES), grant)


def test_a_script_app_signs_in_by_itself(reddit: RedditStandIn, connect: Callable[..., RedditAdapter]) -> None:
    adapter = connect(password=PASSWORD)
    assert all(probe.is_ok for probe in adapter.probe())
    reddit.signing_in.end()
    assert adapter.poll(None).events == ()


def test_a_wrong_password_is_told(connect: Callable[..., RedditAdapter]) -> None:
    adapter = connect(password="wrong")
    with pytest.raises(CredentialsRejected):
        adapter.poll(None)
    assert [probe.is_ok for probe in adapter.probe()] == [False]


_RAW = st.dictionaries(
    st.sampled_from(
        ["name", "author", "body", "title", "selftext", "link_id", "context", "created_utc", "edited", "parent_id", "permalink"]
    ),
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["t1_abc", "t3_abc", "[deleted]", "lena", 1.7e9]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["t1", "t3", "t4", "more"]), _RAW)
def test_whatever_a_thing_holds(kind: str, raw: Mapping[str, Any]) -> None:
    for read in (lambda: spoken(kind, raw, account="us", site="https://reddit.example"), lambda: change_in(kind, raw, account="us")):
        try:
            read()
        except MalformedPayload:
            continue


def test_the_stand_in_is_strict(adapter: RedditAdapter, connect: Callable[..., RedditAdapter], mention: MessageReceived) -> None:
    client = adapter._client
    for form in ({"thing_id": mention.message_ref}, {"thing_id": mention.message_ref, "text": "x", "colour": "red"}):
        with pytest.raises(RemoteRejected):
            client.write(ANSWERS, form)
    with pytest.raises(RemoteRejected):
        client.write("/api/editusertext", {"thing_id": mention.message_ref, "text": "not ours"})
    with pytest.raises(RemoteRejected):
        client.ask("/api/info", {"id": "t1_a", "colour": "red"})
    with pytest.raises(RateLimited):
        connect(*SCOPES, username="a b".replace(" ", "-"), client_id="nameless!").poll(None)
    with pytest.raises(CredentialsRejected, match="submit"):
        connect("read").poll(None)
