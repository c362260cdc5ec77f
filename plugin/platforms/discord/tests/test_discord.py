"""The adapter against a Discord that refuses what the real one refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.contracts.http import HttpResponse
from plugin.contracts.splitting import split
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    SignatureInvalid,
    TargetGone,
    UnsupportedEvent,
)
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.ids import Marker, MessageRef, ThreadKey
from plugin.domain.model import File, Visibility
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.discord import wording
from plugin.platforms.discord.adapter import PLATFORM, DiscordAdapter
from plugin.testing.fakes import CannedHttp, FixedClock
from plugin.testing.outgoing import answer_to, outbound
from plugin.testing.platform_suite import folder_of, load
from plugin.testing.standins.discord import DiscordStandIn

SUBJECT = load(PLATFORM, folder_of(PLATFORM))
ROOM, FORUM, THREAD = "200000000000000001", "200000000000000002", "200000000000000003"
ADA = {"id": "300000000000000001", "username": "ada", "global_name": "Ada", "avatar": None}
BOB = {"id": "300000000000000002", "username": "bob", "global_name": "Bob", "avatar": None}


def said(adapter: DiscordAdapter, position: Any = None) -> list[MessageReceived]:
    return [event for event in adapter.poll(position).events if isinstance(event, MessageReceived)]


def test_the_ping_is_answered_only_when_it_is_signed(discord: DiscordStandIn, adapter: DiscordAdapter, clock: FixedClock) -> None:
    ping = discord.signed({"type": 1, "application_id": "1"})
    answer = adapter.answer(ping)
    assert answer is not None
    assert answer.body == b'{"type":1}'
    now = clock.now().timestamp()
    wrong = {"x-signature-ed25519": "00" * 64}
    forged = (
        replace(ping, headers={**ping.headers, **wrong}),
        replace(ping, body=b'{"type": 1}'),
        discord.signed({"type": 1}, at=now - 400),
    )
    for request in forged:
        with pytest.raises(SignatureInvalid):
            adapter.answer(request)
    assert adapter.answer(discord.signed({"type": 2})) is None
    with pytest.raises(UnsupportedEvent):
        adapter.parse(discord.signed({"type": 2}))


def test_without_a_public_key_nothing_is_believed(discord: DiscordStandIn, connect: Callable[..., DiscordAdapter]) -> None:
    with pytest.raises(SignatureInvalid):
        connect(public_key="").verify(discord.signed({"type": 1}))


def test_people_in_an_open_channel_are_conversations_and_ours_go_with_whom_they_answer(
    discord: DiscordStandIn, adapter: DiscordAdapter, marker: Marker
) -> None:
    discord.says(ROOM, ADA, "My sword is gone")
    discord.says(ROOM, BOB, "Mine too, <@300000000000000001>", mentions=[ADA])
    first, second = said(adapter)
    assert (first.thread_key, second.thread_key) == (f"{ROOM}/{ADA['id']}", f"{ROOM}/{BOB['id']}")
    assert second.text == Text("Mine too, @Ada", (Mark(10, 14, MarkKind.MENTION, "300000000000000001"),))
    assert first.author.created_at is not None
    receipt = adapter.deliver(answer_to(first, "We look into it."), marker=marker)
    echo = said(adapter)[-1]
    assert (echo.is_own, echo.thread_key, echo.message_ref) == (True, first.thread_key, receipt.message_ref)
    assert echo.parent_ref == first.message_ref


def test_who_answers_a_persons_question_in_an_open_channel_is_a_bystander_there(
    discord: DiscordStandIn, adapter: DiscordAdapter, clock: FixedClock
) -> None:
    asked = discord.says(ROOM, ADA, "My sword is gone")
    helping = discord.says(ROOM, BOB, "Look in the chest", answers=asked)
    back = discord.says(ROOM, ADA, "It is not there", answers=helping)
    own = discord.says(ROOM, BOB, "My shield is gone, too")
    threads = {event.message_ref: event.thread_key for event in said(adapter)}
    assert [threads[MessageRef(f"{ROOM}:{one}")] for one in (asked, helping, back)] == [f"{ROOM}/{ADA['id']}"] * 3
    assert threads[MessageRef(f"{ROOM}:{own}")] == f"{ROOM}/{BOB['id']}"
    clock.advance(8 * 86_400)
    discord.says(ROOM, BOB, "Was it ever found?", answers=asked)
    assert said(adapter)[-1].thread_key == f"{ROOM}/{BOB['id']}"


def test_a_forum_post_is_one_conversation_and_found_when_it_grows(
    discord: DiscordStandIn, adapter: DiscordAdapter, clock: FixedClock
) -> None:
    position = adapter.poll(None).position
    discord.opens(THREAD, kind=11, parent=FORUM)
    discord.says(THREAD, ADA, "My sword is gone")
    discord.says(THREAD, BOB, "Look below the bed")
    polled = adapter.poll(position)
    assert [getattr(event, "thread_key", "") for event in polled.events] == [THREAD, THREAD]
    before = len(discord.calls)
    assert adapter.poll(polled.position).events == ()
    assert len(discord.calls) - before == 5
    clock.advance(30 * 86400)
    late = discord.says(THREAD, ADA, "It was there")
    assert [event.message_ref for event in said(adapter, polled.position)] == [f"{THREAD}:{late}"]


def test_many_messages_come_in_order_and_once(discord: DiscordStandIn, adapter: DiscordAdapter) -> None:
    ids = [discord.says(ROOM, ADA, f"word {number}") for number in range(730)]
    found: list[str] = []
    position, has_more = None, True
    while has_more:
        polled = adapter.poll(position)
        found += [str(getattr(event, "message_ref", "")) for event in polled.events]
        position, has_more = polled.position, polled.has_more
    assert found == [f"{ROOM}:{one}" for one in ids]


def test_a_channel_that_cannot_be_seen_is_named_and_stops_no_other(discord: DiscordStandIn, connect: Callable[..., DiscordAdapter]) -> None:
    discord.opens("200000000000000009", is_visible=False)
    discord.says(ROOM, ADA, "hi")
    polled = connect(channels=["200000000000000009", ROOM], private_channels=[ROOM]).poll(None)
    assert [getattr(event, "visibility", None) for event in polled.events] == [Visibility.PRIVATE]
    assert "Missing Access" in str(polled.skipped[0].reason)


def test_edits_and_deletions_are_found_by_looking_again(discord: DiscordStandIn, adapter: DiscordAdapter) -> None:
    kept, changed, gone, hidden = (discord.says(ROOM, ADA, word) for word in ("kept", "old", "gone", "hidden"))
    refs = [event.message_ref for event in said(adapter)]
    discord.edits(ROOM, changed, "changed")
    discord.deletes(ROOM, gone)
    found = adapter.recheck(refs)
    assert [(type(one), getattr(one, "message_ref", "")) for one in found] == [
        (MessageEdited, f"{ROOM}:{changed}"),
        (MessageDeleted, f"{ROOM}:{gone}"),
    ]
    assert found == adapter.recheck(refs)
    discord.says(ROOM, BOB, "Changed into what?", answers=changed)
    early = adapter.poll(None)
    # Read in its new words already, the edit is known under the same key and not told again.
    assert [one.event_key for one in early.skipped] == [found[0].event_key]
    assert {type(one) for one in early.events} == {MessageReceived}
    discord.world.channels[ROOM].is_visible = False
    assert adapter.recheck([MessageRef(f"{ROOM}:{kept}"), MessageRef(f"{ROOM}:{hidden}")]) == []


def test_reactions_are_found_by_looking_again(discord: DiscordStandIn, adapter: DiscordAdapter, marker: Marker) -> None:
    discord.says(ROOM, ADA, "My sword is gone")
    (asked,) = said(adapter)
    answer = adapter.deliver(answer_to(asked), marker=marker).message_ref
    number = answer.partition(":")[2]
    discord.reacts(ROOM, number, ADA, "👍")
    discord.reacts(ROOM, number, BOB, "👍")
    discord.reacts(ROOM, number, ADA, "party", custom="900000000000000001")
    discord.reacts(ROOM, number, discord.bot, "👀")
    found = adapter.recheck([answer])
    assert all(isinstance(one, ReactionChanged) and one.added for one in found)
    told = [(one.emoji, one.author.ref) for one in found if isinstance(one, ReactionChanged)]
    assert told == [("👍", ADA["id"]), ("👍", BOB["id"]), (":party:", ADA["id"])]
    assert [one.event_key for one in adapter.recheck([answer])] == [one.event_key for one in found]


def test_reactions_wait_when_discord_asks_for_a_pause_and_nothing_else_does() -> None:
    """Who reacted is asked for again with the next look; an edit that was found beside it is told now."""
    api, emoji = "application/json", [{"count": 1, "emoji": {"id": None, "name": "👍"}}]
    first = {"id": "900000000000000001", "author": ADA, "content": "a", "reactions": emoji}
    second = {**first, "id": "900000000000000002", "content": "b", "edited_timestamp": "2026-11-21T11:30:00+00:00"}
    bodies = ((200, first), (429, {"retry_after": 3}), (200, second))
    http = CannedHttp(
        [HttpResponse(status=status, headers={"content-type": api}, body=json.dumps(body).encode()) for status, body in bodies],
        is_endless=False,
    )
    channel: Any = SUBJECT.connect(http)
    (found,) = channel.recheck([MessageRef(f"{ROOM}:{one['id']}") for one in (first, second)])
    assert isinstance(found, MessageEdited)
    assert found.text.plain == "b"


def test_words_go_out_as_they_are(discord: DiscordStandIn, adapter: DiscordAdapter, marker: Marker) -> None:
    text = Text(
        "Do *this* now_: say hi\n@everyone https://a.example/x_y_z",
        (Mark(3, 9, MarkKind.BOLD), Mark(16, 22, MarkKind.CODE), Mark(16, 19, MarkKind.LINK, "https://b.example/")),
    )
    adapter.deliver(outbound(ROOM, text), marker=marker)
    (message,) = discord.said_by_bot(ROOM)
    assert message["content"].startswith(r"Do **\*this\*** now\_\: `say")
    assert "https://a.example/x_y_z" in message["content"]
    assert discord.calls[-1][2]["allowed_mentions"]["parse"] == []


def test_a_long_answer_split_by_our_ruler_is_taken_whole(discord: DiscordStandIn, adapter: DiscordAdapter, marker: Marker) -> None:
    limits = adapter.capabilities.limits
    assert limits.text_length is not None
    assert limits.ruler is not None
    parts = split(Text("Und *so* weiter_. (a-b) " * 300), limits.text_length, limits.ruler)
    for number, part in enumerate(parts):
        adapter.deliver(outbound(ROOM, part), marker=Marker(f"{marker[:24]}{number:02d}"))
    assert len(discord.said_by_bot(ROOM)) == len(parts) > 3


def test_words_and_files_are_one_message(discord: DiscordStandIn, adapter: DiscordAdapter, marker: Marker) -> None:
    asked = discord.says(ROOM, ADA, "Send it")
    files = tuple(File(filename=name, content_type="text/plain", content=b"hello", description="d") for name in ("a b.txt", "c.txt"))
    message = outbound(f"{ROOM}/{ADA['id']}", "Here.", files=files, reply_to=f"{ROOM}:{asked}")
    receipt = adapter.deliver(message, marker=marker)
    (sent,) = discord.said_by_bot(ROOM)
    assert [file["filename"] for file in sent["attachments"]] == ["a_b.txt", "c.txt"]
    assert adapter.find_delivered(message, marker=marker) == receipt
    (echo,) = (event for event in said(adapter) if event.is_own)
    file = adapter.fetch_media(echo.attachments[1], max_bytes=100)
    assert (file.filename, file.content) == ("c.txt", b"hello")
    with pytest.raises(RemoteRejected, match="bigger"):
        adapter.fetch_media(echo.attachments[1], max_bytes=2)


@pytest.mark.parametrize(
    ("kind", "value", "applied"), [("error_before", 500, 0), ("error_after", 502, 1), ("drop_after", 0, 1), ("stall_after", 1.0, 1)]
)
def test_an_unclear_answer_is_looked_up_and_a_repeat_is_one_message(
    discord: DiscordStandIn, connect: Callable[..., DiscordAdapter], marker: Marker, kind: str, value: float, applied: int
) -> None:
    asked = discord.says(ROOM, ADA, "hi")
    message = outbound(f"{ROOM}/{ADA['id']}", "hello *there*", reply_to=f"{ROOM}:{asked}")
    discord.arm(kind, at="POST", value=value)
    with pytest.raises(OutcomeUnknown):
        connect(timeout=0.5).deliver(message, marker=marker)
    assert len(discord.said_by_bot(ROOM)) == applied
    found = connect().find_delivered(message, marker=marker)
    assert (found is not None) == bool(applied)
    again = connect().deliver(message, marker=marker)
    assert len(discord.said_by_bot(ROOM)) == 1
    assert found is None or again.message_ref == found.message_ref
    assert connect().find_delivered(outbound(f"{ROOM}/{ADA['id']}", "something else"), marker=marker) is None


def test_refusals_say_what_to_do(discord: DiscordStandIn, connect: Callable[..., DiscordAdapter], marker: Marker) -> None:
    adapter, message = connect(), outbound(ROOM, "hello")
    discord.arm("rate_limit", at="POST", value=7)
    with pytest.raises(RateLimited) as limited:
        adapter.deliver(message, marker=marker)
    assert limited.value.retry_after == 7
    with pytest.raises(TargetGone, match="Unknown Channel"):
        adapter.deliver(outbound("200000000000000099", "hello"), marker=marker)
    discord.world.channels[ROOM].may_send = False
    with pytest.raises(RemoteRejected, match="Send Messages"):
        adapter.deliver(message, marker=marker)
    with pytest.raises(RemoteRejected, match="neither words nor files"):
        adapter.deliver(outbound(ROOM, ""), marker=marker)
    with pytest.raises(CredentialsRejected):
        connect(bot_token="A" * 60).deliver(message, marker=marker)


def test_what_is_answered_may_be_gone(discord: DiscordStandIn, adapter: DiscordAdapter, marker: Marker) -> None:
    asked = discord.says(ROOM, ADA, "hi")
    discord.deletes(ROOM, asked)
    receipt = adapter.deliver(outbound(ROOM, "hello", reply_to=f"{ROOM}:{asked}"), marker=marker)
    assert "is gone" in receipt.losses[0]


def test_ours_is_changed_and_taken_back_and_theirs_is_not(discord: DiscordStandIn, adapter: DiscordAdapter, marker: Marker) -> None:
    thread = ThreadKey(ROOM)
    ref = adapter.deliver(outbound(thread, "helo"), marker=marker).message_ref
    adapter.edit(ref, outbound(thread, "hello"), marker=marker)
    assert discord.said_by_bot(ROOM)[0]["content"] == "hello"
    adapter.delete(ref, thread, marker=marker)
    adapter.delete(ref, thread, marker=marker)
    assert discord.said_by_bot(ROOM) == []
    theirs = MessageRef(f"{ROOM}:{discord.says(ROOM, ADA, 'mine')}")
    with pytest.raises(RemoteRejected):
        adapter.edit(theirs, outbound(thread, "yours"), marker=marker)
    with pytest.raises(RemoteRejected):
        adapter.delete(theirs, thread, marker=marker)
    adapter.send_typing(thread)
    assert discord.typing == [ROOM]


def test_hidden_words_are_said_to_be_hidden(discord: DiscordStandIn, adapter: DiscordAdapter) -> None:
    assert all(probe.is_ok for probe in adapter.probe())
    discord.world.reads_content = False
    discord.says(ROOM, ADA, "hi")
    assert "Message Content Intent" in said(adapter)[0].remarks[0]
    assert [probe.name for probe in adapter.probe() if not probe.is_ok] == ["message content"]


@given(st.text(max_size=80), st.text(max_size=10))
def test_the_ruler_rises_and_covers_what_is_sent(words: str, more: str) -> None:
    measure = wording.ruler().measure
    assert measure(words + more) >= measure(words) >= len(wording.escape(words))


@given(
    st.text(alphabet="ab \n*_`~|>", max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20), st.sampled_from(MarkKind)), max_size=5),
)
def test_no_letters_are_lost_in_markdown(plain: str, spans: list[tuple[int, int, MarkKind]]) -> None:
    marks = tuple(sorted(Mark(start, start + length, kind) for start, length, kind in spans if start + length <= len(plain)))
    shown = wording.render(Text(plain, marks))
    for letter in "ab":
        assert shown.count(letter) == plain.count(letter)
