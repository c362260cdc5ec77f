"""Chats on the real account server, which passes them on to a chat service that keeps to the vendor's lexicons."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.contracts.capabilities import Idempotency, Readback
from plugin.contracts.http import HttpResponse
from plugin.domain.codec import encode_event
from plugin.domain.errors import OutcomeUnknown, RemoteError, TargetGone, Unsupported, WindowClosed
from plugin.domain.events import MessageReceived, ReactionChanged
from plugin.domain.ids import Marker
from plugin.domain.model import OutboundMessage, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.bluesky.adapter import BlueskyAdapter
from plugin.platforms.bluesky.tests.fakes import CountingHttp, connect
from plugin.testing.fakes import CannedHttp
from plugin.testing.outgoing import answer_to
from tests.bluesky_customer import BlueskyCustomer

MARKER = Marker("0123456789abcdefghijklmnop")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
_NAMES = (
    "logs",
    "convo",
    "convos",
    "messages",
    "id",
    "rev",
    "members",
    "did",
    "text",
    "sender",
    "message",
    "reaction",
    "convoId",
    "$type",
    "cursor",
)


class Listener:
    """Polls a channel from where it stands."""

    def __init__(self, channel: BlueskyAdapter) -> None:
        self.channel = channel
        self.position: Any = None
        self.skipped: list[str] = []

    def hear(self) -> list[Any]:
        polled = self.channel.poll(self.position)
        self.position = polled.position if polled.position is not None else self.position
        self.skipped += [str(one.reason) for one in polled.skipped]
        return list(polled.events)


@pytest.fixture
def listener(chatting: BlueskyAdapter) -> Listener:
    listening = Listener(chatting)
    listening.hear()
    return listening


def heard(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer, words: str = "Where is my order?") -> MessageReceived:
    """What a customer says in a new chat."""
    customer.say(customer.chat_with(brand), words)
    (event,) = listener.hear()
    return event  # type: ignore[no-any-return]


def answer(event: MessageReceived, text: Text | str) -> OutboundMessage:
    return answer_to(event, text, created_at=datetime.now(UTC))


@pytest.mark.servers
@pytest.mark.timeout(1200)
def test_a_chat_goes_both_ways(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    event = heard(listener, brand, customer)
    chat = customer.chat_with(brand)
    assert (event.visibility, event.text.plain, event.author.ref, event.author.handle) == (
        Visibility.PRIVATE,
        "Where is my order?",
        customer.did,
        customer.handle,
    )
    assert not event.no_reply
    assert not event.is_own

    words = Text("See https://example.com/42 and the terms.", (Mark(31, 40, MarkKind.LINK, "https://example.com/terms"),))
    receipt = listener.channel.deliver(answer(event, words), marker=MARKER)

    first, second = customer.hear(chat)
    assert second["text"] == "See https://example.com/42 and the terms."
    assert [facet["features"][0]["uri"] for facet in second["facets"]] == ["https://example.com/42", "https://example.com/terms"]
    assert receipt.message_ref == f"chat/{chat}/{second['id']}"
    assert brand.in_chats("GET", "getConvo", params={"convoId": chat})["convo"]["status"] == "accepted"
    (echo,) = listener.hear()
    assert (echo.is_own, echo.message_ref) == (True, receipt.message_ref)

    listener.channel.mark_read(event.thread_key, event.message_ref)
    assert brand.in_chats("GET", "getConvo", params={"convoId": chat})["convo"]["unreadCount"] == 0
    customer.say(chat, "Thank you")
    assert [one.text.plain for one in listener.hear()] == ["Thank you"]
    assert listener.hear() == []
    assert first["text"] == "Where is my order?"


@pytest.mark.servers
@pytest.mark.timeout(1200)
def test_an_answer_whose_outcome_is_unclear_is_found_by_its_words(
    listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer, http: CountingHttp
) -> None:
    event = heard(listener, brand, customer)
    lost, later = answer(event, "We look into it."), answer(event, "We look again.")
    http.spoil = lambda method: method.endswith("sendMessage")
    with pytest.raises(OutcomeUnknown):
        listener.channel.deliver(lost, marker=MARKER)
    http.spoil = lambda method: False
    found = listener.channel.find_delivered(lost, marker=MARKER)
    assert found is not None
    assert found.message_ref.endswith(customer.hear(customer.chat_with(brand))[-1]["id"])
    assert listener.channel.find_delivered(later, marker=MARKER) is None
    can = listener.channel.capabilities
    assert can.idempotency_of(Visibility.PRIVATE) is Idempotency.NONE
    assert can.readback_of(Visibility.PRIVATE) is Readback.STRONG
    assert can.idempotency_of(Visibility.PUBLIC) is Idempotency.NATURAL


@pytest.mark.servers
@pytest.mark.timeout(1200)
def test_reactions_come_and_go(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    event = heard(listener, brand, customer)
    receipt = listener.channel.deliver(answer(event, "Found it."), marker=MARKER)
    chat, message = receipt.message_ref.split("/")[1:]
    for act in ("addReaction", "removeReaction"):
        customer.in_chats("POST", act, json={"convoId": chat, "messageId": message, "value": "❤️"})
    told = [one for one in listener.hear() if isinstance(one, ReactionChanged)]
    assert [(one.message_ref, one.emoji, one.added, one.author.ref) for one in told] == [
        (receipt.message_ref, "❤️", True, customer.did),
        (receipt.message_ref, "❤️", False, customer.did),
    ]


@pytest.mark.servers
@pytest.mark.timeout(1200)
def test_a_block_shuts_the_chat_and_says_who_blocks_whom(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    event = heard(listener, brand, customer)
    customer.block(brand)
    with pytest.raises(WindowClosed, match=r"^The customer blocks this account on Bluesky\. The message was not sent;"):
        listener.channel.deliver(answer(event, "Hello?"), marker=MARKER)
    customer.unblock(brand)
    brand.block(customer)
    with pytest.raises(WindowClosed, match=r"^This account blocks the customer on Bluesky; lift the block"):
        listener.channel.deliver(answer(event, "Hello?"), marker=MARKER)
    brand.unblock(customer)
    listener.channel.deliver(answer(event, "Hello?"), marker=MARKER)
    brand.in_chats("POST", "leaveConvo", json={"convoId": customer.chat_with(brand)})
    with pytest.raises(TargetGone):
        listener.channel.deliver(answer(event, "Still there?"), marker=MARKER)
    with pytest.raises(Unsupported):
        listener.channel.delete(event.message_ref, event.thread_key, marker=MARKER)


@pytest.mark.servers
@pytest.mark.timeout(1200)
def test_a_first_look_reads_what_was_just_said(chatting: BlueskyAdapter, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    chat = customer.chat_with(brand)
    for number in range(3):
        customer.say(chat, f"word {number}")
    listener = Listener(chatting)
    assert [event.text.plain for event in listener.hear()] == ["word 0", "word 1", "word 2"]
    for number in range(45):
        customer.say(chat, f"more {number}")
    found = [event.text.plain for event in listener.hear()]
    assert found == [f"more {number}" for number in range(45)], "a backlog comes in order, over the log's pages"


@pytest.mark.servers
@pytest.mark.timeout(1200)
def test_an_app_password_without_chats_leaves_the_public_side_alone(
    network: dict[str, Any], brand: BlueskyCustomer, http: CountingHttp, customer: BlueskyCustomer
) -> None:
    given_ = {"service": network["pds"], "directory": network["plc"], "identifier": brand.handle, "app_password": brand.app_password()}
    channel = connect({**given_, "private_messages": True, "chat_service": network["chat"]}, http)
    listener = Listener(channel)
    assert listener.hear() == []
    assert "does not open direct messages" in listener.skipped[0]
    sign_in, _, _, chats, welcome = channel.probe()
    assert (sign_in.is_ok, chats.is_ok, welcome.is_ok) == (True, False, False)
    assert "only those whom the account follows" in welcome.answer
    assert http.calls.count("com.atproto.server.createSession") == 1, "it does not sign in again and again"
    with pytest.raises(RuntimeError, match="NotFollowedBySender"):
        customer.chat_with(brand)
    quiet = connect(given_, http)
    assert quiet.capabilities.visibilities == (Visibility.PUBLIC,)


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_whatever_the_chat_service_answers_is_endured(data: st.DataObject) -> None:
    keys = st.sampled_from(_NAMES) | st.text(max_size=5)
    odd = st.recursive(_JSON, lambda inner: st.dictionaries(keys, inner, max_size=5) | st.lists(inner, max_size=3), max_leaves=15)
    session = {"did": "did:plc:brand", "handle": "brand.example", "accessJwt": "a", "refreshJwt": "r"}
    quiet: list[Any] = [{"notifications": []}, {"records": []}]
    body = data.draw(odd)
    bodies: list[Any] = [session, *quiet, body, body, body]
    channel = connect(
        {"identifier": "brand.example", "app_password": "x", "private_messages": True},
        CannedHttp([_response(one) for one in bodies]),
    )
    position = {"notified": {"floor": "", "seen": {}}, "own": {"floor": "", "seen": {}}, "watched": [], "chats": {"cursor": "1"}}
    with contextlib.suppress(RemoteError):
        for event in channel.poll(data.draw(st.sampled_from([None, position]))).events:
            json.dumps(encode_event(event))


def _response(body: Any) -> HttpResponse:
    return HttpResponse(status=200, headers={}, body=json.dumps(body).encode(), url="https://fixture.example/")
