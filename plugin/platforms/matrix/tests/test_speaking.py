"""What is said on a real Synapse is there once, can be changed and taken back; and what the doctor finds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugin.domain.errors import CredentialsRejected, RemoteRejected, TargetGone
from plugin.domain.events import ContactReachability, DeliveryStatus, PlatformEvent
from plugin.domain.ids import ContactRef, Marker, MessageRef, ThreadKey
from plugin.domain.model import Contact, File, OutboundMessage, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.matrix.adapter import MatrixAdapter
from plugin.platforms.matrix.schema import MatrixSettings
from plugin.testing import outgoing
from tests.matrix_customer import Customer

pytestmark = pytest.mark.servers
_numbers = itertools.count(1)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20


def fresh_marker() -> Marker:
    return Marker(f"{next(_numbers):026d}")


def outbound(room: str, words: str | Text = "", **more: Any) -> OutboundMessage:
    return outgoing.outbound(room, words, **{"created_at": datetime.now(UTC), **more})


def bot_sends(adapter: MatrixAdapter, room: str, content: Mapping[str, Any]) -> str:
    return adapter._homeserver.send(
        f"/_matrix/client/v3/rooms/{room.replace('!', '%21')}/send/m.room.message/other{next(_numbers)}", content
    )


def test_the_same_delivery_twice_is_one_message(customer: Customer, adapter: MatrixAdapter, pushes: Any, room: str) -> None:
    asked = customer.send(room, "how?")
    marker, message = fresh_marker(), outbound(room, "Switch it off & on.", reply_to=MessageRef(asked))
    assert adapter.find_delivered(message, marker=marker) is None
    first, second = adapter.deliver(message, marker=marker), adapter.deliver(message, marker=marker)
    assert first == second == adapter.find_delivered(message, marker=marker)
    (event,) = [event for event in customer.messages(room) if event["content"]["body"] == "Switch it off & on."]
    assert event["content"]["m.relates_to"]["m.in_reply_to"]["event_id"] == asked
    echo = pushes.named(first.message_ref)
    assert (echo.is_own, echo.marker, echo.message_ref) == (True, marker, first.message_ref)


def test_it_is_told_that_the_customer_has_read_a_reply(customer: Customer, adapter: MatrixAdapter, pushes: Any, room: str) -> None:
    sent = adapter.deliver(outbound(room, "We come at four."), marker=fresh_marker())
    customer.read(room, sent.message_ref)
    read = pushes.named(f"{sent.message_ref} read by {customer.user_id}")
    assert (read.message_ref, read.status, read.occurred_at is not None) == (sent.message_ref, DeliveryStatus.READ, True)


def test_people_are_made_known_by_the_name_that_they_gave_themselves(customer: Customer, adapter: MatrixAdapter) -> None:
    customer.call("PUT", f"/_matrix/client/v3/profile/{customer.user_id}/displayname", json={"displayname": "Alice Ångström"})
    assert adapter.describe(Contact(ref=ContactRef(customer.user_id), handle="alice")).display_name == "Alice Ångström"


def test_formatting_goes_out(customer: Customer, adapter: MatrixAdapter, room: str) -> None:
    words = "Dear <you>, read this"
    text = Text(
        words,
        (Mark(5, 10, MarkKind.MENTION, customer.user_id), Mark(12, 16, MarkKind.BOLD), Mark(17, 21, MarkKind.LINK, "https://a.example/")),
    )
    receipt = adapter.deliver(outbound(room, text), marker=fresh_marker())
    content = customer.wait_for(room, lambda event: event["event_id"] == receipt.message_ref)["content"]
    assert content["body"] == "Dear <you>, read this (https://a.example/)"
    mention = f'<a href="https://matrix.to/#/{customer.user_id}">&lt;you&gt;</a>'
    assert content["formatted_body"] == f'Dear {mention}, <b>read</b> <a href="https://a.example/">this</a>'
    assert content["m.mentions"] == {"user_ids": [customer.user_id]}


def test_an_answer_in_a_thread_stays_there(customer: Customer, adapter: MatrixAdapter, pushes: Any, room: str) -> None:
    root = customer.send(room, "first")
    receipt = adapter.deliver(outbound(f"{room}/{root}", "answer"), marker=fresh_marker())
    relation = customer.wait_for(room, lambda event: event["event_id"] == receipt.message_ref)["content"]["m.relates_to"]
    assert (relation["rel_type"], relation["event_id"]) == ("m.thread", root)
    assert pushes.named(receipt.message_ref).thread_key == f"{room}/{root}"
    with pytest.raises(RemoteRejected):
        adapter.deliver(outbound(f"{room}/$nothing", "answer"), marker=fresh_marker())


def test_files_and_words_are_one_delivery(customer: Customer, adapter: MatrixAdapter, pushes: Any, room: str) -> None:
    files = (
        File(filename="picture.png", content_type="image/png", content=PICTURE),
        File(filename="grüße & co.txt", content_type="text/plain", content=b"hello", description="A list"),
    )
    marker, message = fresh_marker(), outbound(room, "Both are attached.", files=files)
    receipt = adapter.deliver(message, marker=marker)
    assert adapter.deliver(message, marker=marker) == receipt
    sent = [event for event in customer.messages(room) if event["content"].get("crossdesk.delivery", {}).get("marker") == marker]
    assert [event["event_id"] for event in sent] == [*receipt.extra_refs, receipt.message_ref]
    assert [event["content"]["msgtype"] for event in sent] == ["m.image", "m.file", "m.text"]
    assert [customer.download(event["content"]["url"]) for event in sent[:2]] == [PICTURE, b"hello"]
    assert (sent[1]["content"]["filename"], sent[1]["content"]["body"]) == ("grüße & co.txt", "A list")
    pushes.named(receipt.message_ref)
    echoes = [event.event_key for event in pushes.all() if getattr(event, "marker", None) == marker]
    assert echoes == [receipt.message_ref], "only the last part's echo stands for the delivery"
    assert not {event.event_key for event in pushes.all()} & set(receipt.extra_refs)
    without_files = replace(message, files=())
    assert adapter.find_delivered(without_files, marker=marker) == receipt


def test_half_a_delivery_is_completed(customer: Customer, adapter: MatrixAdapter, room: str) -> None:
    """What a crash left behind is found even when the homeserver has forgotten the transaction id."""
    marker = fresh_marker()
    file = File(filename="a.txt", content_type="text/plain", content=b"a")
    left = adapter.deliver(outbound(room, files=(file,)), marker=Marker("z" + marker[1:]))
    whole = customer.wait_for(room, lambda event: event["event_id"] == left.message_ref)["content"]
    half = {**whole, "crossdesk.delivery": {"marker": marker, "part": 1, "parts": 2}}
    bot_sends(adapter, room, half)
    message = outbound(room, "words", files=(file,))
    assert adapter.find_delivered(message, marker=marker) is None
    receipt = adapter.deliver(message, marker=marker)
    sent = [event for event in customer.messages(room) if event["content"].get("crossdesk.delivery", {}).get("marker") == marker]
    assert [event["event_id"] for event in sent] == [*receipt.extra_refs, receipt.message_ref]
    assert len(sent) == 2


def test_the_longest_part_fits(customer: Customer, adapter: MatrixAdapter, room: str) -> None:
    limit = adapter.capabilities.limits.text_length
    assert limit is not None
    for words in ("x" * limit, '"&' * (limit // 2), "😀" * (limit // 4)):
        receipt = adapter.deliver(outbound(room, Text(words, (Mark(0, 1, MarkKind.BOLD),))), marker=fresh_marker())
        (event,) = [event for event in customer.messages(room) if event["event_id"] == receipt.message_ref]
        assert event["content"]["body"] == words
        assert bool(receipt.losses) == ("formatted_body" not in event["content"])


def test_what_was_said_can_be_changed_and_taken_back(customer: Customer, adapter: MatrixAdapter, pushes: Any, room: str) -> None:
    sent = adapter.deliver(outbound(room, "Open at nine."), marker=fresh_marker())
    marker = fresh_marker()
    edited = adapter.edit(sent.message_ref, outbound(room, "Open at ten."), marker=marker)
    assert adapter.edit(sent.message_ref, outbound(room, "Open at ten."), marker=marker) == edited
    assert edited.message_ref == sent.message_ref
    edits = [event for event in customer.messages(room) if "m.new_content" in event["content"]]
    assert [event["content"]["m.new_content"]["body"] for event in edits] == ["Open at ten."]
    echo = pushes.named(edited.extra_refs[0])
    assert (echo.is_own, echo.message_ref, echo.text.plain) == (True, sent.message_ref, "Open at ten.")
    for _ in range(2):
        adapter.delete(sent.message_ref, ThreadKey(room), marker=fresh_marker())
    adapter.delete(MessageRef("$never-there"), ThreadKey(room), marker=fresh_marker())
    gone = next(event for event in customer.messages(room) if event["event_id"] == sent.message_ref)
    assert gone["content"] == {}
    with pytest.raises(TargetGone):
        adapter.edit(MessageRef("$never-there"), outbound(room, "x"), marker=fresh_marker())


def test_a_delivery_that_was_taken_back_is_not_sent_again(customer: Customer, adapter: MatrixAdapter, room: str) -> None:
    marker, message = fresh_marker(), outbound(room, "A mistake.")
    receipt = adapter.deliver(message, marker=marker)
    adapter.delete(receipt.message_ref, ThreadKey(room), marker=fresh_marker())
    assert adapter.find_delivered(message, marker=marker) == receipt


def test_a_bot_that_was_removed_says_so(
    customer: Customer, adapter: MatrixAdapter, pushes: Any, settings: MatrixSettings, poller: Any
) -> None:
    # The kick needs more rights than a creator of the newest room version leaves to one it trusts.
    room = customer.create_room(settings.user_id, preset="private_chat")
    poller.poll()
    customer.kick(room, settings.user_id)

    def is_removal(event: PlatformEvent) -> bool:
        return isinstance(event, ContactReachability) and event.thread_key == room and not event.is_reachable

    by_push = pushes.wait_for(is_removal)
    assert list(filter(is_removal, poller.poll())) == [by_push]
    with pytest.raises(RemoteRejected):
        adapter.deliver(outbound(room, "hello?"), marker=fresh_marker())
    customer.invite(room, settings.user_id)
    poller.poll()
    adapter.deliver(outbound(room, "hello again"), marker=fresh_marker())


def test_public_rooms_are_public_by_declaration(
    customer: Customer,
    appservice: dict[str, Any],
    adapter: MatrixAdapter,
    pushes: Any,
    settings: MatrixSettings,
    poller: Any,
    rebind: Callable[[MatrixSettings], MatrixAdapter],
) -> None:
    room = customer.create_room(settings.user_id, public=True)
    poller.poll()
    said = customer.send(room, "anyone?")
    declared = rebind(replace(settings, public_rooms=frozenset({room})))
    assert pushes.named(said).visibility is Visibility.PRIVATE
    event = pushes.named(said, adapter=declared)
    assert event.visibility is Visibility.PUBLIC
    contact = Contact(ref=event.author.ref)
    answer = outbound(room, "Here.", visibility=Visibility.PUBLIC, contact=contact, reply_to=event.message_ref)
    receipt = declared.deliver(answer, marker=fresh_marker())
    content = customer.wait_for(room, lambda event: event["event_id"] == receipt.message_ref)["content"]
    assert content["m.mentions"] == {"user_ids": [customer.user_id]}
    assert {probe.name: probe.is_ok for probe in declared.probe()}.get(f"room {room}") is None
    (wrong,) = [probe for probe in adapter.probe() if probe.name == f"room {room}"]
    assert not wrong.is_ok
    assert "public_rooms" in wrong.next_step


def test_the_doctor_asks_the_homeserver_to_call_back(
    adapter: MatrixAdapter, pushes: Any, settings: MatrixSettings, rebind: Callable[[MatrixSettings], MatrixAdapter]
) -> None:
    probes = {probe.name: probe for probe in adapter.probe()}
    assert all(probes[name].is_ok for name in ("homeserver", "bot account", "push to us", "rooms"))
    (*_, failed) = rebind(replace(settings, as_token="x" * 64)).probe()
    assert not failed.is_ok
    assert "M_UNKNOWN_TOKEN" in failed.answer
    assert settings.as_token not in failed.answer
    wrong = {probe.name: probe for probe in rebind(replace(settings, appservice_id="other")).probe()}
    assert not wrong["push to us"].is_ok
    with pytest.raises(CredentialsRejected):
        rebind(replace(settings, as_token="x" * 64)).poll(None)
    with pytest.raises(CredentialsRejected):
        rebind(replace(settings, user_id="@somebody:crossdesk.test")).poll(None)


def test_typing_and_reading_are_shown(customer: Customer, adapter: MatrixAdapter, room: str, settings: MatrixSettings) -> None:
    said = customer.send(room, "hm")
    adapter.mark_read(ThreadKey(room), MessageRef(said))
    adapter.send_typing(ThreadKey(room))
    seen = customer.call("GET", "/_matrix/client/v3/sync", params={"timeout": 0})["rooms"]["join"][room]["ephemeral"]["events"]
    told = {event["type"]: event["content"] for event in seen}
    assert settings.user_id in told["m.receipt"][said]["m.read"]
    assert told["m.typing"]["user_ids"] == [settings.user_id]


def test_old_deliveries_are_looked_for_only_as_far_back_as_needed(adapter: MatrixAdapter, room: str) -> None:
    message = outbound(room, "old", created_at=datetime.now(UTC) + timedelta(days=1))
    adapter.deliver(message, marker=fresh_marker())
    assert adapter.find_delivered(message, marker=fresh_marker()) is None
