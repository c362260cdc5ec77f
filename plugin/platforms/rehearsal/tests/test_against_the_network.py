"""The adapter against the practice network itself, over HTTP: what conformance cannot ask."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from plugin.contracts.platform import Connection
from plugin.domain.clock import SystemClock
from plugin.domain.errors import (
    CredentialsRejected,
    CrossdeskError,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    SignatureInvalid,
    TargetGone,
    UnsupportedEvent,
)
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MediaRef, MessageRef
from plugin.domain.model import Attachment, File, OutboundMessage, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.rehearsal.adapter import PLATFORM, RehearsalAdapter
from plugin.testing.fakes import MemorySecrets
from plugin.testing.outgoing import outbound
from plugin.transport.client import Transport
from tests.webhook_listener import Listener
from ui_extensions.rehearsal import serving
from ui_extensions.rehearsal.network.app import EXTENSION, NetworkSettings, Parts, create_network
from ui_extensions.rehearsal.network.model import Kind

TOKEN, SECRET = "company-token-0001", "webhook-secret-000001"
MARKER = Marker("0pv4q1k2m3n4o5p6q7r8s9t0uv")


@dataclass(frozen=True, slots=True)
class Setup:
    """A network, the adapter on it, and what its webhooks brought."""

    network: Parts
    adapter: RehearsalAdapter
    url: str
    listener: Listener


def connected(url: str, *, token: str = TOKEN, webhook_url: str = "http://127.0.0.1:9/in/channel/plaza", **more: Any) -> RehearsalAdapter:
    settings = PLATFORM.settings_schema.load({"url": url, "token": token, "webhook_secret": SECRET, **more})
    http = Transport().client(name="plaza", secrets=(token, SECRET))
    connection = Connection(http=http, clock=SystemClock(), secrets=MemorySecrets(), webhook_url=webhook_url)
    return PLATFORM.connect(ChannelKey("plaza"), settings, connection)


@pytest.fixture
def setup() -> Iterator[Setup]:
    made: list[Any] = []

    def build(url: str) -> Any:
        made.append(create_network(NetworkSettings(token=TOKEN), base_url=url))
        return made[0]

    with Listener(0, "/in/channel/plaza") as listener, serving.background(serving.bind(build)) as url:
        parts: Parts = made[0].extensions[EXTENSION]
        yield Setup(parts, connected(url, webhook_url=listener.url), url, listener)
        parts.stop()


def answer(setup: Setup, text: str = "On its way", **more: Any) -> tuple[OutboundMessage, str]:
    """An answer to a customer's post, and the post."""
    network = setup.network.network
    post = network.publish(network.customers()[0], "Where is my parcel?")
    fields = {"contact": "u_lena", "visibility": Visibility.PUBLIC, "created_at": datetime.now(UTC), **more}
    return outbound(f"public:{post.conversation}", text, **fields), post.post_id


def said_by_company(setup: Setup) -> list[Any]:
    network = setup.network.network
    events, _, _ = network.events_after(None, 200)
    own = network.company.user_id
    return [event.body["post"] for event in events if event.body["type"].endswith("created") and event.body["post"]["author"]["id"] == own]


def test_webhook_and_poll_tell_the_same(setup: Setup) -> None:
    setup.adapter.register_webhook()
    network = setup.network.network
    lena, omar, _ = network.customers()
    file = network.upload(lena, "screen.png", "image/png", b"\x89PNG")
    post = network.publish(lena, "It broke ☹", media=[file.media_id])
    network.publish(omar, "Here too", reply_to=post.post_id)
    network.publish(lena, "My order is 4711", kind=Kind.MESSAGE)
    network.publish(network.company, "News for everybody")
    network.edit(lena, post.post_id, kind=Kind.POST, text="It broke again")
    network.delete(lena, post.post_id, kind=Kind.POST)
    setup.listener.wait_for(lambda come: len(come) >= 6 or None, seconds=10)
    told: list[PlatformEvent] = []
    for request in setup.listener.requests:
        setup.adapter.verify(request)
        try:
            told += setup.adapter.parse(request)
        except UnsupportedEvent:
            assert b"News for everybody" in request.body
    polled = setup.adapter.poll(None)
    assert sorted(told, key=lambda event: event.event_key) == sorted(polled.events, key=lambda event: event.event_key)
    received = [event for event in polled.events if isinstance(event, MessageReceived)]
    assert [(event.thread_key, event.author.handle) for event in received] == [
        (f"public:{post.post_id}", "lena"),
        (f"public:{post.post_id}", "omar"),
        ("private:u_lena", "lena"),
    ]
    assert [type(event) for event in polled.events][-2:] == [MessageEdited, MessageDeleted]
    assert not polled.has_more
    assert setup.adapter.poll(polled.position).events == ()
    assert len({event.event_key for event in polled.events}) == 5


