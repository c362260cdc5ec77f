"""The adapter against the stand-in, over HTTP: whole conversations, mentions, pictures, answers lost on the way, quota and sign-in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Grant
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
    Unsupported,
)
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.ids import Marker, MessageRef
from plugin.domain.model import File, OutboundMessage, Visibility
from plugin.domain.text import MarkKind, Text
from plugin.platforms.linkedin.adapter import LinkedInAdapter
from plugin.testing.fakes import FixedClock, MemorySecrets
from plugin.testing.standins.faults import Kind
from plugin.testing.standins.linkedin import (
    ADMIN,
    APPLICATION_ID,
    BYSTANDER,
    CUSTOMER,
    PAGE,
    SCOPES,
    LinkedInStandIn,
)

MARKER = Marker("0123456789abcdefghijklmnop")
GRANT = Grant(state="s", verifier="v" * 43, redirect_url="https://desk.example/oauth/callback")
DAY = 86_400.0


class Polls:
    """Asks again and again from where it stood; each call returns what was not told before, as the store would."""

    def __init__(self, adapter: LinkedInAdapter) -> None:
        self._adapter = adapter
        self._position: Mapping[str, Any] | None = None
        self._told: set[str] = set()
        self.skipped: list[str] = []

    def __call__(self) -> list[Any]:
        polled = self._adapter.poll(self._position)
        self._position = self._position if polled.position is None else json.loads(json.dumps(polled.position))
        self.skipped = [one.reason.detail for one in polled.skipped]
        fresh = [event for event in polled.events if event.event_key not in self._told]
        self._told |= {event.event_key for event in fresh}
        return fresh


def answer_to(event: MessageReceived, words: str, clock: FixedClock, *files: File) -> OutboundMessage:
    return OutboundMessage(
        thread_key=event.thread_key,
        contact=event.author,
        visibility=Visibility.PUBLIC,
        text=Text(words),
        files=files,
        reply_to=event.message_ref,
        created_at=clock.now(),
    )


def request(headers: Mapping[str, str], body: bytes) -> WebhookRequest:
    return WebhookRequest(method="POST", path="", headers=headers, query={}, body=body)


def only(events: Any) -> Any:
    (event,) = events
    return event


def test_a_conversation(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    comment = linkedin.world.say(CUSTOMER, "Where is my train? 🚂 <3")
    polls = Polls(adapter)
    asked = only(polls())
    assert (asked.text.plain, asked.message_ref, asked.parent_ref, asked.author.ref) == (
        "Where is my train? 🚂 <3",
        comment,
        None,
        CUSTOMER,
    )
    assert asked.url.startswith("https://www.linkedin.com/feed/update/urn:li:activity:")
    clock.advance(60)
    receipt = adapter.deliver(answer_to(asked, "Platform 7.", clock), marker=MARKER)
    assert (linkedin.world.comments[receipt.message_ref].author, linkedin.world.comments[receipt.message_ref].parent) == (PAGE, comment)
    clock.advance(60)
    linkedin.world.say(CUSTOMER, "Thank you", below=comment)
    linkedin.world.say(BYSTANDER, "Mine is late as well", below=comment)
    echo, thanks, other = sorted(polls(), key=lambda event: str(event.message_ref))
    assert (echo.message_ref, echo.is_own, echo.thread_key) == (receipt.message_ref, True, asked.thread_key)
    assert (thanks.parent_ref, thanks.thread_key) == (comment, asked.thread_key)
    assert (other.author.ref, other.thread_key == asked.thread_key) == (BYSTANDER, False)
    # An answer to an answer stands where LinkedIn lets it stand: below the comment that began the thread.
    clock.advance(300)
    deeper = adapter.deliver(answer_to(other, "We are sorry", clock), marker=MARKER)
    assert linkedin.world.comments[deeper.message_ref].parent == comment
    adapter.edit(receipt.message_ref, answer_to(asked, "Platform 8.", clock), marker=MARKER)
    assert linkedin.world.comments[receipt.message_ref].text == "Platform 8."
    for _ in range(2):
        adapter.delete(receipt.message_ref, asked.thread_key, marker=MARKER)
    assert receipt.message_ref not in linkedin.world.comments


def test_nothing_new_costs_three_calls(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    linkedin.world.say(CUSTOMER, "Where is my train?")
    polls = Polls(adapter)
    polls()
    linkedin.world.post("Something nobody comments on")
    for _ in range(4):
        clock.advance(180)
        linkedin.calls.clear()
        assert polls() == []
        # One more where it is the turn of the post with comments to be read all the same.
        assert len(linkedin.calls) in (3, 4)


def test_what_shows_late_is_not_lost(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    comment = linkedin.world.say(CUSTOMER, "Where is my train?")
    polls = Polls(adapter)
    polls()
    hidden = linkedin.world.comments.pop(linkedin.world.say(CUSTOMER, "And my seat?", below=comment))
    for _ in range(5):
        clock.advance(180)
        assert polls() == []
    linkedin.world.comments[hidden.urn] = hidden
    clock.advance(180)
    assert only(polls()).text.plain == "And my seat?"


def test_what_our_own_people_write_on_linkedin(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    comment = linkedin.world.say(CUSTOMER, "Where is my train?")
    linkedin.world.say(BYSTANDER, "And mine?", below=comment)
    polls = Polls(adapter)
    polls()
    clock.advance(60)
    linkedin.world.say(PAGE, "Platform 7.", below=comment)
    named = {"start": 0, "length": 3, "value": {"com.linkedin.common.MemberAttributedEntity": {"member": BYSTANDER}}}
    linkedin.world.say(PAGE, "Tom, platform 8.", below=comment, attributes=[named])
    linkedin.world.say(PAGE, "Have a nice day, everybody")
    to_customer, to_bystander = polls()
    assert to_customer.is_own
    assert to_bystander.is_own
    assert to_customer.thread_key.endswith(f"/{CUSTOMER}")
    assert to_bystander.thread_key.endswith(f"/{BYSTANDER}")
    assert [(mark.kind, mark.start, mark.end) for mark in to_bystander.text.marks] == [(MarkKind.MENTION, 0, 3)]
    assert polls.skipped == ["own"]


def test_edits_and_deletions_are_seen(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    comment = linkedin.world.say(CUSTOMER, "Where is my train?", pictures=1)
    below = linkedin.world.say(CUSTOMER, "Hello?", below=comment)
    polls = Polls(adapter)
    words, picture, hello = polls()
    assert (words.attachments, picture.text.plain, hello.parent_ref) == ((), "", comment)
    clock.advance(600)
    linkedin.world.change(comment, "Where is my train to York?")
    linkedin.world.change(below, "Hello??", tells_words=False)
    noticed = polls()
    assert [(type(event), event.text.plain) for event in noticed] == [
        (MessageEdited, "Where is my train to York?"),
        (MessageEdited, "Hello??"),
    ]
    looked_at = adapter.recheck([comment, below])  # type: ignore[list-item]
    assert {event.event_key for event in looked_at} == {event.event_key for event in noticed}
    clock.advance(600)
    linkedin.world.remove(below)
    linkedin.world.remove(comment, tells=False)
    gone = only(polls())
    assert isinstance(gone, MessageDeleted)
    told = adapter.recheck([words.message_ref, picture.message_ref, below])  # type: ignore[list-item]
    assert {getattr(event, "message_ref", "") for event in told} == {words.message_ref, picture.message_ref, below}
    assert gone.event_key in {event.event_key for event in told}


def test_a_mention_is_answered_below_its_post(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    share = linkedin.world.mention(CUSTOMER, "Example Rail is late again")
    mention = only(adapter.poll(None).events)
    assert (mention.text.plain, mention.author.ref, mention.message_ref) == ("Example Rail is late again", CUSTOMER, share)
    headers, body = linkedin.delivery()
    assert adapter.parse(request(headers, body)) == [mention]
    receipt = adapter.deliver(answer_to(mention, "We are sorry.", clock), marker=MARKER)
    assert linkedin.world.comments[receipt.message_ref].text == "We are sorry."
    # LinkedIn shows nobody else what stands below other people's posts: it is for a person to look.
    with pytest.raises(OutcomeUnknown, match="Look at it there"):
        adapter.find_delivered(answer_to(mention, "We are sorry.", clock), marker=MARKER)


def test_the_webhook_and_the_poll_tell_the_same(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    comment = linkedin.world.say(CUSTOMER, "Where is my train?", pictures=1)
    headers, body = linkedin.delivery()
    adapter.verify(request(headers, body))
    pushed = only(adapter.parse(request(headers, body)))
    polls = Polls(adapter)
    words, picture = polls()
    assert pushed == words
    clock.advance(600)
    below = linkedin.world.say(CUSTOMER, "Hello?", below=comment)
    headers, body = linkedin.delivery()
    pushed = only(adapter.parse(request(headers, body)))
    assert replace(pushed, parent_ref=comment) == only(polls())
    assert (pushed.message_ref, pushed.parent_ref, picture.parent_ref) == (below, None, comment)


def test_reactions_to_our_answers(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    comment = linkedin.world.say(CUSTOMER, "Where is my train?")
    polls = Polls(adapter)
    asked = only(polls())
    clock.advance(60)
    receipt = adapter.deliver(answer_to(asked, "Platform 7.", clock), marker=MARKER)
    assert only(polls()).is_own
    clock.advance(60)
    linkedin.world.react(CUSTOMER, receipt.message_ref, "PRAISE")
    linkedin.world.react(PAGE, receipt.message_ref)
    linkedin.world.react(BYSTANDER, comment)
    praise = only(polls())
    assert isinstance(praise, ReactionChanged)
    assert (praise.emoji, praise.author.ref, praise.message_ref) == ("👏", CUSTOMER, receipt.message_ref)
    assert polls() == []


def test_pictures_go_out(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    linkedin.world.say(CUSTOMER, "Where is my train?")
    asked = only(adapter.poll(None).events)
    plan = File(filename="plan.png", content_type="image/png", content=b"a plan")
    receipt = adapter.deliver(answer_to(asked, "Here", clock, plan), marker=MARKER)
    assert [linkedin.world.pictures[one] for one in linkedin.world.comments[receipt.message_ref].pictures] == [b"a plan"]
    linkedin.arm(Kind.DROP_AFTER, at="/rest/images")
    with pytest.raises(RemoteUnavailable, match="was not posted"):
        adapter.deliver(answer_to(asked, "Here", clock, plan), marker=MARKER)
    linkedin.takes_pictures = False
    with pytest.raises(RemoteRejected, match="Unpermitted fields"):
        adapter.deliver(answer_to(asked, "Here", clock, plan), marker=MARKER)


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER])
def test_an_answer_lost_on_the_way_is_found(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock, kind: Kind) -> None:
    comment = linkedin.world.say(CUSTOMER, "Where is my train?")
    for number in range(4):
        linkedin.world.say(BYSTANDER, f"Mine too {number}", below=comment)
    message = answer_to(next(event for event in adapter.poll(None).events if event.message_ref == comment), "Platform  7.", clock)
    assert adapter.find_delivered(message, marker=MARKER) is None
    linkedin.arm(kind, at=f"/rest/socialActions/{comment}/comments", value=500)
    with pytest.raises(OutcomeUnknown):
        adapter.deliver(message, marker=MARKER)
    assert (found := adapter.find_delivered(message, marker=MARKER)) is not None
    assert linkedin.world.comments[found.message_ref].text == "Platform  7."
    assert adapter.find_delivered(replace(message, text=Text("Platform 8.")), marker=MARKER) is None
    linkedin.world.remove(comment)
    assert adapter.find_delivered(message, marker=MARKER) is None


def test_what_cannot_be_answered(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    comment = linkedin.world.say(CUSTOMER, "Hello")
    next(iter(linkedin.world.posts.values()))["state"] = "CLOSED"
    asked = only(adapter.poll(None).events)
    assert "switched off" in asked.no_reply
    with pytest.raises(RemoteRejected, match="disabled"):
        adapter.deliver(answer_to(asked, "But", clock), marker=MARKER)
    next(iter(linkedin.world.posts.values()))["state"] = "OPEN"
    with pytest.raises(RemoteRejected, match="1250"):
        adapter.deliver(answer_to(asked, "x" * 1251, clock), marker=MARKER)
    with pytest.raises(Unsupported):
        adapter.deliver(replace(answer_to(asked, "But", clock), visibility=Visibility.PRIVATE), marker=MARKER)
    with pytest.raises(RemoteRejected, match="not the author"):
        adapter.edit(comment, answer_to(asked, "mine now", clock), marker=MARKER)  # type: ignore[arg-type]
    linkedin.world.remove(comment)
    with pytest.raises(TargetGone):
        adapter.deliver(answer_to(asked, "But", clock), marker=MARKER)
    with pytest.raises(RemoteRejected):
        adapter.deliver(replace(answer_to(asked, "But", clock), reply_to=MessageRef("elsewhere")), marker=MARKER)


def test_many_comments_are_read_page_by_page(linkedin: LinkedInStandIn, adapter: LinkedInAdapter, clock: FixedClock) -> None:
    polls = Polls(adapter)
    polls()
    clock.advance(60)
    tops = [linkedin.world.say(CUSTOMER, f"Question {number}") for number in range(7)]
    for number in range(4):
        linkedin.world.say(BYSTANDER, f"Answer {number}", below=tops[0])
    assert sorted(event.text.plain for event in polls()) == [*(f"Answer {n}" for n in range(4)), *(f"Question {n}" for n in range(7))]
    clock.advance(600)
    linkedin.world.say(BYSTANDER, "One more", below=tops[3])
    assert [event.text.plain for event in polls()] == ["One more"]


def test_the_day_is_used_up(linkedin: LinkedInStandIn, connect: Callable[..., LinkedInAdapter], clock: FixedClock) -> None:
    adapter = connect(*SCOPES, daily_calls=50)
    linkedin.world.say(CUSTOMER, "Where is my train?")
    asked = only(adapter.poll(None).events)
    while adapter.poll(None).position is not None:
        pass
    assert len(linkedin.calls) <= 45
    assert [probe.is_ok for probe in adapter.probe() if probe.name == "calls"] == [True]
    adapter.deliver(answer_to(asked, "Platform 7.", clock), marker=MARKER)
    while len(linkedin.calls) < 50:
        adapter.describe(replace(asked.author, ref=PAGE))
    with pytest.raises(RateLimited, match="daily_calls") as limited:
        adapter.deliver(answer_to(asked, "Platform 8.", clock), marker=MARKER)
    assert limited.value.retry_after == DAY / 2
    clock.advance(DAY / 2)
    linkedin.arm(Kind.RATE_LIMIT)
    with pytest.raises(RateLimited, match="midnight UTC") as told:
        adapter.poll(None)
    assert told.value.retry_after == DAY


def test_what_the_day_had_no_room_for_is_read_the_next(
    linkedin: LinkedInStandIn, connect: Callable[..., LinkedInAdapter], clock: FixedClock
) -> None:
    polls = Polls(connect(*SCOPES, daily_calls=60))
    polls()
    told: list[str] = []
    while linkedin.calls and len(linkedin.calls) < 46:
        clock.advance(600)
        linkedin.world.say(CUSTOMER, f"Question {len(linkedin.world.comments)}")
        told += [event.text.plain for event in polls()]
    for _ in range(3):
        clock.advance(600)
        linkedin.world.say(CUSTOMER, f"Question {len(linkedin.world.comments)}")
        assert polls() == []
    clock.advance(DAY)
    told += [event.text.plain for event in polls()]
    assert sorted(told) == sorted(f"Question {number}" for number in range(len(linkedin.world.comments)))


def test_signing_in(linkedin: LinkedInStandIn, connect: Callable[..., LinkedInAdapter], clock: FixedClock, secrets: MemorySecrets) -> None:
    adapter = connect()
    with pytest.raises(CredentialsRejected, match="No LinkedIn account"):
        adapter.poll(None)
    assert "code_challenge" not in adapter.authorize_url(GRANT)
    with pytest.raises(CredentialsRejected, match="w_organization_social_feed"):
        adapter.exchange(linkedin.signing_in.agree(GRANT.redirect_url, "", *SCOPES[:3], SCOPES[4]), GRANT)
    linkedin.role = "ANALYST"
    with pytest.raises(CredentialsRejected, match="has the role ANALYST"):
        adapter.exchange(linkedin.signing_in.agree(GRANT.redirect_url, "", *SCOPES), GRANT)
    linkedin.role = "ADMINISTRATOR"
    adapter.exchange(linkedin.signing_in.agree(GRANT.redirect_url, "", *SCOPES), GRANT)
    told = {probe.name: probe for probe in adapter.probe()}
    assert all(probe.is_ok for probe in told.values())
    assert ADMIN in told["account"].answer
    clock.advance(61 * DAY)  # the token has ended and is renewed
    adapter.poll(None)
    assert secrets.renewals > 1
    assert "2027-11-21" in {probe.name: probe for probe in adapter.probe()}["sign-in"].answer
    clock.advance(295 * DAY)
    told = {probe.name: probe for probe in adapter.probe()}
    assert (told["sign-in"].is_ok, told["API version"].is_ok) == (False, False)
    linkedin.signing_in.renewals.clear()
    linkedin.signing_in.end()
    with pytest.raises(CredentialsRejected, match="does not renew"):
        adapter.poll(None)
    assert not adapter.probe()[0].is_ok


def test_a_permission_or_a_version_is_missing(linkedin: LinkedInStandIn, connect: Callable[..., LinkedInAdapter]) -> None:
    with pytest.raises(CredentialsRejected, match="did not allow rw_organization_admin"):
        connect(*SCOPES[:4]).poll(None)
    fewer = connect(*SCOPES[:2], scopes=list(SCOPES[:2]))
    with pytest.raises(CredentialsRejected, match="Not enough permissions to access: socialMetadata"):
        fewer.poll(None)
    with pytest.raises(CredentialsRejected, match="api_version"):
        connect(*SCOPES, api_version="202401").poll(None)


def test_the_webhook_is_registered_and_renewed(
    linkedin: LinkedInStandIn, connect: Callable[..., LinkedInAdapter], clock: FixedClock
) -> None:
    with pytest.raises(Unsupported, match="application_id"):
        connect(*SCOPES).register_webhook()
    adapter = connect(*SCOPES, application_id=APPLICATION_ID)
    assert [probe.answer for probe in adapter.probe() if probe.name == "webhook"] == ["none"]
    for _ in range(2):
        adapter.register_webhook()
    assert [probe.is_ok for probe in adapter.probe() if probe.name == "webhook"] == [True]
    key, before = next(iter(linkedin.subscriptions.items()))
    position = adapter.poll(None).position
    clock.advance(25 * DAY)
    adapter.poll(adapter.poll(position).position)
    assert linkedin.subscriptions[key]["expiresAt"] > before["expiresAt"]


def test_a_webhook_that_linkedin_dropped_is_told_until_it_is_registered_again(
    linkedin: LinkedInStandIn, connect: Callable[..., LinkedInAdapter], clock: FixedClock
) -> None:
    adapter = connect(*SCOPES, application_id=APPLICATION_ID)
    adapter.register_webhook()
    polled = adapter.poll(None)
    assert polled.silent == ""
    linkedin.subscriptions.clear()
    polled = adapter.poll(polled.position)
    assert polled.silent == ""
    clock.advance(DAY)
    polled = adapter.poll(polled.position)
    assert polled.silent == "LinkedIn tells nobody of what happens on the page; the polls bring it later."
    adapter.register_webhook()
    assert adapter.poll(polled.position).silent == polled.silent
    clock.advance(3600)
    assert adapter.poll(polled.position).silent == ""
    assert connect(*SCOPES).poll(None).silent is None


def test_who_somebody_is(linkedin: LinkedInStandIn, connect: Callable[..., LinkedInAdapter]) -> None:
    linkedin.world.say(CUSTOMER, "Where is my train?")
    adapter = connect(*SCOPES)
    person = only(adapter.poll(None).events).author
    assert adapter.describe(person) == person
    named = connect(*SCOPES, names=True).describe(person)
    assert (named.display_name, named.handle) == ("Lena Marsh", "lena-marsh")
    assert adapter.describe(replace(person, ref=PAGE)).display_name == "Example Rail"
