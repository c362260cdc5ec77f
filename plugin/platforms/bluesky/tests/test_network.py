"""The adapter on the real network: PDS, AppView and PLC directory as their makers publish them."""

from __future__ import annotations

import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugin.contracts.platform import Polled
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RemoteRejected, TargetGone, UnsupportedEvent, WindowClosed
from plugin.domain.events import ContactReachability, MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import ContactRef, Marker
from plugin.domain.model import Contact, File, OutboundMessage, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.bluesky.schema import load_session
from plugin.platforms.bluesky.wording import RULER
from plugin.testing.outgoing import answer_to, outbound
from tests.bluesky_customer import BlueskyCustomer
from tests.waiting import eventually

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1200)]
"""The first run on a machine installs the network's packages, which takes minutes."""
MARKER = Marker("0123456789abcdefghijklmnop")


class Listener:
    """Polls a channel from where it stands, like the engine: the position is kept with the events."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel
        self.position: Any = None
        self.events: dict[str, Any] = {}

    def poll(self) -> Polled:
        polled: Polled = self.channel.poll(self.position)
        if polled.position is not None:
            self.position = polled.position
        for event in polled.events:
            self.events.setdefault(event.event_key, event)
        return polled

    def hear(self, kind: type, *, count: int = 1) -> list[Any]:
        """The events of a kind, once there are enough of them."""

        def ask() -> list[Any] | None:
            self.poll()
            found = [event for event in self.events.values() if isinstance(event, kind)]
            return found if len(found) >= count else None

        return eventually(ask)


@pytest.fixture
def listener(channel: Any) -> Listener:
    """From before anybody spoke."""
    listening = Listener(channel)
    listening.poll()
    return listening


def answer(event: MessageReceived, text: Text | str, **changes: Any) -> OutboundMessage:
    """A reply to what was heard."""
    return answer_to(event, text, **{"created_at": datetime.now(UTC).replace(microsecond=123456), **changes})


def picture(shade: int = 0) -> bytes:
    """A PNG of 8 by 8."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([shade] * 24) for _ in range(8))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_a_mention_is_heard(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    said = customer.post(f"🦊👩‍👩‍👧 @{brand.handle} my printer smokes", mentions=[brand], langs=["en"])

    (event,) = listener.hear(MessageReceived)

    assert event.event_key == f"{said.uri} {said.cid}"
    assert event.message_ref == said.uri
    assert event.thread_key == f"{said.uri}|{customer.did}"
    assert (event.author.ref, event.author.handle, event.author.language) == (customer.did, customer.handle, "en")
    assert (event.visibility, event.is_own, event.parent_ref) == (Visibility.PUBLIC, False, None)
    assert event.url == f"https://bsky.app/profile/{customer.handle}/post/{said.rkey}"
    (mark,) = event.text.marks
    assert event.text.plain[mark.start : mark.end] == f"@{brand.handle}"
    assert (mark.kind, mark.target) == (MarkKind.MENTION, brand.did)
    assert listener.poll() == Polled(events=(), position=None)