def test_a_poll_goes_on_where_it_was_and_begins_anew_with_a_new_network(setup: Setup) -> None:
    network = setup.network.network
    position = setup.adapter.poll(None).position
    for number in range(130):
        network.publish(network.customers()[0], str(number))
    first = setup.adapter.poll(position)
    second = setup.adapter.poll(first.position)
    texts = [event.text.plain for event in (*first.events, *second.events)]
    assert (texts, first.has_more, second.has_more) == ([str(number) for number in range(130)], True, False)
    anew = setup.adapter.poll({"after": "0badcafe-7"})
    assert anew.events[-1].text.plain == "129"


def test_what_is_delivered_is_found_by_its_marker_and_comes_back_with_it(setup: Setup) -> None:
    message, post_id = answer(setup, files=(File(filename="a.txt", content_type="text/plain", content=b"hello", description="a file"),))
    assert setup.adapter.find_delivered(message, marker=MARKER) is None
    receipt = setup.adapter.deliver(message, marker=MARKER)
    assert setup.adapter.find_delivered(message, marker=MARKER) == receipt
    (said,) = said_by_company(setup)
    assert (said["id"], said["reply_to"], said["url"]) == (receipt.message_ref, post_id, receipt.url)
    echo = setup.adapter.poll(None).events[-1]
    assert (echo.is_own, echo.marker, echo.thread_key, echo.parent_ref) == (True, MARKER, f"public:{post_id}", post_id)
    (attachment,) = echo.attachments
    file = setup.adapter.fetch_media(attachment, max_bytes=100)
    assert (file.content, file.filename, file.description) == (b"hello", "a.txt", "a file")


def test_private_answers_stay_private(setup: Setup) -> None:
    message, post_id = answer(setup, "Your order 4711", visibility=Visibility.PRIVATE)
    setup.adapter.deliver(replace(message, reply_to=MessageRef(post_id)), marker=MARKER)
    echo = setup.adapter.poll(None).events[-1]
    assert (echo.visibility, echo.thread_key, echo.parent_ref) == (Visibility.PRIVATE, "private:u_lena", None)
    follow = replace(message, thread_key=echo.thread_key, reply_to=echo.message_ref, text=Text("and 4712"))
    assert setup.adapter.find_delivered(follow, marker=Marker("other")) is None
    setup.adapter.deliver(follow, marker=Marker("other"))
    assert setup.adapter.poll(None).events[-1].parent_ref == echo.message_ref


def test_links_are_folded_into_the_words(setup: Setup) -> None:
    text = Text("See our help page", (Mark(8, 17, MarkKind.LINK, "https://acme.example/help"), Mark(0, 3, MarkKind.BOLD)))
    setup.adapter.deliver(answer(setup)[0], marker=MARKER)
    setup.adapter.deliver(replace(answer(setup)[0], text=text), marker=MARKER)
    assert said_by_company(setup)[-1]["text"] == "See our help page (https://acme.example/help)"


def test_own_posts_are_edited_and_taken_back(setup: Setup) -> None:
    message, _ = answer(setup)
    ref = setup.adapter.deliver(message, marker=MARKER).message_ref
    for _ in range(2):
        assert setup.adapter.edit(ref, replace(message, text=Text("It arrived")), marker=MARKER).message_ref == ref
    edited = setup.adapter.poll(None).events[-1]
    assert (edited.revision, edited.is_own, edited.text.plain) == ("000002", True, "It arrived")
    for _ in range(2):
        setup.adapter.delete(ref, message.thread_key, marker=MARKER)
    with pytest.raises(TargetGone):
        setup.adapter.edit(ref, message, marker=MARKER)


