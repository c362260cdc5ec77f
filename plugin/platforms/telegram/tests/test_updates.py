"""What updates become."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent, ReactionChanged
from plugin.domain.model import Visibility
from plugin.domain.text import Text
from plugin.platforms.telegram.content import SERVICE
from plugin.platforms.telegram.updates import ALLOWED_UPDATES, Reading

PRIVATE = {"id": 77, "type": "private", "first_name": "Ada", "username": "ada"}
ADA = {"id": 77, "is_bot": False, "first_name": "Ada", "last_name": "L", "username": "ada", "language_code": "en"}
GROUP = {"id": -1001234567890, "type": "supergroup", "title": "Users"}


def message(chat: Any = PRIVATE, **more: Any) -> dict[str, Any]:
    return {"message_id": 5, "from": ADA, "chat": chat, "date": 1767225600, **more}


def read(kind: str, body: Any, *, groups: str = "private", number: int = 9) -> Sequence[PlatformEvent]:
    return Reading(groups=groups).events({"update_id": number, kind: body})


def received(**more: Any) -> MessageReceived:
    (event,) = read("message", message(**more))
    assert isinstance(event, MessageReceived)
    return event


def test_a_private_text() -> None:
    event = received(text="/start")
    assert event.text == Text("/start")
    assert (event.event_key, event.message_ref, event.thread_key) == ("message:77:5", "77:5", "77")
    assert event.visibility is Visibility.PRIVATE
    assert (event.author.ref, event.author.display_name, event.author.handle, event.author.language) == ("77", "Ada L", "ada", "en")
    assert not event.is_own
    assert event.remarks == ()


def test_the_same_message_has_one_key_whatever_brings_it() -> None:
    (first,) = read("message", message(text="a"), number=1)
    (again,) = read("message", message(text="a"), number=2)
    assert first == again


def test_the_bots_chat_and_a_business_chat_with_one_customer_are_told_apart() -> None:
    (plain,) = read("message", message(text="a"))
    (business,) = read("business_message", message(text="a", business_connection_id="Bc1"))
    assert isinstance(plain, MessageReceived)
    assert isinstance(business, MessageReceived)
    assert (business.thread_key, business.message_ref) == ("77/business/Bc1", "77:5:Bc1")
    assert plain.message_ref != business.message_ref


def test_the_owner_of_a_business_account_is_our_side() -> None:
    owner = {"id": 500, "is_bot": False, "first_name": "Shop"}
    (event,) = read("business_message", {**message(text="a", business_connection_id="Bc1"), "from": owner})
    assert isinstance(event, MessageReceived)
    assert event.is_own


@pytest.mark.parametrize(
    ("groups", "chat", "visibility"),
    [
        ("private", GROUP, Visibility.PRIVATE),
        ("public", GROUP, Visibility.PUBLIC),
        ("public", PRIVATE, Visibility.PRIVATE),
    ],
)
def test_who_may_read_a_group_is_the_admins_word(groups: str, chat: Any, visibility: Visibility) -> None:
    (event,) = read("message", message(chat, text="a"), groups=groups)
    assert isinstance(event, MessageReceived)
    assert event.visibility is visibility


def test_ignored_groups_are_counted() -> None:
    with pytest.raises(UnsupportedEvent, match="ignores groups"):
        read("message", message(GROUP, text="a"), groups="ignore")
    assert read("message", message(text="a"), groups="ignore")


def test_topics_are_conversations_and_their_first_message_is_no_parent() -> None:
    topic = {"message_thread_id": 3, "is_topic_message": True}
    root = {"message_id": 3, "chat": GROUP, "date": 1, "forum_topic_created": {"name": "Help"}}
    (event,) = read("message", message(GROUP, text="a", reply_to_message=root, **topic))
    assert isinstance(event, MessageReceived)
    assert event.thread_key == "-1001234567890/topic/3"
    assert event.parent_ref is None
    assert event.url == "https://t.me/c/1234567890/5"


def test_a_thread_id_outside_of_topics_makes_no_conversation() -> None:
    (event,) = read("message", message(GROUP, text="a", message_thread_id=3))
    assert isinstance(event, MessageReceived)
    assert event.thread_key == "-1001234567890"


def test_a_reply_names_its_parent() -> None:
    assert received(text="a", reply_to_message=message(text="b") | {"message_id": 4}).parent_ref == "77:4"


def test_the_largest_picture_is_taken_and_its_caption() -> None:
    sizes = [{"file_id": f"p{n}", "width": n, "height": n, "file_size": n * 10} for n in (90, 1280, 320)]
    event = received(photo=sizes, caption="look", caption_entities=[{"type": "bold", "offset": 0, "length": 4}])
    assert event.text.plain == "look"
    assert len(event.text.marks) == 1
    assert [(file.media_ref, file.size, file.content_type, file.filename) for file in event.attachments] == [
        ("p1280", 12800, "image/jpeg", "photo-5.jpg")
    ]


@pytest.mark.parametrize(
    ("kind", "file", "filename", "content_type"),
    [
        ("document", {"file_name": "a.pdf", "mime_type": "application/pdf"}, "a.pdf", "application/pdf"),
        ("voice", {"mime_type": "audio/ogg"}, "voice-message-5.ogg", "audio/ogg"),
        ("video", {}, "video-5.mp4", "video/mp4"),
        ("video_note", {}, "video-message-5.mp4", "video/mp4"),
        ("audio", {"file_name": "s.mp3"}, "s.mp3", "audio/mpeg"),
        ("sticker", {"emoji": "👍"}, "sticker-5.webp", "image/webp"),
        ("sticker", {"emoji": "👍", "is_animated": True}, "sticker-5.tgs", "application/x-tgsticker"),
    ],
)
def test_each_file_is_an_attachment(kind: str, file: dict[str, Any], filename: str, content_type: str) -> None:
    (attachment,) = received(**{kind: {"file_id": "f1", **file}}).attachments
    assert (attachment.media_ref, attachment.filename, attachment.content_type) == ("f1", filename, content_type)


def test_an_animation_is_one_file_though_it_is_sent_twice() -> None:
    assert [file.media_ref for file in received(animation={"file_id": "a"}, document={"file_id": "a"}).attachments] == ["a"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"location": {"latitude": 52.5, "longitude": 13.4}}, "Shared a location: 52.5, 13.4"),
        ({"location": {"latitude": 1, "longitude": 2, "live_period": 60}}, "moving"),
        ({"contact": {"first_name": "Bob", "phone_number": "+491"}}, "Bob, +491"),
        ({"poll": {"question": "Tea?", "options": [{"text": "yes"}, {"text": "no"}]}}, "“Tea?” with the choices “yes”; “no”"),
        ({"checklist": {"title": "To do", "tasks": [{"text": "one"}]}}, "“one”"),
        ({"dice": {"emoji": "🎲", "value": 4}}, "🎲: 4"),
        ({"sticker": {"file_id": "s", "emoji": "👍"}}, "Sent a sticker 👍."),
        ({"text": "a", "forward_origin": {"type": "hidden_user", "sender_user_name": "Zed"}}, "Forwarded from Zed"),
        ({"text": "a", "quote": {"text": "these words", "position": 0}}, "“these words”"),
        ({"migrate_to_chat_id": -100777}, "became a supergroup (-100777)"),
        ({"invoice": {"title": "Bill"}}, "cannot be shown here (invoice)"),
        ({"a_kind_of_next_year": {"x": 1}}, "cannot be shown here (a_kind_of_next_year)"),
    ],
)
def test_what_is_neither_text_nor_file_is_said_in_words(content: dict[str, Any], words: str) -> None:
    remarks = received(**content).remarks
    assert len(remarks) == 1
    assert words in remarks[0]


def test_a_place_is_said_once() -> None:
    place = {"latitude": 1.5, "longitude": 2.5}
    (remark,) = received(location=place, venue={"location": place, "title": "Café", "address": "Main St 1"}).remarks
    assert remark.startswith("Shared a place: Café, Main St 1 (https://www.openstreetmap.org/?mlat=1.5&mlon=2.5")


@pytest.mark.parametrize("kind", sorted(SERVICE))
def test_housekeeping_is_counted(kind: str) -> None:
    with pytest.raises(UnsupportedEvent, match=kind):
        read("message", message(GROUP, **{kind: True}))


def test_a_channels_post_in_the_group_where_it_is_discussed_is_nobodys_question() -> None:
    """Telegram puts each of the channel's posts there by itself, in the channel's name."""
    carried = message(
        GROUP, text="Our new timetable", is_automatic_forward=True, sender_chat={"id": -1009, "type": "channel", "title": "News"}
    )
    with pytest.raises(UnsupportedEvent, match="carried a channel's post on"):
        read("message", carried)


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        ({"is_enabled": False}, "disconnected the bot.*Replies into its chats will be refused"),
        (
            {"is_enabled": True, "rights": {"can_reply": True, "can_read_messages": True, "can_delete_sent_messages": True}},
            "follow from there.$",
        ),
        ({"is_enabled": True, "rights": {"can_read_messages": True}}, "did not allow: reply to messages, delete sent messages"),
        ({"is_enabled": True, "can_reply": True}, "did not allow: mark messages as read, delete sent messages"),
    ],
)
def test_what_a_business_account_does_not_allow_is_named(connection: dict[str, Any], words: str) -> None:
    with pytest.raises(UnsupportedEvent, match=words):
        read("business_connection", {"id": "Bc1", "user": ADA, "user_chat_id": 77, "date": 1, **connection})


def test_an_edit_has_a_revision_that_sorts_and_tells_two_within_a_second_apart() -> None:
    edits = []
    for number, (at, text) in enumerate([(1767225601, "b"), (1767225601, "c"), (1767225700, "d")]):
        (event,) = read("edited_message", message(text=text, edit_date=at), number=number)
        assert isinstance(event, MessageEdited)
        edits.append(event)
    assert len({event.event_key for event in edits}) == 3
    assert [event.revision for event in edits] == sorted(event.revision for event in edits)
    assert {event.message_ref for event in edits} == {"77:5"}


def test_a_moving_location_is_carried_at_its_ends() -> None:
    place = {"latitude": 1, "longitude": 2}
    with pytest.raises(UnsupportedEvent, match="live location moved"):
        read("edited_message", message(location={**place, "live_period": 60}, edit_date=1767225601))
    assert read("edited_message", message(location=place, edit_date=1767225601))


@pytest.mark.parametrize(
    ("said", "remarks"),
    [
        ("/start", ()),
        ("/start order-4711", ("Came by a link to the bot that carries the word “order-4711”.",)),
        ("/start please, where is it?", ()),
        ("/Status@ExampleBot", ("Chose the command /status: “How is it?”.",)),
        ("/status of 4711", ("Chose the command /status: “How is it?”.",)),
        ("/unknown", ()),
        ("I wrote /status", ()),
    ],
)
def test_a_command_is_told_with_what_it_means(said: str, remarks: tuple[str, ...]) -> None:
    (event,) = Reading(groups="private", commands={"start": "Begin", "status": "How is it?"}).events(
        {"update_id": 1, "message": message(text=said)}
    )
    assert isinstance(event, MessageReceived)
    assert (event.text.plain, event.remarks) == (said, remarks)


def test_the_files_of_an_album_bear_its_name() -> None:
    parts = [received(photo=[{"file_id": f"p{number}"}], media_group_id="12") for number in range(2)]
    assert [part.album for part in parts] == ["12", "12"]
    assert received(text="a").album == ""


def test_deletions_in_business_chats() -> None:
    events = read("deleted_business_messages", {"business_connection_id": "Bc1", "chat": PRIVATE, "message_ids": [5, 6]})
    assert [event.message_ref for event in events if isinstance(event, MessageDeleted)] == ["77:5:Bc1", "77:6:Bc1"]


def test_reactions_given_and_taken_back() -> None:
    change = {"chat": GROUP, "message_id": 5, "user": ADA, "date": 1767225600}
    before, after = [{"type": "emoji", "emoji": "👍"}], [{"type": "emoji", "emoji": "🔥"}, {"type": "custom_emoji", "custom_emoji_id": "1"}]
    events = read("message_reaction", {**change, "old_reaction": before, "new_reaction": after})
    said = [(event.emoji, event.added) for event in events if isinstance(event, ReactionChanged)]
    assert said == [("👍", False), ("🔥", True), ("a custom emoji", True)]


@pytest.mark.parametrize(("status", "reachable"), [("kicked", False), ("left", False), ("member", True), ("administrator", True)])
def test_blocking_and_unblocking(status: str, reachable: bool) -> None:
    change = {"chat": PRIVATE, "from": ADA, "date": 1, "old_chat_member": {"status": "member"}, "new_chat_member": {"status": status}}
    (event,) = read("my_chat_member", change)
    assert getattr(event, "is_reachable", None) is reachable


@pytest.mark.parametrize("kind", ["callback_query", "inline_query", "guest_message", "poll_answer", "next_years_kind"])
def test_kinds_we_did_not_ask_for_are_counted(kind: str) -> None:
    assert kind not in ALLOWED_UPDATES
    with pytest.raises(UnsupportedEvent):
        read(kind, {"id": "1"})


@pytest.mark.parametrize(
    "update",
    [
        [],
        {},
        {"update_id": "1", "message": message(text="a")},
        {"update_id": 1, "message": []},
        {"update_id": 1, "message": {"text": "a"}},
        {"update_id": 1, "message": {"chat": PRIVATE, "text": "a", "from": ADA}},
        {"update_id": 1, "message": {"chat": {"id": "77"}, "message_id": 1, "text": "a"}},
        {"update_id": 1, "message": {**message(text="a"), "from": "Ada"}},
        {"update_id": 1, "my_chat_member": {"chat": PRIVATE}},
        {"update_id": 1, "deleted_business_messages": {"chat": PRIVATE}},
    ],
)
def test_what_lacks_its_bones_is_malformed(update: Any) -> None:
    with pytest.raises(MalformedPayload):
        Reading(groups="private").events(update)


_LEAVES: st.SearchStrategy[Any] = st.sampled_from([None, True, -1, 0.5, 2**70, "", "x", "\x00", [], {}])
_NAMES = st.sampled_from(["id", "type", "text", "file_id", "title", "options", "location", "offset", "length", "username", "x"])
_JSON = (
    _LEAVES | st.lists(_LEAVES, max_size=2) | st.dictionaries(_NAMES, _LEAVES | st.dictionaries(_NAMES, _LEAVES, max_size=2), max_size=3)
)
_PARTS = ["text", "entities", "caption", "photo", "document", "sticker", "location", "venue", "contact", "poll", "dice", "forward_origin"]


@given(
    kind=st.sampled_from(sorted(ALLOWED_UPDATES)),
    body=st.dictionaries(st.sampled_from([*_PARTS, "from", "chat", "date", "reply_to_message", "is_topic_message"]), _JSON, max_size=5),
    whole=st.booleans(),
)
def test_no_payload_does_worse_than_malformed(kind: str, body: dict[str, Any], whole: bool) -> None:
    update = {"update_id": 1, kind: {**message(), **body} if whole else body}
    try:
        events = Reading(groups="private").events(json.loads(json.dumps(update)))
    except (MalformedPayload, UnsupportedEvent):
        return
    assert all(event.event_key for event in events)
