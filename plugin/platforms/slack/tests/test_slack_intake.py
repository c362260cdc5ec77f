"""What the workspace tells, by event and when asked; files, and what the probes say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugin.domain.errors import CredentialsRejected, RemoteRejected, SignatureInvalid, TargetGone, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import Marker
from plugin.domain.model import Attachment, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.slack import wording
from plugin.platforms.slack.adapter import PLATFORM, SlackAdapter
from plugin.testing.fakes import FixedClock
from plugin.testing.outgoing import answer_to
from plugin.testing.standins.slack import SlackStandIn

ROOM, ADA, DIRECT = "C0HELP0001", "U0ADA00001", "D0ADA00001"


def read(adapter: SlackAdapter, slack: SlackStandIn) -> list[Any]:
    """The events of everything that was told, each verified."""
    found: list[Any] = []
    for request in slack.events:
        adapter.verify(request)
        try:
            found += adapter.parse(request)
        except UnsupportedEvent:
            continue
    return found


def test_the_challenge_is_given_back_only_when_it_is_signed(slack: SlackStandIn, adapter: SlackAdapter) -> None:
    asked = slack.signed({"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"})
    answer = adapter.answer(asked)
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"3eZbrw1a")
    with pytest.raises(SignatureInvalid):
        adapter.answer(replace(asked, headers={**asked.headers, "x-slack-signature": "v0=00"}))
    slack.says(ROOM, ADA, "hi")
    assert adapter.answer(slack.events[0]) is None


def test_a_signature_lives_for_five_minutes(slack: SlackStandIn, adapter: SlackAdapter, clock: FixedClock) -> None:
    now = clock.now().timestamp()
    for apart in (-299, 0, 299):
        adapter.verify(slack.signed({}, at=now + apart))
    for apart in (-302, 302):
        with pytest.raises(SignatureInvalid, match="five minutes"):
            adapter.verify(slack.signed({}, at=now + apart))


def test_a_changed_secret_overlaps_with_the_old_one(slack: SlackStandIn, connect: Callable[..., SlackAdapter]) -> None:
    request, fresh = slack.signed({}), "0123456789abcdef0123456789abcdef"
    connect(signing_secret=fresh, previous_signing_secret=slack.secret).verify(request)
    with pytest.raises(SignatureInvalid):
        connect(signing_secret=fresh).verify(request)


def test_webhook_and_catch_up_tell_the_same_under_the_same_keys(
    slack: SlackStandIn, adapter: SlackAdapter, clock: FixedClock, marker: Marker
) -> None:
    start = adapter.poll(None).position
    clock.advance(400)
    root = slack.says(ROOM, ADA, "My printer does not answer")
    slack.says(DIRECT, ADA, "Can you reset my password?")
    clock.advance(10)
    (asked, _) = read(adapter, slack)
    adapter.deliver(answer_to(asked, "We look into it."), marker=marker)
    slack.says(ROOM, "U0BOB00001", "Mine works", thread_ts=root)
    slack.edits(ROOM, root, "My scanner does not answer")
    told = read(adapter, slack)
    asked_for = adapter.poll(start)
    keys = [event.event_key for event in asked_for.events]
    assert sorted(keys) == sorted(event.event_key for event in told)
    by_key = {event.event_key: event for event in told}
    for event in asked_for.events:
        # What was edited meanwhile reads in its new words at both events.
        if event.event_key != f"message:{ROOM}:{root}":
            assert event == by_key[event.event_key]
    assert [event.marker for event in asked_for.events if isinstance(event, MessageReceived) and event.is_own] == [marker]
    clock.advance(700)
    assert adapter.poll(adapter.poll(asked_for.position).position).events == ()


def test_an_answer_in_an_old_thread_is_caught_up(slack: SlackStandIn, adapter: SlackAdapter, clock: FixedClock) -> None:
    root = slack.says(ROOM, ADA, "My printer does not answer")
    clock.advance(2 * 86400)
    position = adapter.poll(None).position
    late = slack.says(ROOM, ADA, "It still does not", thread_ts=root)
    found = [event.message_ref for event in adapter.poll(position).events if isinstance(event, MessageReceived)]
    assert found == [f"{ROOM}:{late}"]


def test_many_rooms_are_walked_in_rounds(slack: SlackStandIn, adapter: SlackAdapter) -> None:
    position = adapter.poll(None).position
    for number in range(45):
        slack.says(f"D0USER{number:04d}", ADA, "hi")
    found: list[str] = []
    rounds = 0
    while rounds == 0 or (position and position["rooms"]):
        before = len(slack.calls)
        polled = adapter.poll(position)
        assert len(slack.calls) - before <= 21
        found += [event.event_key for event in polled.events]
        position = json.loads(json.dumps(polled.position))
        rounds += 1
    assert (rounds, len(set(found))) == (3, 45)


def test_a_room_that_lets_us_out_stops_no_other(slack: SlackStandIn, adapter: SlackAdapter) -> None:
    slack.says(ROOM, ADA, "hi")
    slack.says("C0OTHER001", ADA, "hello")
    rooms = {"since": "1795262000.000000", "round": "1795262400.000000", "rooms": [["C0GONE0001", "channel"], ["C0OTHER001", "channel"]]}
    (event,) = adapter.poll(rooms).events
    assert getattr(event, "thread_key", "").startswith("C0OTHER001")


def test_open_channels_count_as_the_settings_say(slack: SlackStandIn, connect: Callable[..., SlackAdapter]) -> None:
    slack.says(ROOM, ADA, "hi")
    slack.opens("C0SECRET01", "group")
    slack.says("C0SECRET01", ADA, "psst")
    slack.says(DIRECT, ADA, "you")
    public, private = Visibility.PUBLIC, Visibility.PRIVATE
    assert [one.visibility for one in read(connect(), slack)] == [public, private, private]
    assert [one.visibility for one in read(connect(channels="private"), slack)] == [private] * 3
    ignoring = connect(channels="ignore")
    assert [one.thread_key.partition(":")[0] for one in read(ignoring, slack)] == ["C0SECRET01", DIRECT]
    assert {getattr(one, "visibility", None) for one in ignoring.poll(None).events} == {private}


def test_slacks_own_voice_is_a_machines(slack: SlackStandIn, adapter: SlackAdapter) -> None:
    slack.says(ROOM, "USLACKBOT", "Reminder: the printer")
    slack.says(ROOM, ADA, "hi")
    assert [event.author.is_bot for event in read(adapter, slack)] == [True, False]


def test_edits_deletions_and_emptied_roots(slack: SlackStandIn, adapter: SlackAdapter) -> None:
    root = slack.says(ROOM, ADA, "My printer")
    reply = slack.says(ROOM, ADA, "is <ill>", thread_ts=root)
    slack.edits(ROOM, reply, "is well")
    slack.deletes(ROOM, reply)
    slack.deletes(ROOM, root)
    kinds = [(type(one), one.message_ref) for one in read(adapter, slack)]
    assert kinds[2:] == [
        (MessageEdited, f"{ROOM}:{reply}"),
        (MessageDeleted, f"{ROOM}:{reply}"),
        (MessageDeleted, f"{ROOM}:{root}"),
    ]


def test_a_file_is_fetched_with_the_token_and_never_without_the_permission(slack: SlackStandIn, adapter: SlackAdapter) -> None:
    slack.sends_file(ROOM, ADA, "screen.png", b"PNG")
    (event,) = read(adapter, slack)
    (attachment,) = event.attachments
    file = adapter.fetch_media(attachment, max_bytes=1000)
    assert (file.filename, file.content_type, file.content) == ("screen.png", "image/png", b"PNG")
    with pytest.raises(RemoteRejected, match="bigger"):
        adapter.fetch_media(attachment, max_bytes=2)
    with pytest.raises(TargetGone):
        adapter.fetch_media(Attachment(media_ref="F0NONE0001", filename="a"), max_bytes=1000)  # type: ignore[arg-type]
    slack.scopes.discard("files:read")
    with pytest.raises(CredentialsRejected, match="files:read"):
        adapter.fetch_media(attachment, max_bytes=1000)


def test_people_are_described_as_they_are_now(slack: SlackStandIn, adapter: SlackAdapter) -> None:
    slack.says(ROOM, ADA, "hi")
    (event,) = read(adapter, slack)
    with pytest.raises(RemoteRejected):
        adapter.describe(event.author)
    slack.knows(ADA, name="ada", real_name="Ada Lovelace", locale="en-GB", tz="Europe/London", profile={"real_name": "Ada Lovelace"})
    ada = adapter.describe(event.author)
    assert (ada.ref, ada.display_name, ada.handle, ada.language) == (ADA, "Ada Lovelace", "ada", "en")
    slack.knows(ADA, name="ada", real_name="Ada King", profile={"real_name": "Ada King"})
    assert adapter.describe(event.author).display_name == "Ada King"


def test_the_probes_name_what_is_missing(slack: SlackStandIn, connect: Callable[..., SlackAdapter]) -> None:
    assert all(probe.is_ok for probe in connect().probe())
    slack.scopes.discard("reactions:read")
    _, permissions, app = connect(app_id="A0OTHERAPP").probe()
    assert "reactions:read" in permissions.answer
    assert "A0HELPDESK1" in app.next_step
    slack.is_revoked = True
    (token,) = connect().probe()
    assert not token.is_ok


def test_the_manifest_asks_for_what_the_adapter_needs(adapter: SlackAdapter) -> None:
    manifest = json.loads(adapter.registration())
    told = manifest["settings"]["event_subscriptions"]
    assert told["request_url"] == manifest["settings"]["interactivity"]["request_url"] == "https://desk.example/in/channel/fixture"
    assert "message.im" in told["bot_events"]
    assert "chat:write" in manifest["oauth_config"]["scopes"]["bot"]


def test_a_workspace_address_makes_links(slack: SlackStandIn, connect: Callable[..., SlackAdapter]) -> None:
    ts = slack.says(ROOM, ADA, "hi")
    (event,) = read(connect(workspace_url="https://example.slack.com/"), slack)
    assert event.url == f"https://example.slack.com/archives/{ROOM}/p{ts.replace('.', '')}"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bot_token": "xoxp-1234567890-abc"}, "bot_token"),
        ({"app_id": "B0DESK0001"}, "app_id"),
        ({"api_url": "slack.com"}, "api_url"),
        ({"channels": "open"}, "channels"),
    ],
)
def test_what_cannot_work_is_refused_by_name(changes: dict[str, str], field: str) -> None:

    good = {"bot_token": "xoxb-1234567890-abc", "signing_secret": "0123456789abcdef", "app_id": "A0HELPDESK1"}
    with pytest.raises(ValidationError) as refused:
        PLATFORM.settings_schema.load({**good, **changes})
    assert field in str(refused.value.messages)


_MARKS = st.builds(
    lambda start, length, kind, target: Mark(start, start + length, kind, target),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from(MarkKind),
    st.sampled_from(["", "https://a.example/", "U0ADA00001", "x"]),
)


@given(st.text(max_size=60), st.lists(_MARKS, max_size=6))
def test_no_words_are_lost_in_rich_text(plain: str, marks: list[Mark]) -> None:
    text = Text(plain, tuple(sorted(mark for mark in marks if mark.end <= len(plain))))
    if any(mark.kind is MarkKind.MENTION for mark in text.marks):
        return  # a mention is shown under the person's own name
    shown = "".join(
        run.get("text", "") for block in wording.rich_text(text) for element in block["elements"] for run in element["elements"]
    )
    assert "".join(shown.split()) == "".join(plain.split())
