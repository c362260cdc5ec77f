"""The adapter and the example of docs/examples/comment-box, over HTTP: each holds the other to the contract."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from plugin.domain.errors import CredentialsRejected, SignatureInvalid, TargetGone
from plugin.domain.events import MessageReceived
from plugin.domain.ids import Marker, MessageRef, ThreadKey
from plugin.domain.model import File, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.testing.outgoing import answer_to, outbound

MARKER, OTHER = Marker("0pv4q1k2m3n4o5p6q7r8s9t0uv"), Marker("0pv4q1k2m3n4o5p6q7r8s9t0ux")


def secret(letter: str) -> str:
    return "whsec_" + base64.b64encode(letter.encode() * 32).decode()


def test_a_question_is_asked_answered_edited_and_the_answer_taken_back(comment_box: Any) -> None:
    adapter = comment_box.connect()
    comment_box.say("Lena", "Is it <open> on Sunday?")
    (told,) = comment_box.heard
    adapter.verify(told)
    (event,) = adapter.parse(told)
    assert isinstance(event, MessageReceived)
    assert (event.text.plain, event.author.display_name, event.visibility, event.remarks) == (
        "Is it <open> on Sunday?",
        "Lena",
        Visibility.PUBLIC,
        (),
    )

    words = Text("Yes, see here.", (Mark(9, 13, MarkKind.LINK, "https://shop.example/hours"),))
    message = answer_to(event, words, files=(File(filename="hours.txt", content_type="text/plain", content=b"9 to 5"),))
    assert adapter.find_delivered(message, marker=MARKER) is None
    receipt = adapter.deliver(message, marker=MARKER)
    assert adapter.deliver(message, marker=MARKER) == receipt == adapter.find_delivered(message, marker=MARKER)
    assert comment_box.page().count("Yes, see here (https://shop.example/hours).") == 1

    assert adapter.edit(receipt.message_ref, replace(message, text=Text("Yes, 9 to 5.")), marker=OTHER).message_ref == receipt.message_ref
    assert "Yes, 9 to 5." in comment_box.page()
    for marker in ("0pv4q1k2m3n4o5p6q7r8s9t0v0", "0pv4q1k2m3n4o5p6q7r8s9t0v1"):
        adapter.delete(receipt.message_ref, message.thread_key, marker=Marker(marker))
    assert "9 to 5" not in comment_box.page()
    with pytest.raises(TargetGone, match="does not exist"):
        adapter.edit(receipt.message_ref, message, marker=Marker("0pv4q1k2m3n4o5p6q7r8s9t0v2"))


def test_what_was_told_is_found_again_by_asking(comment_box: Any) -> None:
    adapter = comment_box.connect()
    assert adapter.poll(None).events == ()
    for number in range(3):
        comment_box.say("Lena", f"This is number {number}.")
    polled = adapter.poll({"cursor": "0"})
    assert polled.events == tuple(adapter.parse(told)[0] for told in comment_box.heard)
    assert (len(polled.events), polled.has_more) == (3, False)
    assert adapter.poll(polled.position).events == ()
    comment_box.say("Lena", "One more.", reply_to="m1")
    (last,) = adapter.poll(polled.position).events
    assert (last.thread_key, last.parent_ref) == ("public:m1", "m1")


def test_the_probes_tell_a_working_channel_from_a_broken_one(comment_box: Any) -> None:
    assert [(one.name, one.is_ok) for one in comment_box.connect().probe()] == [
        ("ping", True),
        ("events to us", True),
        ("read-back", True),
        ("events", True),
    ]
    broken = comment_box.connect(send_secret=secret("x")).probe()
    assert [one.name for one in broken if not one.is_ok] == ["ping", "read-back", "events"]
    assert all(secret("x") not in repr(one) for one in broken)
    elsewhere = comment_box.connect(url=f"{comment_box.url}/nowhere").probe()
    assert not elsewhere[0].is_ok


def test_secrets_are_changed_without_a_gap(comment_box: Any) -> None:
    message = outbound("public:m1", "Good day.", visibility=Visibility.PUBLIC)
    comment_box.say("Lena", "Hello?")
    (told,) = comment_box.heard
    changed = comment_box.connect(
        receive_secret=secret("n"), previous_receive_secret=secret("t"), send_secret=secret("m"), previous_send_secret=secret("c")
    )
    changed.verify(told)
    assert changed.deliver(message, marker=MARKER).message_ref == MessageRef("m2")
    strange = comment_box.connect(receive_secret=secret("n"), send_secret=secret("m"))
    with pytest.raises(SignatureInvalid):
        strange.verify(told)
    with pytest.raises(CredentialsRejected, match="send_secret"):
        strange.deliver(message, marker=OTHER)


def test_a_conversation_that_is_gone_is_said_to_be(comment_box: Any) -> None:
    comment_box.say("Lena", "Hello?")
    (event,) = comment_box.connect().parse(comment_box.heard[0])
    message = answer_to(event, Text("Hello."), thread_key=ThreadKey("public:m99"))
    with pytest.raises(TargetGone):
        comment_box.connect().deliver(message, marker=MARKER)
