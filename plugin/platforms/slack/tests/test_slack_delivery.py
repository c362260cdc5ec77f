"""What the adapter says to a workspace that refuses what the real one refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from plugin.contracts.splitting import split
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
)
from plugin.domain.ids import Marker, MessageRef, ThreadKey
from plugin.domain.model import File
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.slack.adapter import SlackAdapter
from plugin.testing.outgoing import outbound
from plugin.testing.standins.slack import SlackStandIn

ROOM, ADA, DIRECT = "C0HELP0001", "U0ADA00001", "D0ADA00001"


def test_an_answer_stands_in_the_customers_thread_word_for_word(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    root = slack.says(ROOM, ADA, "My printer does not answer")
    receipt = adapter.deliver(outbound(f"{ROOM}:{root}", "*Not* bold, _really_ <b> & `c`", reply_to=f"{ROOM}:{root}"), marker=marker)
    (said,) = slack.said_by_bot(ROOM)
    assert said["thread_ts"] == root
    assert said["text"] == "*Not* bold, _really_ &lt;b&gt; &amp; `c`"
    assert receipt.message_ref == f"{ROOM}:{said['ts']}"
    (echo,) = adapter.parse(slack.events[-1])
    assert getattr(echo, "text", None) == Text("*Not* bold, _really_ <b> & `c`")


def test_a_direct_conversation_is_answered_without_a_thread(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    slack.says(DIRECT, ADA, "Can you reset my password?")
    adapter.deliver(outbound(DIRECT, "Yes."), marker=marker)
    assert "thread_ts" not in slack.said_by_bot(DIRECT)[0]


def test_marks_go_out_and_come_back_the_same(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    root = slack.says(ROOM, ADA, "hi")
    text = Text(
        "Do this 👍 now:\nsudo lpadmin\nas said\nsee the page, U, and https://b.example/x.",
        (
            Mark(3, 7, MarkKind.BOLD),
            Mark(3, 7, MarkKind.ITALIC),
            Mark(15, 27, MarkKind.PRE),
            Mark(28, 35, MarkKind.QUOTE),
            Mark(44, 48, MarkKind.LINK, "https://a.example/?x=1&y=2"),
            Mark(50, 51, MarkKind.MENTION, ADA),
        ),
    )
    adapter.deliver(outbound(f"{ROOM}:{root}", text), marker=marker)
    (echo,) = adapter.parse(slack.events[-1])
    found = getattr(echo, "text", Text(""))
    assert found.plain == text.plain.replace(" U,", f" @{ADA},")
    kinds = {(mark.kind, found.plain[mark.start : mark.end]) for mark in found.marks}
    assert kinds == {
        (MarkKind.BOLD, "this"),
        (MarkKind.ITALIC, "this"),
        (MarkKind.PRE, "sudo lpadmin"),
        (MarkKind.QUOTE, "as said"),
        (MarkKind.LINK, "page"),
        (MarkKind.LINK, "https://b.example/x"),
        (MarkKind.MENTION, f"@{ADA}"),
    }


def test_a_long_answer_split_by_our_ruler_is_taken_whole(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    root, limits = slack.says(ROOM, ADA, "hi"), adapter.capabilities.limits
    assert limits.text_length is not None
    assert limits.ruler is not None
    parts = split(Text("𝔘nd so & weiter. " * 600), limits.text_length, limits.ruler)
    for part in parts:
        adapter.deliver(outbound(f"{ROOM}:{root}", part), marker=marker)
    assert len(slack.said_by_bot(ROOM)) == len(parts) > 2
    with pytest.raises(RemoteRejected, match="msg_too_long"):
        adapter.deliver(outbound(f"{ROOM}:{root}", "x" * 40_001), marker=marker)


def test_words_and_files_are_one_message(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    root = slack.says(ROOM, ADA, "Send me the form")
    files = tuple(File(filename=name, content_type="application/pdf", content=b"%PDF") for name in ("Größe 1.pdf", "b.pdf"))
    receipt = adapter.deliver(outbound(f"{ROOM}:{root}", "Here.", files=files), marker=marker)
    (said,) = slack.said_by_bot(ROOM)
    assert [file["title"] for file in said["files"]] == ["Größe 1.pdf", "b.pdf"]
    assert receipt.message_ref == f"{ROOM}:{said['ts']}"
    assert adapter.find_delivered(outbound(f"{ROOM}:{root}", "Here.", files=files), marker=marker) == receipt


def test_what_stalls_in_the_upload_was_seen_by_nobody(slack: SlackStandIn, connect: Callable[..., SlackAdapter], marker: Marker) -> None:
    root = slack.says(ROOM, ADA, "Send me the form")
    files = (File(filename="a.pdf", content_type="application/pdf", content=b"%PDF"),)
    for method, kind in (("upload", "error_before"), ("files.completeUploadExternal", "error_after"), ("upload", "drop_after")):
        slack.arm(kind, at=method, value=502)
        with pytest.raises(RemoteUnavailable):
            connect().deliver(outbound(f"{ROOM}:{root}", "Here.", files=files), marker=marker)
    assert slack.said_by_bot(ROOM) == []


@pytest.mark.parametrize(
    ("kind", "value", "applied"),
    [("error_before", 500, 0), ("error_after", 502, 1), ("drop_before", 0, 0), ("drop_after", 0, 1), ("stall_after", 1.0, 1)],
)
def test_an_unclear_answer_is_looked_up_by_the_marker(
    slack: SlackStandIn, connect: Callable[..., SlackAdapter], marker: Marker, kind: str, value: float, applied: int
) -> None:
    root = slack.says(ROOM, ADA, "hi")
    message = outbound(f"{ROOM}:{root}", "hello")
    slack.arm(kind, at="chat.postMessage", value=value)
    with pytest.raises(OutcomeUnknown):
        connect(timeout=0.5).deliver(message, marker=marker)
    said = slack.said_by_bot(ROOM)
    assert len(said) == applied
    found = connect().find_delivered(message, marker=marker)
    assert (found.message_ref if found else None) == (f"{ROOM}:{said[0]['ts']}" if said else None)
    assert connect().find_delivered(message, marker=Marker("another")) is None


def test_an_answer_without_a_thread_is_found_again(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    slack.says(DIRECT, ADA, "hi")
    receipt = adapter.deliver(outbound(DIRECT, "hello"), marker=marker)
    for number in range(250):
        slack.says(DIRECT, ADA, f"word {number}")
    assert adapter.find_delivered(outbound(DIRECT, "hello"), marker=marker) == receipt


def test_a_pause_is_as_long_as_slack_says(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    root = slack.says(ROOM, ADA, "hi")
    slack.arm("rate_limit", at="chat.postMessage", value=17)
    with pytest.raises(RateLimited) as limited:
        adapter.deliver(outbound(f"{ROOM}:{root}", "hello"), marker=marker)
    assert limited.value.retry_after == 17
    assert slack.said_by_bot(ROOM) == []


def test_who_is_no_member_and_what_is_gone_is_told_apart_from_the_token(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    slack.opens("C0OTHER001", "channel", is_member=False)
    slack.opens("C0OLD00001", "channel", is_archived=True)
    for thread, words in [
        ("C0OTHER001:1795262400.000001", "not_in_channel"),
        ("C0OLD00001:1795262400.000001", "is_archived"),
        ("C0NONE0001:1795262400.000001", "channel_not_found"),
        ("no key", "No Slack conversation"),
    ]:
        with pytest.raises(TargetGone, match=words):
            adapter.deliver(outbound(thread, "hello"), marker=marker)
    root = slack.says(ROOM, ADA, "hi")
    slack.scopes.discard("chat:write")
    with pytest.raises(CredentialsRejected, match="chat:write"):
        adapter.deliver(outbound(f"{ROOM}:{root}", "hello"), marker=marker)
    slack.is_revoked = True
    with pytest.raises(CredentialsRejected, match="token"):
        adapter.deliver(outbound(f"{ROOM}:{root}", "hello"), marker=marker)


def test_ours_is_changed_and_taken_back_and_theirs_is_not(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    root = slack.says(ROOM, ADA, "hi")
    thread = ThreadKey(f"{ROOM}:{root}")
    ref = adapter.deliver(outbound(thread, Text("hello", (Mark(0, 5, MarkKind.BOLD),))), marker=marker).message_ref
    adapter.edit(ref, outbound(thread, "good day"), marker=marker)
    adapter.edit(ref, outbound(thread, "good day"), marker=marker)
    (said,) = slack.said_by_bot(ROOM)
    assert said["text"] == "good day"
    assert said["blocks"][0]["elements"][0]["elements"] == [{"type": "text", "text": "good day"}]
    assert adapter.find_delivered(outbound(thread, "good day"), marker=marker) is not None
    adapter.delete(ref, thread, marker=marker)
    adapter.delete(ref, thread, marker=marker)
    assert slack.said_by_bot(ROOM) == []
    with pytest.raises(TargetGone):
        adapter.edit(ref, outbound(thread, "again"), marker=marker)
    theirs = MessageRef(f"{ROOM}:{root}")
    with pytest.raises(RemoteRejected, match="cant_update_message"):
        adapter.edit(theirs, outbound(thread, "I said so"), marker=marker)
    with pytest.raises(RemoteRejected, match="cant_delete_message"):
        adapter.delete(theirs, thread, marker=marker)


def test_nothing_is_said_with_nothing(adapter: SlackAdapter, slack: SlackStandIn, marker: Marker) -> None:
    with pytest.raises(RemoteRejected, match="neither words nor files"):
        adapter.deliver(outbound(DIRECT, ""), marker=marker)
    assert slack.calls == []
