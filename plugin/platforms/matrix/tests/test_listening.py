"""What customers do on a real Synapse reaches us: pushed, and when asked for, the same."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from plugin.domain.errors import RemoteRejected, TargetGone
from plugin.domain.events import ContactReachability, MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.matrix.adapter import MatrixAdapter
from plugin.platforms.matrix.schema import MatrixSettings
from tests.matrix_customer import Customer

pytestmark = pytest.mark.servers
_numbers = itertools.count(1)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20


def test_who_invites_the_bot_is_heard_from_the_invitation_on(
    customer: Customer, adapter: MatrixAdapter, pushes: Any, settings: MatrixSettings, poller: Any
) -> None:
    room = customer.create_room()
    customer.send(room, "among ourselves")
    poller.poll()
    customer.invite(room, settings.user_id)
    early = customer.send(room, "are you there?")
    events = poller.poll()
    late = customer.send(room, "hello?")
    later = poller.poll()
    words = {event.event_key: event.text.plain for event in (*events, *later) if isinstance(event, MessageReceived)}
    assert words == {early: "are you there?", late: "hello?"}
    assert any(isinstance(event, ContactReachability) and event.is_reachable and event.thread_key == room for event in (*events, *later))
    assert pushes.named(late).text.plain == "hello?"


def test_push_and_poll_tell_the_same(customer: Customer, adapter: MatrixAdapter, pushes: Any, room: str, poller: Any) -> None:
    poller.poll()
    first = customer.send(
        room,
        "It is **broken**",
        format="org.matrix.custom.html",
        formatted_body="It is <b>broken</b>, see <a href='https://a.example/x'>here</a>",
    )
    answer = customer.reply(room, first, "since yesterday")
    threaded = customer.send(room, "in a thread", **{"m.relates_to": {"rel_type": "m.thread", "event_id": first, "is_falling_back": True}})
    edit = customer.edit(room, answer, "since Monday")
    reaction = customer.react(room, first, "👍")
    picture = customer.send_file(room, PICTURE, filename="error.png", content_type="image/png")
    encrypted = customer.send_event(room, {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"}, kind="m.room.encrypted")
    deletion = customer.redact(room, picture)
    keys = [first, answer, threaded, edit, reaction, picture, encrypted, deletion]
    by_push = [pushes.named(key) for key in keys]
    by_poll = {event.event_key: event for event in poller.poll()}
    assert [key for key in by_poll if key in keys] == keys
    assert [by_poll[key] for key in keys if key != picture] == [event for event in by_push if event.event_key != picture]
    assert getattr(by_poll[picture], "remarks", ()), "what was redacted before it was read says so"
    told = dict(zip(keys, by_push, strict=True))
    assert told[first].text == Text(
        "It is broken, see here", (Mark(6, 12, MarkKind.BOLD), Mark(18, 22, MarkKind.LINK, "https://a.example/x"))
    )
    assert (told[first].thread_key, told[first].visibility, told[first].is_own) == (room, Visibility.PRIVATE, False)
    assert told[first].author.ref == customer.user_id
    assert told[answer].parent_ref == first
    assert (told[threaded].thread_key, told[threaded].parent_ref) == (f"{room}/{first}", first)
    assert isinstance(told[edit], MessageEdited)
    assert (told[edit].message_ref, told[edit].text.plain, told[edit].author_ref) == (answer, "since Monday", customer.user_id)
    assert isinstance(told[reaction], ReactionChanged)
    assert (told[reaction].message_ref, told[reaction].emoji) == (first, "👍")
    assert isinstance(told[deletion], MessageDeleted)
    assert told[deletion].message_ref == picture
    assert "encrypted" in told[encrypted].remarks[0]
    customer.send_event(room, {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "y"}, kind="m.room.encrypted")
    assert not any(isinstance(event, MessageReceived) and event.is_own for event in (*poller.poll(), *poller.poll()))
    notices = [event for event in customer.messages(room) if event["content"].get("msgtype") == "m.notice"]
    assert len(notices) == 1, "the customer is told once that nobody can read this"


def test_a_long_silence_of_ours_loses_nothing(customer: Customer, adapter: MatrixAdapter, room: str, poller: Any) -> None:
    poller.poll()
    sent = [customer.send(room, f"message {number}") for number in range(105)]
    events = [event for event in poller.poll() if event.event_key in sent]
    assert [event.event_key for event in events] == sent


def test_a_file_comes_in(customer: Customer, adapter: MatrixAdapter, pushes: Any, room: str) -> None:
    event = pushes.named(customer.send_file(room, PICTURE, filename="error.png", content_type="image/png"))
    assert (event.text.plain, event.remarks) == ("", ())
    (attachment,) = event.attachments
    assert (attachment.filename, attachment.content_type, attachment.size) == ("error.png", "image/png", len(PICTURE))
    file = adapter.fetch_media(attachment, max_bytes=10_000)
    assert file.content == PICTURE
    with pytest.raises(RemoteRejected):
        adapter.fetch_media(attachment, max_bytes=100)
    with pytest.raises(TargetGone):
        adapter.fetch_media(Attachment(media_ref=MediaRef("mxc://crossdesk.test/nothing"), filename="x"), max_bytes=100)


def test_others_edits_say_who_made_them(
    homeserver: dict[str, Any], customer: Customer, adapter: MatrixAdapter, pushes: Any, room: str
) -> None:
    said = customer.send(room, "my words")
    stranger = Customer(homeserver, "stranger")
    customer.invite(room, stranger.user_id)
    stranger.join(room)
    assert pushes.named(stranger.edit(room, said, "not my words")).author_ref == stranger.user_id
    stranger.close()
