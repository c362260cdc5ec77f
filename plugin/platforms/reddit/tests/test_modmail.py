"""Modmail against the stand-in: both ways, an answer lost on the way, notes of moderators, and an account that moderates nothing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.contracts.http import HttpResponse
from plugin.domain.codec import encode_event
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RemoteError, TargetGone
from plugin.domain.ids import Marker, ThreadKey
from plugin.domain.model import Visibility
from plugin.platforms.reddit.adapter import PLATFORM, RedditAdapter
from plugin.platforms.reddit.tests.conftest import SCOPES
from plugin.testing.fakes import CannedHttp, FixedClock
from plugin.testing.outgoing import answer_to
from plugin.testing.platform_suite import folder_of, load
from plugin.testing.standins.faults import Kind
from plugin.testing.standins.reddit import ACCOUNT, CUSTOMER, RedditStandIn

MARKER = Marker("0123456789abcdefghijklmnop")
SUBJECT = load(PLATFORM, folder_of(PLATFORM))
Connect = Callable[..., RedditAdapter]
_NAMES = ("conversations", "conversationIds", "2gmz", "messages", "conversation", "author", "name", "date", "bodyMarkdown", "id", "isMod")


@pytest.fixture
def moderator(connect: Connect) -> RedditAdapter:
    return connect(*SCOPES, "modmail", modmail=True)


def test_modmail_goes_both_ways(reddit: RedditStandIn, moderator: RedditAdapter, clock: FixedClock) -> None:
    one = reddit.to_moderators(CUSTOMER, "I was banned. Why?")
    (event,) = moderator.poll(None).events
    assert (event.visibility, event.text.plain, event.author.ref) == (Visibility.PRIVATE, "A question\n\nI was banned. Why?", CUSTOMER)
    receipt = moderator.deliver(answer_to(event, "We look into it.", created_at=clock.now()), marker=MARKER)
    said = reddit.modmail[one][-1]
    assert (said["bodyMarkdown"], said["isInternal"], receipt.message_ref) == ("We look into it.", False, f"modmail/{one}/{said['id']}")
    reddit.to_moderators("other_mod", "Known for this.", below=one, by_moderator=True, is_internal=True)
    reddit.to_moderators("other_mod", "You may ask again in May.", below=one, by_moderator=True)
    polled = moderator.poll(None)
    assert [(told.text.plain.rpartition("\n")[2], told.is_own) for told in polled.events] == [
        ("I was banned. Why?", False),
        ("We look into it.", True),
        ("You may ask again in May.", True),
    ]
    assert any("stays on Reddit" in str(left.reason) for left in polled.skipped)


def test_an_answer_lost_on_the_way_is_found(reddit: RedditStandIn, moderator: RedditAdapter, clock: FixedClock) -> None:
    one = reddit.to_moderators(CUSTOMER, "Hello?")
    (event,) = moderator.poll(None).events
    message = answer_to(event, "Hello!", created_at=clock.now())
    assert moderator.find_delivered(message, marker=MARKER) is None
    reddit.arm(Kind.ERROR_AFTER, at=f"/api/mod/conversations/{one}", value=502)
    with pytest.raises(OutcomeUnknown):
        moderator.deliver(message, marker=MARKER)
    found = moderator.find_delivered(message, marker=MARKER)
    assert found is not None
    assert found.message_ref.endswith(reddit.modmail[one][-1]["id"])
    with pytest.raises(TargetGone):
        moderator.deliver(answer_to(event, "x", thread_key=ThreadKey("modmail/zzz")), marker=MARKER)


def test_an_account_that_moderates_nothing_hears_the_rest(reddit: RedditStandIn, moderator: RedditAdapter) -> None:
    reddit.is_moderator = False
    reddit.message(CUSTOMER, "Hi", to=ACCOUNT)
    polled = moderator.poll(None)
    assert len(polled.events) == 1
    assert "See that the account moderates" in str(polled.skipped[0].reason)


def test_a_sign_in_from_before_lacks_the_permission(connect: Connect) -> None:
    with pytest.raises(CredentialsRejected, match="modmail"):
        connect(*SCOPES, modmail=True).poll(None)


def test_the_age_and_the_karma_of_accounts_are_known(reddit: RedditStandIn, moderator: RedditAdapter) -> None:
    reddit.comment(CUSTOMER, f"u/{ACCOUNT} hello", below=reddit.post("somebody", "Late"))
    (event,) = moderator.poll(None).events
    assert event.author.created_at is not None
    assert event.author.created_at.year == 2017
    assert event.author.reputation == -8


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_whatever_modmail_answers_is_endured(data: st.DataObject) -> None:
    plain = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("2026-11-21T11:51:00+00:00")
    keys = st.sampled_from(_NAMES) | st.text(max_size=4)
    odd = st.recursive(plain, lambda inner: st.dictionaries(keys, inner, max_size=5) | st.lists(inner, max_size=3), max_leaves=15)
    fixture = next(one for one in SUBJECT.polls if "modmail" in one.name)
    bodies = [HttpResponse(status=200, headers={}, body=json.dumps(data.draw(odd)).encode(), url="https://x.example/") for _ in range(2)]
    http = CannedHttp([*fixture.answers[:5], *bodies, fixture.answers[-1]])
    channel: Any = SUBJECT.connect(http, settings=fixture.settings, stored=fixture.stored, at=fixture.received_at)
    with contextlib.suppress(RemoteError):
        for event in channel.poll(None).events:
            json.dumps(encode_event(event))
