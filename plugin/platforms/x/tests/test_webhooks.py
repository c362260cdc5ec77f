"""What X delivers, over HTTP: registration with its challenge, signatures, both kinds of webhook, and the net below them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugin.contracts.http import WebhookRequest
from plugin.domain.errors import RemoteRejected, SignatureInvalid
from plugin.domain.events import DeliveryStatus, DeliveryUpdated, MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.model import Visibility
from plugin.platforms.x.adapter import XAdapter
from plugin.platforms.x.tests.conftest import Connected, Receiver
from plugin.platforms.x.webhooks import signature
from plugin.testing.outgoing import answer_to, outbound
from plugin.testing.standins.x import ACCOUNT, BYSTANDER, CONSUMER_SECRET, CUSTOMER, XStandIn

QUESTION = "@ExampleRail where is my train? 1 < 2 & see trains.example.com/8?a=1&copy=2"


def received(receiver: Receiver) -> list[MessageReceived]:
    return [event for event in receiver.events() if isinstance(event, MessageReceived)]


def test_a_mention_comes_with_words_links_and_facts(x: XStandIn, registered: XAdapter, receiver: Receiver) -> None:
    post = x.world.person_posts(CUSTOMER, QUESTION)
    x.hooks.settle()
    (event,) = received(receiver)
    assert event.text.plain == QUESTION.replace("trains.example.com", "http://trains.example.com")
    assert (event.message_ref, event.thread_key) == (post.id, f"public/{post.id}/{CUSTOMER}")
    assert (event.author.handle, event.author.followers, event.author.is_verified) == ("lena_marsh", 97, False)
    assert event.author.created_at is not None
    assert (event.no_reply, event.found_by, event.is_own, event.visibility) == ("", "", False, Visibility.PUBLIC)


def test_mention_answer_and_poll_of_one_post_are_one_event(x: XStandIn, registered: XAdapter, receiver: Receiver) -> None:
    ours = x.world.person_posts(ACCOUNT, "The new timetable is out")
    x.world.person_posts(CUSTOMER, "Thanks @ExampleRail", reply_to=ours.id)
    x.hooks.settle()
    told = received(receiver)
    polled = [event for event in registered.poll(None).events if isinstance(event, MessageReceived)]
    assert len(told) == 2
    assert {event.event_key for event in told} == {event.event_key for event in polled}
    assert told[0].thread_key == polled[0].thread_key


def test_our_own_peoples_answers_come_as_ours_into_the_customers_conversation(
    x: XStandIn, registered: XAdapter, receiver: Receiver
) -> None:
    asked = x.world.person_posts(CUSTOMER, "@ExampleRail where is my train?")
    first = x.world.person_posts(ACCOUNT, "In Graz.", reply_to=asked.id)
    x.world.person_posts(ACCOUNT, "Still.", reply_to=first.id)
    x.world.person_posts(ACCOUNT, "The new timetable is out")
    x.world.person_reposts(CUSTOMER, asked.id)
    x.hooks.settle()
    told = received(receiver)
    assert [(event.text.plain, event.is_own) for event in told] == [
        ("@ExampleRail where is my train?", False),
        ("In Graz.", True),
        ("Still.", True),
    ]
    assert len({event.thread_key for event in told}) == 1


def test_an_edit_comes_as_a_revision_of_the_first_wording(x: XStandIn, registered: XAdapter, receiver: Receiver) -> None:
    post = x.world.person_posts(CUSTOMER, "@ExampleRail where is my tram?")
    x.world.person_edits(post.id, "@ExampleRail where is my train?")
    x.hooks.settle()
    first, again, edit = receiver.events()
    assert isinstance(first, MessageReceived)
    assert isinstance(again, MessageReceived)
    assert isinstance(edit, MessageEdited)
    assert first.event_key == again.event_key
    assert (edit.message_ref, edit.revision, edit.text.plain) == (post.id, "01", "@ExampleRail where is my train?")


def test_our_own_deletion_is_told_and_a_customers_is_found_by_looking(x: XStandIn, registered: XAdapter, receiver: Receiver) -> None:
    asked = x.world.person_posts(CUSTOMER, "@ExampleRail where is my train?")
    ours = x.world.person_posts(ACCOUNT, "In Graz.", reply_to=asked.id)
    other = x.world.person_posts(CUSTOMER, "@ExampleRail never mind")
    hidden = x.world.person_posts(BYSTANDER, "@ExampleRail hello")
    x.world.person_edits(other.id, "@ExampleRail no, it is late")
    x.world.people[BYSTANDER].is_protected = True
    x.world.person_deletes(ours.id)
    x.world.person_deletes(asked.id)
    x.hooks.settle()
    (told,) = [event for event in receiver.events() if isinstance(event, MessageDeleted)]
    assert (told.message_ref, told.is_own) == (ours.id, True)
    refs: list[Any] = [asked.id, other.id, hidden.id, "dm:12345"]
    found = registered.recheck(refs)
    assert [type(event) for event in found] == [MessageEdited, MessageDeleted]
    assert [getattr(event, "message_ref", None) for event in found] == [other.id, asked.id]
    assert found == registered.recheck(refs)
    looked_up = [query["ids"] for method, path, query in x.calls if (method, path) == ("GET", "/2/tweets")]
    assert looked_up[0] == f"{asked.id},{other.id},{hidden.id}"


def test_private_messages_reads_and_encrypted_chats(x: XStandIn, registered: XAdapter, receiver: Receiver) -> None:
    picture = x.world.add_file(CUSTOMER, b"\x89PNG the label", category="dm_image")
    x.world.person_writes(CUSTOMER, ACCOUNT, "Here is the label", media=[picture])
    ours = x.world.person_writes(ACCOUNT, CUSTOMER, "Thanks!")
    x.world.person_reads(CUSTOMER, ours.id)
    x.world.person_chats(CUSTOMER, ACCOUNT)
    x.hooks.settle()
    theirs, own, read, chat = receiver.events()
    assert isinstance(theirs, MessageReceived)
    assert isinstance(own, MessageReceived)
    assert isinstance(read, DeliveryUpdated)
    assert isinstance(chat, MessageReceived)
    assert (theirs.text.plain, theirs.visibility, own.is_own) == ("Here is the label", Visibility.PRIVATE, True)
    assert theirs.thread_key == own.thread_key
    assert (read.message_ref, read.status) == (own.message_ref, DeliveryStatus.READ)
    assert (chat.text.plain, len(chat.remarks)) == ("", 1)
    assert registered.fetch_media(theirs.attachments[0], max_bytes=1000).content == b"\x89PNG the label"
    (polled_theirs, polled_own) = registered.poll(None).events
    assert isinstance(polled_theirs, MessageReceived)
    assert (polled_theirs.event_key, polled_own.event_key) == (theirs.event_key, own.event_key)
    assert polled_theirs.attachments == theirs.attachments


def test_a_public_picture_is_fetched_with_its_description(x: XStandIn, registered: XAdapter, receiver: Receiver) -> None:
    picture = x.world.add_file(CUSTOMER, b"\x89PNG a cold coach")
    x.world.media[picture].alt = "A cold coach"
    x.world.person_posts(CUSTOMER, "@ExampleRail look", media=[picture])
    x.hooks.settle()
    (event,) = received(receiver)
    assert event.text.plain == "@ExampleRail look"
    file = registered.fetch_media(event.attachments[0], max_bytes=1000)
    assert (file.content, file.content_type, file.description) == (b"\x89PNG a cold coach", "image/png", "A cold coach")


@pytest.mark.parametrize("intake", ["activity", "account_activity"])
def test_both_kinds_of_webhook_tell_the_same(x: XStandIn, connect: Callable[..., Connected], receiver: Receiver, intake: str) -> None:
    receiver.adapter = connect(webhook_url=receiver.url, intake=intake).adapter
    for _ in range(2 if intake == "activity" else 1):
        receiver.adapter.register_webhook()
    x.world.person_posts(CUSTOMER, "@ExampleRail " + "my train is late & cold. " * 20)
    x.world.person_writes(CUSTOMER, ACCOUNT, "hello")
    x.world.people[BYSTANDER].has_blocked.add(ACCOUNT)
    x.hooks.settle()
    post, message = received(receiver)
    assert post.text.plain == ("@ExampleRail " + "my train is late & cold. " * 20).strip()
    assert (message.text.plain, message.author.handle) == ("hello", "lena_marsh")
    polled = receiver.adapter.poll(None).events
    assert [event.event_key for event in polled] == [post.event_key, message.event_key]
    assert all(probe.is_ok for probe in receiver.adapter.probe()), receiver.adapter.probe()


def test_the_older_webhook_says_who_has_blocked_us(x: XStandIn, connect: Callable[..., Connected], receiver: Receiver) -> None:
    receiver.adapter = connect(webhook_url=receiver.url, intake="account_activity").adapter
    receiver.adapter.register_webhook()
    x.world.people[CUSTOMER].has_blocked.add(ACCOUNT)
    x.world.person_posts(CUSTOMER, "@ExampleRail you are no help")
    x.hooks.settle()
    assert "blocked" in received(receiver)[0].no_reply


def test_the_new_spelling_is_read_as_the_old(x: XStandIn, connect: Callable[..., Connected], receiver: Receiver) -> None:
    receiver.adapter = connect(webhook_url=receiver.url).adapter
    receiver.adapter.register_webhook()
    x.shapes.spelling = "post"
    asked = x.world.person_posts(CUSTOMER, "@ExampleRail " + "my train is late. " * 30)
    edited = x.world.person_edits(asked.id, "@ExampleRail " + "my train is cold. " * 30)
    x.world.person_posts(ACCOUNT, "Sorry.", reply_to=edited.id)
    x.hooks.settle()
    told = {event.event_key: event for event in receiver.events()}
    polled = connect(spelling="post", direct_messages=False).adapter.poll(None)
    assert {event.event_key for event in polled.events} == set(told)
    for event in polled.events:
        assert event.thread_key == told[event.event_key].thread_key
    assert {name for _, _, query in x.calls for name in query if name.endswith("t.fields")} == {"post.fields"}


def test_forgeries_are_refused_and_the_challenge_signs_none(x: XStandIn, registered: XAdapter, receiver: Receiver) -> None:
    x.world.person_posts(CUSTOMER, "@ExampleRail hello")
    x.hooks.settle()
    (request,) = receiver.requests
    for forged in (
        replace(request, body=request.body.replace(b"hello", b"hallo")),
        replace(request, headers={**request.headers, "x-twitter-webhooks-signature": signature("another secret", request.body)}),
        replace(request, headers={}),
        replace(request, method="PUT"),
    ):
        with pytest.raises(SignatureInvalid):
            registered.verify(forged)
    bare = {"method": "GET", "path": "", "headers": {}, "body": b""}
    for token in ('{"data": {}}', request.body.decode(), "", "a b", "x" * 300):
        with pytest.raises(SignatureInvalid):
            registered.answer(WebhookRequest(query={"crc_token": token}, **bare))  # type: ignore[arg-type]
    told = registered.answer(WebhookRequest(query={"crc_token": "challenge_string"}, **bare))  # type: ignore[arg-type]
    assert told is not None
    assert json.loads(told.body) == {"response_token": signature(CONSUMER_SECRET, b"challenge_string")}
    assert registered.answer(WebhookRequest(query={}, **bare)) is None  # type: ignore[arg-type]


def test_the_signature_is_the_documented_one() -> None:
    # printf token | openssl dgst -sha256 -hmac secret -binary | base64
    assert signature("secret", b"token") == "sha256=6UERDj0r/oJiHw4+FDRzDXMF0QbF9oyHFl0LJ6RhGko="


def test_while_the_secret_is_changed_both_count(x: XStandIn, connect: Callable[..., Connected]) -> None:
    adapter = connect(consumer_secret="the-new-consumer-secret", previous_consumer_secret=CONSUMER_SECRET).adapter
    for secret in (CONSUMER_SECRET, "the-new-consumer-secret"):
        headers = {"x-twitter-webhooks-signature": signature(secret, b"{}")}
        adapter.verify(WebhookRequest(method="POST", path="", headers=headers, query={}, body=b"{}"))


def test_an_address_that_fails_the_challenge_is_not_taken(x: XStandIn, connect: Callable[..., Connected], receiver: Receiver) -> None:
    receiver.adapter = connect(consumer_secret="quite-another-secret").adapter
    adapter = connect(webhook_url=receiver.url).adapter
    with pytest.raises(RemoteRejected, match="CRC validation"):
        adapter.register_webhook()
    with pytest.raises(RemoteRejected, match="without a port"):
        connect(webhook_url="https://desk.example:8443/in/channel/x").adapter.register_webhook()
    assert not x.hooks.webhooks


def test_a_webhook_that_x_gave_up_is_seen_and_revived(x: XStandIn, registered: XAdapter, receiver: Receiver) -> None:
    x.hooks.invalidate()
    x.world.person_posts(CUSTOMER, "@ExampleRail lost")
    x.hooks.settle()
    assert receiver.requests == []
    assert {probe.name: probe.is_ok for probe in registered.probe()}["webhook"] is False
    polled = registered.poll(None)
    assert [event.text.plain for event in polled.events if isinstance(event, MessageReceived)] == ["@ExampleRail lost"]
    assert polled.position is not None
    before = registered.poll(polled.position)
    assert next(iter(x.hooks.webhooks.values())).is_valid is False
    assert before.position is not None
    late = {**before.position, "checked": (datetime.now(UTC) - timedelta(hours=2)).isoformat()}
    assert registered.poll(late).silent == ""
    assert next(iter(x.hooks.webhooks.values())).is_valid is True


def test_an_address_that_x_cannot_reach_is_told_until_it_can(x: XStandIn, registered: XAdapter, receiver: Receiver) -> None:
    def hours_later(position: Any) -> dict[str, Any]:
        return {**position, "checked": (datetime.now(UTC) - timedelta(hours=2)).isoformat()}

    first = registered.poll(None)
    assert first.silent is None
    x.hooks.invalidate()
    receiver.adapter = None
    silent = registered.poll(hours_later(first.position))
    assert "cannot reach our address" in str(silent.silent)
    still = registered.poll(silent.position)
    assert still.silent == silent.silent
    receiver.adapter = registered
    well = registered.poll(still.position)
    assert well.silent == "", "while it is silent, it is looked after at every poll"
    x.hooks.webhooks.clear()
    assert registered.poll(well.position).silent == "", "once an hour is enough"
    assert "does not know our address" in str(registered.poll(hours_later(well.position)).silent)


def test_what_no_poll_brings_is_delivered_again_after_a_gap(x: XStandIn, registered: XAdapter, receiver: Receiver) -> None:
    ours = x.world.person_posts(ACCOUNT, "Trains run again")
    first = registered.poll(None)
    x.hooks.invalidate()
    x.world.person_posts(CUSTOMER, "They call this running", quote=ours.id)
    x.hooks.settle()
    for one in x.hooks.told:
        one.at -= 3_600
    assert first.position is not None
    assert registered.poll(first.position).events == ()
    registered.poll({**first.position, "checked": (datetime.now(UTC) - timedelta(hours=3)).isoformat()})
    x.hooks.settle()
    assert "They call this running" in [event.text.plain for event in receiver.events() if isinstance(event, MessageReceived)]
    asked = sum(call[1] == "/2/webhooks/replay" for call in x.calls)
    registered.poll({**first.position, "checked": (datetime.now(UTC) - timedelta(minutes=70)).isoformat()})
    assert sum(call[1] == "/2/webhooks/replay" for call in x.calls) == asked == 1, "nothing was missed, and nothing is asked for again"


def test_the_polls_catch_up_and_say_what_is_beyond_reach(x: XStandIn, adapter: XAdapter) -> None:
    first = adapter.poll(None)
    assert first.events == ()
    for number in range(230):
        x.world.person_posts(CUSTOMER, f"@ExampleRail number {number}")
    for number in range(30):
        x.world.person_writes(CUSTOMER, ACCOUNT, f"message {number}")
    second = adapter.poll(first.position)
    texts = [event.text.plain for event in second.events if isinstance(event, MessageReceived)]
    assert texts == [f"@ExampleRail number {number}" for number in range(230)] + [f"message {number}" for number in range(30)]
    assert adapter.poll(second.position).events == ()
    for number in range(900):
        x.world.person_posts(CUSTOMER, f"@ExampleRail more {number}")
    third = adapter.poll(second.position)
    assert len(third.events) == 800


def test_a_bystander_is_told_apart(x: XStandIn, adapter: XAdapter) -> None:
    asked = x.world.person_posts(CUSTOMER, "@ExampleRail where is my train?")
    x.world.person_posts(BYSTANDER, "Write to help@scam.example", reply_to=asked.id)
    x.world.person_posts(BYSTANDER, "@ExampleRail my train is late, too", reply_to=asked.id)
    own, aside, addressed = (event for event in adapter.poll(None).events if isinstance(event, MessageReceived))
    assert aside.thread_key == own.thread_key
    assert (aside.author.handle, aside.author.is_bot, aside.text.plain) == ("helpful_bot", True, "Write to help@scam.example")
    assert addressed.thread_key == f"public/{asked.id}/{BYSTANDER}"


def test_a_saved_search_finds_and_says_whom_we_may_not_answer(x: XStandIn, adapter: XAdapter) -> None:
    ours = x.world.person_posts(ACCOUNT, "Example Rail announces")
    for number in range(25):
        x.world.person_posts(CUSTOMER, f"Example Rail is late {number}")
    x.world.person_posts(CUSTOMER, "This of Example Rail is funny", quote=ours.id)
    x.world.person_posts(CUSTOMER, "@ExampleRail Example Rail is late, too")
    found: list[MessageReceived] = []
    position, goes_on = None, True
    while goes_on:
        polled = adapter.search("brand", "example rail", position, most=12)
        assert len(polled.events) + len(polled.skipped) <= 12
        found += [event for event in polled.events if isinstance(event, MessageReceived)]
        position, goes_on = polled.position, polled.has_more
    assert len(found) == len({event.event_key for event in found}) == 26
    assert {event.found_by for event in found} == {"brand"}
    assert {event.text.plain for event in found if not event.no_reply} == {"This of Example Rail is funny"}
    assert adapter.search("brand", "example rail", position, most=12).events == ()
    x.world.person_posts(BYSTANDER, "Example Rail again")
    assert len(adapter.search("brand", "example rail", position, most=12).events) == 1
    with pytest.raises(RemoteRejected):
        adapter.search("brand", 'example "rail', position, most=12)


def test_a_saved_search_that_found_nothing_for_a_week_goes_on(x: XStandIn, adapter: XAdapter) -> None:
    old = [x.world.person_posts(CUSTOMER, f"Example Rail is late {number}") for number in range(3)]
    halfway = adapter.search("brand", "example rail", None, most=2)
    done = adapter.search("brand", "example rail", halfway.position, most=2)
    for post in old:
        x.world.posts[post.id].at -= 8 * 86_400
    new = x.world.person_posts(BYSTANDER, "Example Rail again")
    for begun, brings in ((done.position, 1), (halfway.position, 1), ({**(halfway.position or {}), "top": new.id}, 0)):
        position, goes_on, found = begun, True, []
        while goes_on:
            polled = adapter.search("brand", "example rail", position, most=12)
            found += [event.event_key for event in polled.events]
            position, goes_on = polled.position, polled.has_more
        assert found == [f"post:{new.id}"] * brings
        assert position == {"since": new.id}


def test_what_was_sent_comes_back_as_the_same_message(x: XStandIn, registered: XAdapter, receiver: Receiver, marker: Any) -> None:
    x.world.person_posts(CUSTOMER, "@ExampleRail where is my train?")
    x.world.person_writes(CUSTOMER, ACCOUNT, "hello")
    x.hooks.settle()
    asked, written = received(receiver)
    sent = [registered.deliver(answer_to(event, "In Graz & on time."), marker=marker).message_ref for event in (asked, written)]
    x.hooks.settle()
    echoes = received(receiver)[2:]
    assert [echo.message_ref for echo in echoes] == sent
    assert all(echo.is_own and echo.text.plain == "In Graz & on time." for echo in echoes)
    assert [echo.thread_key for echo in echoes] == [asked.thread_key, written.thread_key]
    assert outbound(asked.thread_key).thread_key == echoes[0].thread_key