def test_the_customer_sees_the_reply_below_his_post(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    said = customer.post(f"@{brand.handle} help", mentions=[brand])
    (event,) = listener.hear(MessageReceived)
    words = f"Grüße 🦊 @{customer.handle}, see our guide or https://example.com/faq?a=1."
    start = words.index("our guide")
    text = Text(words, (Mark(start, start + 9, MarkKind.LINK, "https://example.com/guide"), Mark(0, 5, MarkKind.BOLD)))

    receipt = listener.channel.deliver(answer(event, text), marker=MARKER)

    (view,) = eventually(lambda: customer.replies(said))
    assert (view["uri"], view["author"]["did"], view["record"]["text"]) == (receipt.message_ref, brand.did, words)
    assert view["record"]["reply"] == {"root": said.strong, "parent": said.strong}
    octets = words.encode()
    facets = {
        octets[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(): facet["features"][0] for facet in view["record"]["facets"]
    }
    assert facets["our guide"]["uri"] == "https://example.com/guide"
    assert facets["https://example.com/faq?a=1"]["uri"] == "https://example.com/faq?a=1"
    assert facets[f"@{customer.handle}"]["did"] == customer.did
    assert receipt.losses == ("Bluesky shows no bold text; the words were sent plainly.",)
    assert receipt.url.startswith(f"https://bsky.app/profile/{brand.handle}/post/")
    eventually(
        lambda: [item for item in customer.notified() if item["reason"] in {"reply", "mention"} and item["uri"] == receipt.message_ref]
    )


def test_the_same_wish_twice_is_one_record(
    listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer, http: Any, clock: Any
) -> None:
    said = customer.post(f"@{brand.handle} help", mentions=[brand])
    (event,) = listener.hear(MessageReceived)
    message = answer(event, "Once only.")
    assert listener.channel.find_delivered(message, marker=MARKER) is None
    http.spoil = lambda method: method.endswith("putRecord")
    with pytest.raises(OutcomeUnknown):
        listener.channel.deliver(message, marker=MARKER)
    http.spoil = lambda method: False

    found = listener.channel.find_delivered(message, marker=MARKER)
    again = listener.channel.deliver(message, marker=MARKER)
    clock.at = datetime.now(UTC) + timedelta(hours=1)
    much_later = listener.channel.deliver(message, marker=MARKER)
    other = listener.channel.deliver(message, marker=Marker("1" * 26))

    assert found == again == much_later
    assert other.message_ref != again.message_ref
    eventually(lambda: len(customer.replies(said)) == 2)


def test_our_own_post_comes_back_with_its_marker_and_staff_posts_without(
    listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer
) -> None:
    said = customer.post(f"@{brand.handle} help", mentions=[brand])
    (event,) = listener.hear(MessageReceived)
    receipt = listener.channel.deliver(answer(event, "From the desk."), marker=MARKER)
    native = brand.post("From my phone.", reply_to=said.uri)
    below = brand.post("And one thing more.", reply_to=native.uri)
    brand.post("Good morning, world: this answers nobody.")

    listener.hear(MessageReceived, count=4)

    own = {item.message_ref: item for item in listener.events.values() if item.is_own}
    assert own.keys() == {receipt.message_ref, native.uri, below.uri}
    assert {item.thread_key for item in own.values()} == {event.thread_key}
    assert [own[ref].marker for ref in (receipt.message_ref, native.uri, below.uri)] == [MARKER, None, None]
    assert own[native.uri].author.handle == brand.handle


def test_what_we_say_to_strangers_is_no_ticket_but_an_old_conversation_is_known(
    listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer, stranger: BlueskyCustomer
) -> None:
    chat = stranger.post("Nice weather.")
    said = customer.post(f"@{brand.handle} help", mentions=[brand])
    more = customer.post("I am serious", reply_to=said.uri)
    listener.hear(MessageReceived)
    listener.position["watched"] = []
    eventually(lambda: brand.views(more.uri) and brand.views(chat.uri))
    small_talk = brand.post("Very nice.", reply_to=chat.uri)
    native = brand.post("We come.", reply_to=more.uri)

    polled = listener.poll()

    (event,) = [item for item in polled.events if item.is_own]
    assert (event.message_ref, event.thread_key) == (native.uri, f"{said.uri}|{customer.did}")
    (skipped,) = polled.skipped
    assert skipped.event_key == f"{small_talk.uri} {small_talk.cid}"
    assert isinstance(skipped.reason, UnsupportedEvent)


def test_parts_of_a_long_reply_hang_together(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    said = customer.post(f"@{brand.handle} tell me everything", mentions=[brand])
    (event,) = listener.hear(MessageReceived)
    first = answer(event, "First.")
    one = listener.channel.deliver(first, marker=MARKER)
    two = listener.channel.deliver(
        answer(event, "Second.", reply_to=one.message_ref, created_at=first.created_at), marker=Marker("0" * 25 + "2")
    )
    three = listener.channel.deliver(
        answer(event, "Third.", reply_to=two.message_ref, created_at=first.created_at), marker=Marker("0" * 25 + "3")
    )

    eventually(lambda: len(customer.all_below(said)) == 3)
    views = customer.all_below(said)

    assert [view["uri"] for view in views] == [one.message_ref, two.message_ref, three.message_ref]
    assert [view["record"]["reply"]["parent"]["uri"] for view in views] == [said.uri, one.message_ref, two.message_ref]
    assert all(view["record"]["reply"]["root"] == said.strong for view in views)


def test_pictures_travel_both_ways(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    said = customer.post(f"@{brand.handle} look", mentions=[brand], images=[picture(10), picture(20)])
    (event,) = listener.hear(MessageReceived)

    assert [(item.filename, item.content_type, item.description) for item in event.attachments] == [
        ("image-1.png", "image/png", "picture 1"),
        ("image-2.png", "image/png", "picture 2"),
    ]
    fetched = listener.channel.fetch_media(event.attachments[1], max_bytes=10_000)
    assert (fetched.content, len(fetched.content)) == (picture(20), event.attachments[1].size)
    with pytest.raises(RemoteRejected):
        listener.channel.fetch_media(event.attachments[1], max_bytes=10)

    ours = File(filename="plan.png", content_type="image/png", content=picture(99), description="The plan")
    message = answer(event, "Like this:", files=(ours,))
    assert listener.channel.deliver(message, marker=MARKER) == listener.channel.deliver(message, marker=MARKER)

    (view,) = eventually(lambda: customer.replies(said))
    (image,) = view["record"]["embed"]["images"]
    assert image["alt"] == "The plan"
    assert customer.blob(brand.did, image["image"]["ref"]["$link"]) == picture(99)


def test_edits_and_deletions_are_noticed(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    said = customer.post(f"@{brand.handle} my password is hunter2", mentions=[brand])
    listener.hear(MessageReceived)

    changed = customer.edit(said, f"@{brand.handle} my password is a secret", mentions=[brand])
    (edit,) = listener.hear(MessageEdited)
    again = customer.edit(said, f"@{brand.handle} forget it", mentions=[brand])
    listener.hear(MessageEdited, count=2)
    customer.delete(said)
    (gone,) = listener.hear(MessageDeleted)

    edits = [item for item in listener.events.values() if isinstance(item, MessageEdited)]
    assert edit.event_key == f"{changed.uri} {changed.cid}"
    assert [item.text.plain.partition(" ")[2] for item in edits] == ["my password is a secret", "forget it"]
    assert sorted(edits, key=lambda item: item.revision) == edits
    assert edits[1].event_key == f"{again.uri} {again.cid}"
    assert (gone.message_ref, gone.is_own) == (said.uri, False)
    assert listener.poll().events == ()


def test_a_block_is_not_a_deletion(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    customer.post(f"@{brand.handle} you are terrible", mentions=[brand])
    (event,) = listener.hear(MessageReceived)
    customer.block(brand)
    eventually(lambda: not brand.views(event.message_ref))

    (apart,) = listener.hear(ContactReachability)
    assert (apart.thread_key, apart.is_reachable, apart.detail) == (event.thread_key, False, "The customer blocks this account on Bluesky.")
    assert listener.poll().events == ()
    with pytest.raises(WindowClosed):
        listener.channel.deliver(answer(event, "Sorry."), marker=MARKER)
    customer.unblock(brand)
    together = listener.hear(ContactReachability, count=2)[-1]
    assert (together.thread_key, together.is_reachable) == (event.thread_key, True)


def test_profile_facts_come_with_the_post(
    listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer, stranger: BlueskyCustomer
) -> None:
    record = {"$type": "app.bsky.graph.follow", "subject": customer.did, "createdAt": datetime.now(UTC).isoformat()}
    stranger.call(
        "POST", "com.atproto.repo.createRecord", json={"repo": stranger.did, "collection": "app.bsky.graph.follow", "record": record}
    )
    eventually(lambda: customer.call("GET", "app.bsky.actor.getProfile", params={"actor": customer.did}).get("followersCount") == 1)
    customer.post(f"@{brand.handle} who am I?", mentions=[brand])
    (event,) = listener.hear(MessageReceived)
    assert (event.author.followers, event.author.handle) == (1, customer.handle)
    known = listener.channel.describe(Contact(ref=ContactRef(customer.did)))
    assert (known.followers, known.handle, known.url) == (1, customer.handle, event.author.url)


def test_what_the_customer_adds_below_his_own_post_is_heard(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    said = customer.post(f"@{brand.handle} 1/3", mentions=[brand])
    listener.hear(MessageReceived)
    second = customer.post("2/3", reply_to=said.uri)
    third = customer.post("3/3", reply_to=second.uri)

    heard = listener.hear(MessageReceived, count=3)

    assert [item.message_ref for item in heard] == [said.uri, second.uri, third.uri]
    assert {item.thread_key for item in heard} == {f"{said.uri}|{customer.did}"}


def test_replies_quotes_and_bystanders(
    listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer, stranger: BlueskyCustomer
) -> None:
    news = brand.post("We have a new printer.")
    eventually(lambda: customer.views(news.uri))
    reply = customer.post("Does it smoke?", reply_to=news.uri)
    quote = stranger.post("Not again", embed={"$type": "app.bsky.embed.record", "record": news.strong})
    listener.hear(MessageReceived, count=2)
    ours = listener.channel.deliver(answer(listener.events[f"{reply.uri} {reply.cid}"], "No."), marker=MARKER)
    eventually(lambda: stranger.views(ours.message_ref))
    aside = stranger.post("It does.", reply_to=ours.message_ref)
    listener.hear(MessageReceived, count=4)

    heard = {item.message_ref: item for item in listener.events.values()}
    assert heard[reply.uri].thread_key == f"{news.uri}|{customer.did}"
    assert heard[aside.uri].thread_key == f"{news.uri}|{stranger.did}"
    assert heard[quote.uri].thread_key == f"{quote.uri}|{stranger.did}"
    assert heard[quote.uri].remarks == (
        f"Quotes your post https://bsky.app/profile/{brand.did}/post/{news.rkey}: “We have a new printer.”",
    )
    assert heard[ours.message_ref].thread_key == heard[reply.uri].thread_key


def test_a_post_with_an_old_time_is_not_overlooked(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    customer.post(f"@{brand.handle} now", mentions=[brand])
    listener.hear(MessageReceived)
    late = customer.post(f"@{brand.handle} from a slow clock", mentions=[brand], created_at=datetime.now(UTC) - timedelta(minutes=5))

    heard = listener.hear(MessageReceived, count=2)

    assert heard[1].message_ref == late.uri


def test_a_limited_thread_and_a_deleted_post_cannot_be_answered(
    listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer
) -> None:
    limited = customer.post("Thinking aloud about @" + brand.handle, facets=[])
    customer.limit_replies(limited)
    eventually(lambda: [view for view in brand.views(limited.uri) if view["viewer"].get("replyDisabled")])
    gone = customer.post(f"@{brand.handle} oops", mentions=[brand])
    (event,) = [item for item in listener.hear(MessageReceived) if item.message_ref == gone.uri]
    customer.delete(gone)

    with pytest.raises(WindowClosed, match="limited who may answer"):
        listener.channel.deliver(answer(event, "Hm.", reply_to=limited.uri), marker=MARKER)
    eventually(lambda: not brand.views(gone.uri))
    with pytest.raises(TargetGone):
        listener.channel.deliver(answer(event, "Hm."), marker=Marker("2" * 26))


def test_an_answer_that_came_through_is_known_after_the_question_is_deleted(
    listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer, http: Any
) -> None:
    said = customer.post(f"@{brand.handle} help", mentions=[brand])
    (event,) = listener.hear(MessageReceived)
    message = answer(event, "We come.")
    http.spoil = lambda method: method.endswith("putRecord")
    with pytest.raises(OutcomeUnknown):
        listener.channel.deliver(message, marker=MARKER)
    http.spoil = lambda method: False
    customer.delete(said)
    eventually(lambda: not brand.views(said.uri))

    assert listener.channel.deliver(message, marker=MARKER) == listener.channel.find_delivered(message, marker=MARKER)


def test_a_post_is_deleted_twice_without_harm(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    said = customer.post(f"@{brand.handle} help", mentions=[brand])
    (event,) = listener.hear(MessageReceived)
    receipt = listener.channel.deliver(answer(event, "Wrong ticket."), marker=MARKER)
    eventually(lambda: customer.replies(said))

    listener.channel.delete(receipt.message_ref, event.thread_key, marker=MARKER)
    listener.channel.delete(receipt.message_ref, event.thread_key, marker=MARKER)

    assert eventually(lambda: not customer.replies(said))
    with pytest.raises(RemoteRejected):
        listener.channel.delete(said.uri, event.thread_key, marker=MARKER)


def test_what_fits_the_ruler_is_taken_and_one_more_is_not(listener: Listener, brand: BlueskyCustomer, customer: BlueskyCustomer) -> None:
    customer.post(f"@{brand.handle} help", mentions=[brand])
    (event,) = listener.hear(MessageReceived)
    letters, families = "ä" * 300, "👩‍👩‍👧‍👦" * 120

    assert RULER.measure(letters) == RULER.measure(families) == 300
    listener.channel.deliver(answer(event, letters), marker=MARKER)
    listener.channel.deliver(answer(event, families), marker=Marker("3" * 26))
    with pytest.raises(RemoteRejected, match="grapheme too big"):
        listener.channel.deliver(answer(event, letters + "!"), marker=Marker("4" * 26))
    with pytest.raises(RemoteRejected):
        listener.channel.deliver(answer(event, families + "!"), marker=Marker("5" * 26))


def test_one_session_serves_every_call_and_is_renewed_when_it_ran_out(
    listener: Listener, secrets: Any, http: Any, brand: BlueskyCustomer
) -> None:
    for _ in range(3):
        listener.poll()
    assert http.calls.count("com.atproto.server.createSession") == 1
    kept = load_session(secrets.stored["session"])
    assert kept is not None

    secrets.stored["session"] = secrets.stored["session"].replace(kept.access, kept.access[:-4] + "AAAA")
    listener.poll()
    assert http.calls.count("com.atproto.server.refreshSession") == 1
    assert http.calls.count("com.atproto.server.createSession") == 1

    secrets.stored["session"] = secrets.stored["session"].replace('"access": "', '"access": "x').replace('"renewal": "', '"renewal": "x')
    listener.poll()
    assert http.calls.count("com.atproto.server.createSession") == 2
    assert [probe.is_ok for probe in listener.channel.probe()] == [True, True, True]

    brand.call("POST", "com.atproto.server.revokeAppPassword", json={"name": "crossdesk"})
    secrets.stored.clear()
    with pytest.raises(CredentialsRejected):
        listener.poll()
    (probe,) = listener.channel.probe()
    assert (probe.is_ok, bool(probe.next_step)) == (False, True)


def test_somebody_whose_place_is_unknown(channel: Any) -> None:
    nobody = Contact(ref=ContactRef("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"))
    ref = "at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3kaaaaaaaaa22"
    message = outbound(f"{ref}|{nobody.ref}", "?", contact=nobody, visibility=Visibility.PUBLIC, created_at=datetime.now(UTC))
    with pytest.raises(TargetGone):
        channel.deliver(message, marker=MARKER)