@pytest.mark.parametrize(
    ("kind", "error", "applied"),
    [
        ("lose_answer", OutcomeUnknown, 1),
        ("error_after", OutcomeUnknown, 1),
        ("down", OutcomeUnknown, 0),
        ("late", OutcomeUnknown, 0),
        ("rate_limited", RateLimited, 0),
        ("unavailable", RemoteUnavailable, 0),
        ("token_refused", CredentialsRejected, 0),
    ],
)
def test_errors_say_whether_anything_was_applied(setup: Setup, kind: str, error: type[CrossdeskError], applied: int) -> None:
    message, _ = answer(setup)
    setup.network.faults.add(kind, method="POST", path="posts", seconds=0.6)
    with pytest.raises(error) as raised:
        setup.adapter.deliver(message, marker=MARKER)
    assert type(raised.value) is error
    assert raised.value.retry_after == (0.6 if kind in {"rate_limited", "unavailable"} else None)
    assert TOKEN not in str(raised.value) + raised.value.detail
    found = setup.adapter.find_delivered(message, marker=MARKER)
    assert (found is not None) == bool(applied)
    if kind == "late":
        time.sleep(1.0)
        assert setup.adapter.find_delivered(message, marker=MARKER) is not None


def test_a_lost_upload_is_tried_again_and_nothing_is_posted_twice(setup: Setup) -> None:
    message, _ = answer(setup, files=(File(filename="a.txt", content_type="text/plain", content=b"hello"),))
    setup.network.faults.add("lose_answer", method="POST", path="media")
    with pytest.raises(RemoteUnavailable):
        setup.adapter.deliver(message, marker=MARKER)
    setup.adapter.deliver(message, marker=MARKER)
    assert len(said_by_company(setup)) == 1


def test_what_is_gone_or_refused_is_said(setup: Setup) -> None:
    network = setup.network.network
    message, post_id = answer(setup)
    with pytest.raises(RemoteRejected, match="501 characters"):
        setup.adapter.deliver(replace(message, text=Text("x" * 501)), marker=MARKER)
    network.delete(network.customers()[0], post_id, kind=Kind.POST)
    with pytest.raises(TargetGone):
        setup.adapter.deliver(message, marker=MARKER)
    with pytest.raises(TargetGone):
        setup.adapter.fetch_media(Attachment(media_ref=MediaRef("f_1"), filename="x"), max_bytes=10)
    file = network.upload(network.company, "big.bin", "application/x-thing", b"x" * 2000)
    big = Attachment(media_ref=MediaRef(file.media_id), filename="big.bin", size=2000)
    for attachment in (big, replace(big, size=None)):
        with pytest.raises(RemoteRejected):
            setup.adapter.fetch_media(attachment, max_bytes=1000)


def test_nobody_there_is_surely_not_applied(setup: Setup) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        adapter = connected(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(RemoteUnavailable):
            adapter.deliver(answer(setup)[0], marker=MARKER)
        assert [probe.is_ok for probe in adapter.probe()] == [False]


def test_doctor_hears_what_is_wrong(setup: Setup) -> None:
    assert [probe.is_ok for probe in setup.adapter.probe()] == [True, False]
    setup.adapter.register_webhook()
    assert [probe.is_ok for probe in setup.adapter.probe()] == [True, True]
    lena = setup.network.network.customers()[0]
    assert [probe.is_ok for probe in connected(setup.url, token=lena.token).probe()] == [False]
    assert "token" in connected(setup.url, token="wrong-token").probe()[0].next_step


def test_the_secret_before_this_one_holds_too(setup: Setup) -> None:
    setup.adapter.register_webhook()
    setup.network.network.publish(setup.network.network.customers()[0], "Hello")
    request = setup.listener.next()
    for secrets in ({}, {"webhook_secret": "another-secret-0001", "previous_webhook_secret": SECRET}):
        connected(setup.url, **secrets).verify(request)
    with pytest.raises(SignatureInvalid):
        connected(setup.url, webhook_secret="another-secret-0001").verify(request)


def test_many_threads_deliver_at_once(setup: Setup) -> None:
    messages = [(answer(setup, f"answer {number}")[0], Marker(f"marker-{number}")) for number in range(40)]
    threads = [
        threading.Thread(target=lambda part=messages[at::4]: [setup.adapter.deliver(message, marker=marker) for message, marker in part])
        for at in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(post["client_ref"] for post in said_by_company(setup)) == sorted(marker for _, marker in messages)


def test_a_question_in_private_bears_answers_to_press(setup: Setup) -> None:
    lena = setup.network.network.customers()[0]
    question = outbound(f"private:{lena.user_id}", "Solved?", contact=lena.user_id, choices=("Yes", "No"))
    setup.adapter.deliver(question, marker=MARKER)
    assert setup.network.network.dialogue(lena)[-1].choices == ("Yes", "No")
    with pytest.raises(RemoteRejected):
        setup.adapter.deliver(replace(question, choices=("x" * 21,)), marker=MARKER)
