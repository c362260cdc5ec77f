"""The adapter against the stand-in, over HTTP: whole conversations, answers lost on the way, quota, sign-in; and the stand-in's strictness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
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
    Unsupported,
)
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import Marker
from plugin.domain.model import OutboundMessage, Visibility
from plugin.domain.text import Text
from plugin.platforms.youtube.adapter import YouTubeAdapter
from plugin.platforms.youtube.comments import read_comment, read_thread
from plugin.platforms.youtube.quota import until_midnight
from plugin.testing.fakes import FixedClock, MemorySecrets
from plugin.testing.standins.faults import Kind
from plugin.testing.standins.youtube import BYSTANDER, CHANNEL, CUSTOMER, SCOPE, YouTubeStandIn

MARKER = Marker("0123456789abcdefghijklmnop")
COMMENTS = "/youtube/v3/comments"


def answer_to(event: MessageReceived, words: str, clock: FixedClock) -> OutboundMessage:
    return OutboundMessage(
        thread_key=event.thread_key,
        contact=event.author,
        visibility=Visibility.PUBLIC,
        text=Text(words),
        reply_to=event.message_ref,
        created_at=clock.now(),
    )


def only(events: Any) -> Any:
    (event,) = events
    return event


def test_a_conversation(youtube: YouTubeStandIn, adapter: YouTubeAdapter, clock: FixedClock) -> None:
    thread = youtube.say(CUSTOMER, "Where is my train? <3 & so on")
    first = adapter.poll(None)
    asked = only(first.events)
    assert (asked.text.plain, asked.author.handle, asked.author.followers) == ("Where is my train? <3 & so on", "lenamarsh", 120)
    clock.advance(60)
    receipt = adapter.deliver(answer_to(asked, "Platform 7 & soon.", clock), marker=MARKER)
    clock.advance(60)
    youtube.say(BYSTANDER, "Look at the board", below=thread)
    second = adapter.poll(first.position)
    echo, bystander = second.events
    assert (echo.message_ref, echo.is_own, echo.thread_key) == (receipt.message_ref, True, asked.thread_key)
    assert (bystander.author.followers, bystander.parent_ref, bystander.thread_key) == (None, thread, asked.thread_key)
    assert adapter.poll(second.position).events == ()
    adapter.edit(receipt.message_ref, answer_to(asked, "Platform 8.", clock), marker=MARKER)
    assert youtube.comments[receipt.message_ref].text == "Platform 8."
    assert [getattr(event, "message_ref", "") for event in adapter.recheck([receipt.message_ref, asked.message_ref])] == [
        receipt.message_ref
    ]
    for _ in range(2):
        adapter.delete(receipt.message_ref, asked.thread_key, marker=MARKER)
    assert receipt.message_ref not in youtube.comments


def test_edits_and_deletions_are_seen(youtube: YouTubeStandIn, adapter: YouTubeAdapter, clock: FixedClock) -> None:
    thread = youtube.say(CUSTOMER, "Where is my train?")
    below = youtube.say(CUSTOMER, "Hello?", below=thread)
    polled = adapter.poll(None)
    clock.advance(60)
    youtube.change(thread, "Where is my train to York?")
    youtube.change(below, "Hello??")
    by_poll = adapter.poll(polled.position)
    assert isinstance(edit := only(by_poll.events), MessageEdited)
    again = adapter.recheck([thread, below])  # type: ignore[list-item]
    assert [type(event) for event in again] == [MessageEdited, MessageEdited]
    assert edit in again
    youtube.remove(thread)
    assert isinstance(gone := only(adapter.poll(by_poll.position).events), MessageDeleted)
    assert gone in adapter.recheck([thread])  # type: ignore[list-item]


def test_an_answer_in_an_old_thread_is_found_below_many_new_ones(
    youtube: YouTubeStandIn, adapter: YouTubeAdapter, clock: FixedClock
) -> None:
    thread = youtube.say(CUSTOMER, "An old question")
    position = adapter.poll(None).position
    for minute in range(8):
        clock.advance(60)
        youtube.say(BYSTANDER, f"New {minute}")
    after_new = adapter.poll(position)
    assert len(after_new.events) == 8
    for number in range(7):
        clock.advance(1)
        youtube.say(CUSTOMER, f"And another thing {number}", below=thread)
    told = adapter.poll(after_new.position).events
    assert [event.text.plain for event in told] == [f"And another thing {number}" for number in range(7)]


def test_below_our_own_comment_each_customer_has_a_conversation(
    youtube: YouTubeStandIn, adapter: YouTubeAdapter, clock: FixedClock
) -> None:
    ours = youtube.say(CHANNEL, "Ask us anything")
    youtube.say(CUSTOMER, "Do you take dogs?", below=ours)
    youtube.say(BYSTANDER, "And cats?", below=ours)
    polled = adapter.poll(None)
    assert {event.thread_key for event in polled.events} == {f"{ours}/{CUSTOMER}", f"{ours}/{BYSTANDER}"}
    assert len(polled.skipped) == 1
    dogs = next(event for event in polled.events if event.author.ref == CUSTOMER)
    message = answer_to(dogs, "We do.", clock)
    receipt = adapter.deliver(message, marker=MARKER)
    assert youtube.comments[receipt.message_ref].text == "@lenamarsh We do."
    assert (found := adapter.find_delivered(message, marker=MARKER)) is not None
    assert found.message_ref == receipt.message_ref


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER])
def test_an_answer_lost_on_the_way_is_found(youtube: YouTubeStandIn, adapter: YouTubeAdapter, clock: FixedClock, kind: Kind) -> None:
    youtube.say(CUSTOMER, "Where is my train?")
    message = answer_to(only(adapter.poll(None).events), "Platform 7.", clock)
    assert adapter.find_delivered(message, marker=MARKER) is None
    youtube.arm(kind, at=COMMENTS, value=500)
    with pytest.raises(OutcomeUnknown):
        adapter.deliver(message, marker=MARKER)
    assert (found := adapter.find_delivered(message, marker=MARKER)) is not None
    assert youtube.comments[found.message_ref].text == "Platform 7."
    assert adapter.find_delivered(replace(message, text=Text("Platform 8.")), marker=MARKER) is None


def test_what_cannot_be_answered(youtube: YouTubeStandIn, adapter: YouTubeAdapter, clock: FixedClock) -> None:
    youtube.shut.add(thread := youtube.say(CUSTOMER, "No answers"))
    asked = only(adapter.poll(None).events)
    assert "takes no answers" in asked.no_reply
    with pytest.raises(RemoteRejected):
        adapter.deliver(answer_to(asked, "But", clock), marker=MARKER)
    youtube.shut.clear()
    with pytest.raises(RemoteRejected, match="too long"):
        adapter.deliver(answer_to(asked, "x" * 10_001, clock), marker=MARKER)
    with pytest.raises(Unsupported):
        adapter.deliver(replace(answer_to(asked, "But", clock), visibility=Visibility.PRIVATE), marker=MARKER)
    youtube.remove(thread)
    with pytest.raises(TargetGone):
        adapter.deliver(answer_to(asked, "But", clock), marker=MARKER)
    assert adapter.find_delivered(answer_to(asked, "But", clock), marker=MARKER) is None


def test_hiding(youtube: YouTubeStandIn, adapter: YouTubeAdapter) -> None:
    thread = youtube.say(CUSTOMER, "Something vile")
    for is_hidden, status in ((True, "heldForReview"), (True, "heldForReview"), (False, "published")):
        adapter.hide(thread, thread, is_hidden=is_hidden)  # type: ignore[arg-type]
        assert youtube.comments[thread].status == status
    youtube.remove(thread)
    adapter.hide(thread, thread, is_hidden=True)  # type: ignore[arg-type]
    with pytest.raises(TargetGone):
        adapter.hide(thread, thread, is_hidden=False)  # type: ignore[arg-type]


def test_saved_searches_go_page_by_page(youtube: YouTubeStandIn, adapter: YouTubeAdapter, clock: FixedClock) -> None:
    for number in range(5):
        youtube.publish(CUSTOMER, f"Example Rail, part {number}")
        clock.advance(60)
    youtube.publish(CHANNEL, "Example Rail itself")
    titles, position = [], None
    while True:
        polled = adapter.search("brand", "Example Rail", position, most=20)
        titles += [event.text.plain.splitlines()[0] for event in polled.events]
        assert all(event.found_by == "brand" and event.no_reply for event in polled.events)
        position = polled.position
        if not polled.has_more:
            break
    assert sorted(titles) == [f"Example Rail, part {number}" for number in range(5)]
    clock.advance(3600)
    youtube.publish(CUSTOMER, "Example Rail again")
    polled = adapter.search("brand", "Example Rail", position, most=20)
    assert polled.events[-1].text.plain.startswith("Example Rail again")
    assert len(polled.events) <= 2
    with pytest.raises(RemoteRejected):
        adapter.search("brand", '"Example', None, most=20)


def test_looking_leaves_units_for_replies(youtube: YouTubeStandIn, connect: Callable[..., YouTubeAdapter], clock: FixedClock) -> None:
    adapter = connect(SCOPE, daily_units=120)
    youtube.say(CUSTOMER, "Where is my train?")
    asked = only(adapter.poll(None).events)
    for _ in range(100):
        adapter.poll(None)
    assert youtube.used <= 96
    assert adapter.search("brand", "x", None, most=5).position is None
    for _ in range(5):
        assert adapter.recheck([asked.message_ref]) == []
    assert youtube.used <= 96
    assert [probe.is_ok for probe in adapter.probe() if probe.name == "quota"] == [False]
    clock.advance(until_midnight(clock.now()))
    adapter.deliver(answer_to(asked, "Platform 7.", clock), marker=MARKER)
    adapter.deliver(answer_to(asked, "Or 8.", clock), marker=MARKER)
    with pytest.raises(RateLimited) as limited:
        adapter.deliver(answer_to(asked, "Or 9.", clock), marker=MARKER)
    assert limited.value.retry_after == until_midnight(clock.now())


def test_the_count_here_is_the_count_there(
    youtube: YouTubeStandIn, adapter: YouTubeAdapter, clock: FixedClock, secrets: MemorySecrets
) -> None:
    youtube.say(CUSTOMER, "Where is my train?")
    asked = only(adapter.poll(None).events)
    adapter.deliver(answer_to(asked, "Platform 7.", clock), marker=MARKER)
    adapter.search("brand", "x", None, most=5)
    assert secrets.stored["units"].split()[1] == str(youtube.used)


@pytest.mark.parametrize(
    ("moment", "hours"),
    [(datetime(2026, 7, 1, 6, tzinfo=UTC), 1), (datetime(2026, 12, 1, 6, tzinfo=UTC), 2), (datetime(2026, 3, 8, 8, tzinfo=UTC), 23)],
)
def test_midnight_is_pacific_also_when_the_clocks_change(moment: datetime, hours: int) -> None:
    assert until_midnight(moment) == hours * 3600


def test_google_says_that_the_day_is_used_up(youtube: YouTubeStandIn, adapter: YouTubeAdapter, clock: FixedClock) -> None:
    youtube.quota = 0
    with pytest.raises(RateLimited) as limited:
        adapter.poll(None)
    assert limited.value.retry_after == until_midnight(clock.now())
    youtube.quota = 10_000
    youtube.arm(Kind.RATE_LIMIT)
    with pytest.raises(RateLimited) as slowed:
        adapter.poll(None)
    assert slowed.value.retry_after == 60


def test_signing_in(youtube: YouTubeStandIn, connect: Callable[..., YouTubeAdapter], clock: FixedClock, secrets: MemorySecrets) -> None:
    adapter = connect()
    with pytest.raises(CredentialsRejected, match="No YouTube account"):
        adapter.poll(None)
    grant = Grant(state="s", verifier="v" * 43, redirect_url="https://desk.example/oauth/callback")
    assert "access_type=offline" in adapter.authorize_url(grant)
    with pytest.raises(CredentialsRejected, match="force-ssl"):
        adapter.exchange(youtube.signing_in.agree(grant.redirect_url, grant.verifier, "openid"), grant)
    with pytest.raises(CredentialsRejected, match="did not accept the code"):
        adapter.exchange(youtube.signing_in.agree(grant.redirect_url, "w" * 43, SCOPE), grant)
    adapter.exchange(youtube.signing_in.agree(grant.redirect_url, grant.verifier, SCOPE), grant)
    assert all(probe.is_ok for probe in adapter.probe())
    youtube.signing_in.end()
    adapter.poll(None)
    clock.advance(4000)
    adapter.poll(None)
    assert secrets.renewals > 2
    youtube.signing_in.renewals.clear()
    youtube.signing_in.end()
    with pytest.raises(CredentialsRejected, match="does not renew"):
        adapter.poll(None)
    assert not adapter.probe()[0].is_ok


def test_the_wrong_channel_and_a_missing_permission(youtube: YouTubeStandIn, connect: Callable[..., YouTubeAdapter]) -> None:
    stranger = connect(channel_id=CUSTOMER)
    grant = Grant(state="s", verifier="v" * 43, redirect_url="https://desk.example/oauth/callback")
    with pytest.raises(CredentialsRejected, match="Example Rail"):
        stranger.exchange(youtube.signing_in.agree(grant.redirect_url, grant.verifier, SCOPE), grant)
    with pytest.raises(CredentialsRejected, match="did not allow"):
        connect("openid").poll(None)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["id", "snippet", "replies"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["topLevelComment", "id", "snippet", "comments", "textDisplay", "publishedAt"]), inner)
            ),
            max_leaves=12,
        ),
    )
)
def test_whatever_a_thread_holds(raw: Mapping[str, Any]) -> None:
    try:
        read_thread(raw)
    except MalformedPayload:
        return


def test_the_stand_in_is_strict(youtube: YouTubeStandIn, adapter: YouTubeAdapter) -> None:
    thread, client = youtube.say(CUSTOMER, "Hello"), adapter._client
    below = youtube.say(CUSTOMER, "Hello again", below=thread)
    for params in ({"part": "snippet", "id": thread, "since": "1"}, {"id": thread}, {"part": "snippet"}):
        with pytest.raises(RemoteRejected):
            client.listed("comments", params)
    for snippet in (
        {"parentId": thread, "textOriginal": "x", "likeCount": 1},
        {"textOriginal": "x"},
        {"parentId": below, "textOriginal": "x"},
    ):
        with pytest.raises(RemoteRejected):
            client.write("POST", "comments", {"part": "snippet"}, {"snippet": snippet})
    with pytest.raises(RemoteRejected):
        client.write("PUT", "comments", {"part": "snippet"}, {"id": thread, "snippet": {"textOriginal": "not yours"}})
    with pytest.raises(RemoteRejected):
        client.write("POST", "comments/setModerationStatus", {"id": thread, "moderationStatus": "gone"}, answers=False)


@pytest.mark.parametrize(
    ("snippet", "words"),
    [
        ({"textDisplay": "Plain < 3"}, "Plain < 3"),
        ({"textDisplay": 'See <a href="https://example.org/">here</a><br />it&#39;s good'}, "See here (https://example.org/)\nit's good"),
        ({"textDisplay": "it&#39;s good", "textOriginal": "it's good"}, "it's good"),
    ],
)
def test_html_that_nobody_asked_for_is_undone(snippet: dict[str, str], words: str) -> None:
    assert read_comment({"id": "UgzHtml", "snippet": snippet}).text == words
