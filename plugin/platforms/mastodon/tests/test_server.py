"""The adapter against mastodon-mock, with customers and staff who use Mastodon.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RateLimited, RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import ContactRef, Marker, MessageRef, ThreadKey
from plugin.domain.model import Contact, File, OutboundMessage, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.mastodon.adapter import CAPABILITIES, MastodonAdapter
from plugin.platforms.mastodon.tests.fakes import Faults, ListenedHttp, Listener, Person, connect
from tests.pictures import png

pytestmark = pytest.mark.servers
PNG = png()
MARKER = Marker("0123456789abcdefghijklmnop")


def answer(event: MessageReceived, text: Text | str, **changes: Any) -> OutboundMessage:
    """A reply to what was heard."""
    fields: dict[str, Any] = {
        "thread_key": event.thread_key,
        "contact": event.author,
        "visibility": event.visibility,
        "text": Text(text) if isinstance(text, str) else text,
        "reply_to": event.message_ref,
        "created_at": datetime.now(UTC),
    }
    return OutboundMessage(**{**fields, **changes})


def test_a_mention_is_heard_once(listener: Listener, brand: Person, stranger: Person) -> None:
    said = stranger.say(f"@{brand.acct} my <printer> smokes", spoiler_text="fire", language="en")

    (event,) = listener.hear()

    assert (event.event_key, event.message_ref, event.thread_key) == (str(said["id"]),) * 2 + (f"public|{stranger.id}|{said['id']}",)
    assert (event.author.ref, event.author.handle, event.author.language) == (stranger.id, "far0@far.example", "en")
    assert (event.visibility, event.is_own, event.parent_ref) == (Visibility.PUBLIC, False, None)
    assert event.text.plain == f"@{brand.acct} my <printer> smokes"
    assert event.remarks == ("Content warning: fire",)
    assert listener.hear() == ()
    assert listener.channel.poll(listener.position).position is None


@pytest.mark.parametrize(
    ("theirs", "heard", "ours"),
    [
        ("public", Visibility.PUBLIC, "public"),
        ("unlisted", Visibility.PUBLIC, "unlisted"),
        ("private", Visibility.PRIVATE, "direct"),
        ("direct", Visibility.PRIVATE, "direct"),
    ],
)
def test_an_answer_is_never_more_public_than_the_question(
    listener: Listener, brand: Person, stranger: Person, theirs: str, heard: Visibility, ours: str
) -> None:
    said = stranger.say(f"@{brand.acct} psst", visibility=theirs, spoiler_text="secret")
    (event,) = listener.hear()
    assert event.visibility is heard

    receipt = listener.channel.deliver(answer(event, "Gladly."), marker=MARKER)

    (shown,) = stranger.app.status_context(said["id"])["descendants"]
    assert (str(shown["id"]), shown["visibility"], shown["spoiler_text"]) == (receipt.message_ref, ours, "secret")
    assert [str(one["id"]) for one in shown["mentions"]] == [stranger.id]
    assert "@far0@far.example Gladly." in shown["content"]
    assert [one["type"] for one in stranger.app.notifications(types=["mention"], limit=1)] == ["mention"]
    assert receipt.losses == ()


def test_a_private_answer_below_a_public_question_goes_to_the_customer_alone(
    listener: Listener, brand: Person, customer: Person, stranger: Person
) -> None:
    said = customer.say(f"@{brand.acct} hello")
    (event,) = listener.hear()

    receipt = listener.channel.deliver(
        answer(event, "As @far0@far.example said, write to a@b.example.", visibility=Visibility.PRIVATE), marker=MARKER
    )

    shown = customer.app.status(receipt.message_ref)
    assert (shown["visibility"], str(shown["in_reply_to_id"])) == ("direct", str(said["id"]))
    assert [str(one["id"]) for one in shown["mentions"]] == [customer.id]
    assert receipt.losses == ("@far0@far.example would have been shown this private answer, so the name was written without effect.",)


def test_links_are_written_out_and_looks_are_told(listener: Listener, brand: Person, customer: Person) -> None:
    customer.say(f"@{brand.acct} hello")
    (event,) = listener.hear()
    text = Text("Read our guide now", (Mark(5, 14, MarkKind.LINK, "https://example.com/guide"), Mark(15, 18, MarkKind.BOLD)))

    receipt = listener.channel.deliver(answer(event, text), marker=MARKER)

    assert customer.app.status_source(receipt.message_ref)["text"] == (f"@{customer.acct} Read our guide (https://example.com/guide) now")
    assert receipt.losses == ("Mastodon shows no bold text; the words were posted plainly.",)


def test_one_thread_is_one_conversation_for_each_person(listener: Listener, brand: Person, customer: Person, stranger: Person) -> None:
    root = stranger.say("Nothing to do with you")
    middle = customer.say("Well", in_reply_to_id=root["id"])
    said = customer.say(f"@{brand.acct} is that so?", in_reply_to_id=middle["id"])
    (first,) = listener.hear()
    receipt = listener.channel.deliver(answer(first, "It is."), marker=MARKER)
    again = customer.say(f"@{brand.acct} thanks", in_reply_to_id=receipt.message_ref)
    other = stranger.say(f"@{brand.acct} it is not", in_reply_to_id=said["id"])

    events = {event.message_ref: event for event in listener.hear()}

    assert first.thread_key == events[str(again["id"])].thread_key == f"public|{customer.id}|{root['id']}"
    assert events[str(other["id"])].thread_key == f"public|{stranger.id}|{root['id']}"
    assert events[str(again["id"])].parent_ref == receipt.message_ref
    echo = events[receipt.message_ref]
    assert (echo.is_own, echo.thread_key, echo.author.ref) == (True, first.thread_key, brand.id)


def test_staff_answering_in_an_app_is_heard_as_ours(listener: Listener, brand: Person, customer: Person, stranger: Person) -> None:
    said = customer.say(f"@{brand.acct} hello")
    native = brand.say(f"@{customer.acct} on it", in_reply_to_id=said["id"])
    brand.say("An announcement")
    brand.say(f"@{stranger.acct} nice", in_reply_to_id=stranger.say("Nothing to do with you")["id"])

    polled = listener.channel.poll(listener.position)

    assert [(event.message_ref, event.is_own) for event in polled.events] == [(str(said["id"]), False), (str(native["id"]), True)]
    assert len({event.thread_key for event in polled.events}) == 1
    assert ["had not written" in str(one.reason) for one in polled.skipped] == [True]


def test_edits_and_deletions_are_found_by_reading_again(listener: Listener, brand: Person, customer: Person) -> None:
    one, two = (customer.say(f"@{brand.acct} number {number}") for number in (1, 2))
    listener.hear()
    customer.app.status_update(one["id"], f"@{brand.acct} number one")
    customer.app.status_delete(two["id"])

    edit, gone = sorted(listener.hear(), key=lambda event: type(event).__name__, reverse=True)

    assert isinstance(edit, MessageEdited)
    assert (edit.message_ref, edit.text.plain, edit.author_ref) == (str(one["id"]), f"@{brand.acct} number one", customer.id)
    assert isinstance(gone, MessageDeleted)
    assert (gone.message_ref, gone.is_own) == (str(two["id"]), False)
    assert listener.hear() == ()
    customer.app.status_update(one["id"], f"@{brand.acct} number 1 again")
    (again,) = listener.hear()
    assert again.revision > edit.revision

    told = listener.channel.recheck([MessageRef(str(one["id"])), MessageRef(str(two["id"]))])
    assert [(event.event_key, getattr(event, "message_ref", "")) for event in told] == [
        (event.event_key, event.message_ref) for event in (again, gone)
    ]
    three = customer.say(f"@{brand.acct} number three")
    assert listener.channel.recheck([MessageRef(str(three["id"]))]) == []


def test_files_come_in_and_go_out_with_their_descriptions(listener: Listener, brand: Person, customer: Person) -> None:
    media = customer.app.media_post(PNG, mime_type="image/png", file_name="a.png", description="smoke")
    customer.say(f"@{brand.acct} look", media_ids=[media])
    (event,) = listener.hear()
    (attachment,) = event.attachments
    assert (attachment.filename, attachment.content_type, attachment.description) == ("image-1.png", "image/png", "smoke")
    assert "://" not in attachment.media_ref

    file = listener.channel.fetch_media(attachment, max_bytes=1_000_000)
    assert (file.content, file.description) == (PNG, "smoke")
    with pytest.raises(RemoteRejected):
        listener.channel.fetch_media(attachment, max_bytes=10)

    ours = File(filename="b.png", content_type="image/png", content=PNG, description="x" * 2000)
    receipt = listener.channel.deliver(answer(event, "Like this?", files=(ours, file)), marker=MARKER)
    first, second = customer.app.status(receipt.message_ref)["media_attachments"]
    assert (len(first["description"]), second["description"]) == (1500, "smoke")
    assert receipt.losses == ("The description of b.png is longer than the server takes; its end was left out.",)


def test_files_of_a_post_that_is_gone(listener: Listener, brand: Person, customer: Person) -> None:
    said = customer.say(f"@{brand.acct} look", media_ids=[customer.app.media_post(PNG, mime_type="image/png", file_name="a.png")])
    (event,) = listener.hear()
    customer.app.status_delete(said["id"])
    with pytest.raises(TargetGone):
        listener.channel.fetch_media(event.attachments[0], max_bytes=1_000_000)


def test_the_same_wish_twice_is_one_post(listener: Listener, brand: Person, customer: Person) -> None:
    customer.say(f"@{brand.acct} hello")
    (event,) = listener.hear()
    message = answer(event, "Hello.")
    assert listener.channel.deliver(message, marker=MARKER) == listener.channel.deliver(message, marker=MARKER)


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_lost_answer_is_found_where_no_key_is_kept(
    listener: Listener, brand: Person, customer: Person, http: ListenedHttp, is_gone: bool
) -> None:
    said = customer.say(f"@{brand.acct} hello")
    (event,) = listener.hear()
    message = answer(event, Text("Try **this** https://example.com/a?b=1&c=2 @far1@far.example\n\nBye", ()))
    http.drop_key = True
    assert listener.channel.find_delivered(message, marker=MARKER) is None
    http.lose = lambda method, path: (method, path) == ("POST", "/api/v1/statuses")

    with pytest.raises(OutcomeUnknown):
        listener.channel.deliver(message, marker=MARKER)

    http.lose = lambda method, path: False
    if is_gone:
        customer.app.status_delete(said["id"])
    found = listener.channel.find_delivered(message, marker=MARKER)
    assert found is not None
    assert found.message_ref in {str(one["id"]) for one in brand.app.account_statuses(brand.id)}
    if is_gone:
        # The customer's post is gone; what was posted below it before is still ours to adopt.
        assert listener.channel.deliver(message, marker=MARKER).message_ref == found.message_ref
    other = answer(event, "Something else.")
    assert listener.channel.find_delivered(other, marker=MARKER) is None


def test_what_is_gone_cannot_be_answered(listener: Listener, brand: Person, customer: Person) -> None:
    said = customer.say(f"@{brand.acct} hello")
    (event,) = listener.hear()
    customer.app.status_delete(said["id"])
    with pytest.raises(TargetGone):
        listener.channel.deliver(answer(event, "Hello."), marker=MARKER)


def test_our_own_posts_can_be_edited_and_deleted(listener: Listener, brand: Person, customer: Person) -> None:
    said = customer.say(f"@{brand.acct} hello")
    (event,) = listener.hear()
    message = answer(event, "Hello.")
    receipt = listener.channel.deliver(message, marker=MARKER)

    edited = listener.channel.edit(receipt.message_ref, answer(event, "Good morning."), marker=MARKER)
    assert edited.message_ref == receipt.message_ref
    assert customer.app.status_source(receipt.message_ref)["text"] == f"@{customer.acct} Good morning."
    with pytest.raises(RemoteRejected):
        listener.channel.edit(event.message_ref, message, marker=MARKER)
    with pytest.raises(RemoteRejected):
        listener.channel.delete(event.message_ref, event.thread_key, marker=MARKER)

    listener.channel.delete(receipt.message_ref, event.thread_key, marker=MARKER)
    listener.channel.delete(receipt.message_ref, event.thread_key, marker=MARKER)
    assert customer.app.status_context(said["id"])["descendants"] == []
    with pytest.raises(TargetGone):
        listener.channel.edit(receipt.message_ref, message, marker=MARKER)


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        ({"type": "ratelimit"}, RateLimited),
        ({"type": "status", "status": 401}, CredentialsRejected),
        ({"type": "status", "status": 403, "body": {"error": "This action is outside the authorized scopes"}}, CredentialsRejected),
        ({"type": "status", "status": 403, "body": {"error": "This action is not allowed"}}, RemoteRejected),
        ({"type": "status", "status": 400}, RemoteRejected),
        ({"type": "status", "status": 422}, RemoteRejected),
        ({"type": "status", "status": 500}, OutcomeUnknown),
        ({"type": "status", "status": 503}, OutcomeUnknown),
        ({"type": "malformed"}, OutcomeUnknown),
    ],
)
def test_faults_while_posting(
    listener: Listener, brand: Person, customer: Person, faults: Faults, effect: dict[str, Any], error: type[Exception]
) -> None:
    customer.say(f"@{brand.acct} hello")
    (event,) = listener.hear()
    faults.add("POST", "/api/v1/statuses", effect)
    with pytest.raises(error) as caught:
        listener.channel.deliver(answer(event, "Hello."), marker=MARKER)
    assert brand.token not in f"{caught.value} {getattr(caught.value, 'detail', '')}"
    if error is RateLimited:
        assert getattr(caught.value, "retry_after", None) == 300


@pytest.mark.parametrize("effect", [{"type": "status", "status": 502}, {"type": "malformed"}])
@pytest.mark.parametrize("path", ["/api/v1/notifications", "/api/v1/accounts/*/statuses", "/api/v1/statuses"])
def test_a_poll_that_fails_loses_nothing(
    listener: Listener, brand: Person, customer: Person, faults: Faults, effect: dict[str, Any], path: str
) -> None:
    customer.say(f"@{brand.acct} one")
    listener.hear()
    said = customer.say(f"@{brand.acct} two")
    before = listener.position
    faults.add("GET", path, effect)
    with pytest.raises(RemoteUnavailable):
        listener.hear()
    assert listener.position == before
    assert [event.message_ref for event in listener.hear()] == [str(said["id"])]


def test_files_are_tried_again_and_nothing_is_posted(listener: Listener, brand: Person, customer: Person, faults: Faults) -> None:
    said = customer.say(f"@{brand.acct} hello")
    (event,) = listener.hear()
    faults.add("POST", "/api/v2/media", {"type": "status", "status": 500})
    file = File(filename="b.png", content_type="image/png", content=PNG)
    with pytest.raises(RemoteUnavailable):
        listener.channel.deliver(answer(event, "", files=(file,)), marker=MARKER)
    assert customer.app.status_context(said["id"])["descendants"] == []


def test_a_backlog_comes_whole_and_in_order(listener: Listener, brand: Person, customer: Person) -> None:
    said = [str(customer.say(f"@{brand.acct} {number}")["id"]) for number in range(50)]
    assert [event.message_ref for event in listener.hear()] == said


def test_a_poorer_server_will_do(
    network: dict[str, Any], brand: Person, customer: Person, http: ListenedHttp, channel: MastodonAdapter
) -> None:
    """No version 2 of the instance, no batch, no context, no version 2 of media, no policy, no scopes."""
    http.absent = ("/api/v2/instance", "/api/v2/media", "/api/v2/notifications/policy", "/api/v1/apps/verify_credentials")
    http.drop_key = True
    root = customer.say("Hm")
    said = customer.say(f"@{brand.acct} hello", in_reply_to_id=root["id"])
    http.absent += (f"/api/v1/statuses/{said['id']}/context",)
    listener = Listener(channel)
    (event,) = listener.hear()
    assert event.thread_key == f"public|{customer.id}|{root['id']}"
    file = File(filename="b.png", content_type="image/png", content=PNG)
    receipt = channel.deliver(answer(event, "Hello.", files=(file,)), marker=MARKER)
    assert len(customer.app.status(receipt.message_ref)["media_attachments"]) == 1
    assert [event.is_own for event in listener.hear()] == [True]
    assert all(probe.is_ok for probe in channel.probe())

    http.absent += ("/api/v1/statuses",)
    customer.app.status_update(said["id"], f"@{brand.acct} hello again")
    customer.app.status_delete(root["id"])
    (edit,) = listener.hear()
    assert edit.text.plain == f"@{brand.acct} hello again"


def test_the_checks_name_what_is_wrong(network: dict[str, Any], brand: Person, channel: MastodonAdapter) -> None:
    assert [(probe.name, probe.is_ok) for probe in channel.probe()] == [
        ("sign in", True),
        ("scopes", True),
        ("read notifications", True),
        ("notification policy", True),
        ("server", True),
    ]
    brand.app.update_notifications_policy(for_not_following="filter")
    policy = channel.probe()[3]
    assert (policy.is_ok, policy.answer) == (False, "mentions are kept back from: not following")
    (refused,) = connect({"url": network["url"], "access_token": "wrong"}, ListenedHttp()).probe()
    assert not refused.is_ok
    assert "wrong" not in refused.answer


def test_the_servers_own_limits_are_known_after_the_first_poll(channel: MastodonAdapter) -> None:
    assert channel.capabilities.limits.content_types[0] == "image/jpeg"
    channel.poll(None)
    assert channel.capabilities.limits.text_length == 440
    assert channel.capabilities.events == CAPABILITIES.events


def test_nothing_is_sent_without_a_name_for_a_private_answer(listener: Listener, brand: Person, customer: Person) -> None:
    customer.say(f"@{brand.acct} hello")
    (event,) = listener.hear()
    nobody = Contact(ref=ContactRef("999999"))
    with pytest.raises(RemoteRejected, match="name"):
        listener.channel.deliver(answer(event, "Hello.", contact=nobody, visibility=Visibility.PRIVATE), marker=MARKER)
    with pytest.raises(RemoteRejected, match="not one of Mastodon"):
        listener.channel.deliver(answer(event, "Hello.", reply_to=None, thread_key=ThreadKey("x")), marker=MARKER)
