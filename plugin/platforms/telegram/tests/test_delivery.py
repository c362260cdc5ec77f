"""What the adapter says to a Telegram that refuses what the real one refuses."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from plugin.contracts.http import HttpResponse
from plugin.contracts.rulers import UTF16
from plugin.contracts.splitting import split
from plugin.domain.errors import (
    CredentialsRejected,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    TargetGone,
    Unsupported,
    WindowClosed,
)
from plugin.domain.ids import Marker, MediaRef, MessageRef, ThreadKey
from plugin.domain.model import Attachment, File
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.telegram.adapter import TelegramAdapter
from plugin.testing.fakes import CannedHttp, canned
from plugin.testing.outgoing import outbound
from plugin.testing.standins.telegram import TelegramStandIn

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x06\x00\x00\x00"
LONG_PNG = PNG.replace(b"\x00\x00\x00\x10\x00\x00\x00\x10", b"\x00\x00\xff\x00\x00\x00\x00\x10")


def test_an_answer_stands_under_the_customers_message(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    asked = telegram.customer_says(77, "Where is my parcel?")
    receipt = adapter.deliver(outbound("77", "On its *way*, _really_ [now](", reply_to=f"77:{asked['message_id']}"), marker=marker)
    (said,) = telegram.said_by_bot(77)
    assert said["text"] == "On its *way*, _really_ [now]("
    assert said["reply_to_message"]["message_id"] == asked["message_id"]
    assert receipt.message_ref == f"77:{said['message_id']}"
    assert receipt.losses == ()


def test_marks_arrive_as_entities(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    text = Text("👍 see here", (Mark(2, 5, MarkKind.BOLD), Mark(6, 10, MarkKind.LINK, "https://a.example/")))
    adapter.deliver(outbound("77", text), marker=marker)
    (said,) = telegram.said_by_bot(77)
    assert said["entities"] == [
        {"type": "bold", "offset": 3, "length": 3},
        {"type": "text_link", "offset": 7, "length": 4, "url": "https://a.example/"},
    ]


def test_a_long_answer_split_by_our_ruler_is_taken_whole(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    limits = adapter.capabilities.limits
    assert limits.text_length is not None
    assert limits.ruler is UTF16
    parts = split(Text("𝔘nd so 👍 weiter. " * 600), limits.text_length, limits.ruler)
    assert len(parts) > 2
    for part in parts:
        adapter.deliver(outbound("77", part), marker=marker)
    assert [said["text"] for said in telegram.said_by_bot(77)] == [part.plain for part in parts]


def test_one_unit_too_long_is_refused(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    adapter.deliver(outbound("77", "👍" * 2048), marker=marker)
    with pytest.raises(RemoteRejected, match="message is too long"):
        adapter.deliver(outbound("77", "👍" * 2048 + "x"), marker=marker)


@pytest.mark.parametrize(
    ("content_type", "content", "field"),
    [
        ("image/png", PNG, "photo"),
        ("image/jpeg", b"\xff\xd8\xff\xe0", "photo"),
        ("application/pdf", b"%PDF", "document"),
        ("video/mp4", b"\x00\x00\x00\x18ftyp", "video"),
        ("audio/mpeg", b"ID3", "audio"),
        ("image/gif", b"GIF89a", "animation"),
        ("image/webp", b"RIFF", "document"),
    ],
)
def test_each_file_goes_out_in_its_best_form(
    telegram: TelegramStandIn,
    adapter: TelegramAdapter,
    marker: Marker,
    content_type: str,
    content: bytes,
    field: str,
) -> None:
    telegram.customer_says(77, "hi")
    file = File(filename="Größe 👍.bin", content_type=content_type, content=content)
    adapter.deliver(outbound("77", Text("look", (Mark(0, 4, MarkKind.ITALIC),)), files=(file,)), marker=marker)
    (said,) = telegram.said_by_bot(77)
    assert field in said
    assert said["caption"] == "look"
    assert said["caption_entities"] == [{"type": "italic", "offset": 0, "length": 4}]
    if field == "document":
        assert said["document"]["file_name"] == "Größe 👍.bin"


@pytest.mark.parametrize("content", [b"no picture at all", LONG_PNG, PNG + b"\0" * (10 << 20)])
def test_a_picture_that_is_none_to_telegram_goes_as_a_file_once(
    telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker, content: bytes
) -> None:
    telegram.customer_says(77, "hi")
    adapter.deliver(outbound("77", files=(File(filename="a.png", content_type="image/png", content=content),)), marker=marker)
    (said,) = telegram.said_by_bot(77)
    assert said["document"]["file_name"] == "a.png"


def test_more_than_one_call_can_carry_is_refused_before_any_call(
    telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker
) -> None:
    telegram.customer_says(77, "hi")
    file = File(filename="a.pdf", content_type="application/pdf", content=b"%PDF")
    for message in (outbound("77", "two", files=(file, file)), outbound("77", "x" * 1025, files=(file,))):
        with pytest.raises(Unsupported):
            adapter.deliver(message, marker=marker)
    assert telegram.calls == []


def test_a_topic_a_group_and_a_business_chat_are_answered_where_they_are(
    telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker
) -> None:
    telegram.open_group(-100500, kind="supergroup")
    telegram.open_topic(-100500, 3)
    adapter.deliver(outbound("-100500/topic/3", "in the topic"), marker=marker)
    telegram.connect_business("Bc1", owner=500)
    asked = telegram.customer_says(77, "to the shop", business="Bc1")
    receipt = adapter.deliver(outbound("77/business/Bc1", "from the shop", reply_to=f"77:{asked['message_id']}:Bc1"), marker=marker)
    assert telegram.said_by_bot(-100500)[0]["message_thread_id"] == 3
    (said,) = telegram.said_by_bot(77, business="Bc1")
    assert receipt.message_ref == f"77:{said['message_id']}:Bc1"
    assert said["reply_to_message"]["message_id"] == asked["message_id"]
    assert telegram.messages(77) == []


def test_a_reply_to_what_is_gone_stands_alone_and_says_so(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    asked = telegram.customer_says(77, "hi")
    telegram.customer_deletes(77, asked["message_id"])
    receipt = adapter.deliver(outbound("77", "hello", reply_to=f"77:{asked['message_id']}"), marker=marker)
    assert len(telegram.said_by_bot(77)) == 1
    assert "is gone" in receipt.losses[0]


def test_a_group_that_became_a_supergroup_is_followed_at_once(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.open_group(-500)
    asked = telegram.customer_says(-500, "hi", sender=77)
    new = telegram.upgrade_group(-500)
    receipt = adapter.deliver(outbound("-500", "hello", reply_to=f"-500:{asked['message_id']}"), marker=marker)
    (said,) = telegram.said_by_bot(new)
    assert receipt.message_ref == f"{new}:{said['message_id']}"
    assert str(new) in receipt.losses[0]
    assert telegram.said_by_bot(-500) == []


def test_a_customer_of_a_business_account_sees_that_the_message_was_read(telegram: TelegramStandIn, adapter: TelegramAdapter) -> None:
    telegram.connect_business("Bc1", owner=500)
    asked = telegram.customer_says(77, "to the shop", business="Bc1")["message_id"]
    plain = telegram.customer_says(77, "to the bot")["message_id"]
    adapter.mark_read(ThreadKey("77/business/Bc1"), MessageRef(f"77:{asked}:Bc1"))
    adapter.mark_read(ThreadKey("77"), MessageRef(f"77:{plain}"))
    assert telegram.methods.read == [("Bc1", 77, asked)]
    for thread in ("77", "77/business/Bc1"):
        adapter.send_typing(ThreadKey(thread))


def test_a_business_chat_that_was_silent_for_a_day_is_a_closed_window(
    connect: Callable[..., TelegramAdapter], telegram: TelegramStandIn, marker: Marker
) -> None:
    telegram.connect_business("Bc1", owner=500)
    asked = telegram.customer_says(77, "hi", business="Bc1")
    telegram.world.kept["Bc1", 77][asked["message_id"]].message["date"] -= 86401
    with pytest.raises(WindowClosed):
        connect().deliver(outbound("77/business/Bc1", "late"), marker=marker)


def test_who_cannot_be_reached_is_gone(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    telegram.customer_says(78, "hi")
    telegram.open_group(-500)
    telegram.customer_blocks(77)
    telegram.world.deactivated.add(78)
    telegram.customer_blocks(-500)
    for thread, words in [
        ("77", "bot was blocked by the user"),
        ("78", "user is deactivated"),
        ("-500", "bot was kicked"),
        ("79", "chat not found"),
        ("77/business/none", "business connection not found"),
        ("not a chat", "No Telegram chat"),
    ]:
        with pytest.raises(TargetGone, match=words):
            adapter.deliver(outbound(thread, "hello"), marker=marker)


def test_an_empty_text_is_refused_for_good(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    with pytest.raises(RemoteRejected) as refused:
        adapter.deliver(outbound("77", "  \n"), marker=marker)
    assert type(refused.value) is RemoteRejected


def test_a_pause_is_as_long_as_telegram_says(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    telegram.arm("rate_limit", at="sendMessage", value=17)
    with pytest.raises(RateLimited) as limited:
        adapter.deliver(outbound("77", "hello"), marker=marker)
    assert limited.value.retry_after == 17
    assert telegram.said_by_bot(77) == []


@pytest.mark.parametrize(
    ("kind", "value", "applied"),
    [
        ("error_before", 500, 0),
        ("error_before", 502, 0),
        ("error_after", 500, 1),
        ("error_after", 504, 1),
        ("drop_before", 0, 0),
        ("drop_after", 0, 1),
        ("stall_after", 1.0, 1),
    ],
)
def test_no_proof_is_no_outcome_whatever_happened(
    telegram: TelegramStandIn,
    connect: Callable[..., TelegramAdapter],
    marker: Marker,
    kind: str,
    value: float,
    applied: int,
) -> None:
    telegram.customer_says(77, "hi")
    telegram.arm(kind, at="sendMessage", value=value)
    with pytest.raises(OutcomeUnknown):
        connect(timeout=0.3).deliver(outbound("77", "hello"), marker=marker)
    assert len(telegram.said_by_bot(77)) == applied


def test_a_revoked_token_stops_the_channel(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    telegram.revoke_token()
    with pytest.raises(CredentialsRejected, match="BotFather"):
        adapter.deliver(outbound("77", "hello"), marker=marker)


def test_a_wrong_api_url_is_no_proof_of_anything(connect: Callable[..., TelegramAdapter], marker: Marker) -> None:
    with pytest.raises(RemoteUnavailable):
        connect(api_url="http://127.0.0.1:9").deliver(outbound("77", "hello"), marker=marker)


class LeakyHttp:
    """A client below the adapter that redacts nothing."""

    def __init__(self, kind: type[RemoteError]) -> None:
        self.kind = kind

    def request(self, method: str, url: str, **_: Any) -> HttpResponse:
        raise self.kind(f"{method} {url} failed", detail=f"POST {url}") from OSError(f"no answer from {url}")


@pytest.mark.parametrize("kind", [OutcomeUnknown, RemoteUnavailable])
def test_no_error_tells_the_token(
    telegram: TelegramStandIn,
    connect: Callable[..., TelegramAdapter],
    marker: Marker,
    kind: type[RemoteError],
) -> None:
    adapter = connect(http=LeakyHttp(kind))
    secret = telegram.token.partition(":")[2]
    attachment = Attachment(media_ref=MediaRef("f"), filename="a")
    calls: list[Callable[[], Any]] = [
        lambda: adapter.deliver(outbound("77", "hello"), marker=marker),
        lambda: adapter.fetch_media(attachment, max_bytes=10),
        adapter.register_webhook,
    ]
    for call in calls:
        with pytest.raises(RemoteError) as problem:
            call()
        told = "".join(traceback.format_exception(problem.value))
        assert secret not in told + problem.value.detail + repr(problem.value)
        assert secret not in str(pickle.loads(pickle.dumps(problem.value)))
    assert secret not in str(adapter.probe()) + repr(adapter)


def test_an_edit_reads_differently_and_twice_is_once(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    ref = adapter.deliver(outbound("77", "helo"), marker=marker).message_ref
    for _ in range(2):
        assert adapter.edit(ref, outbound("77", "hello"), marker=marker).message_ref == ref
    assert [said["text"] for said in telegram.said_by_bot(77)] == ["hello"]


def test_the_caption_of_a_file_is_edited(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    file = File(filename="a.pdf", content_type="application/pdf", content=b"%PDF")
    ref = adapter.deliver(outbound("77", "helo", files=(file,)), marker=marker).message_ref
    for _ in range(2):
        adapter.edit(ref, outbound("77", "hello"), marker=marker)
    (said,) = telegram.said_by_bot(77)
    assert said["caption"] == "hello"
    assert "document" in said


def test_edits_that_cannot_be(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    theirs = telegram.customer_says(77, "hi")
    with pytest.raises(TargetGone):
        adapter.edit(MessageRef("77:999"), outbound("77", "x"), marker=marker)
    with pytest.raises(RemoteRejected, match="can't be edited"):
        adapter.edit(MessageRef(f"77:{theirs['message_id']}"), outbound("77", "x"), marker=marker)
    with pytest.raises(TargetGone):
        adapter.edit(MessageRef("rubbish"), outbound("77", "x"), marker=marker)


def test_deleting_what_is_gone_is_success(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    ref = adapter.deliver(outbound("77", "hello"), marker=marker).message_ref
    for _ in range(2):
        adapter.delete(ref, ThreadKey("77"), marker=marker)
    assert telegram.said_by_bot(77) == []


def test_deleting_after_two_days_is_refused(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    ref = adapter.deliver(outbound("77", "hello"), marker=marker).message_ref
    telegram.world.kept["", 77][int(ref.partition(":")[2])].message["date"] -= 49 * 3600
    with pytest.raises(RemoteRejected, match="can't be deleted"):
        adapter.delete(ref, ThreadKey("77"), marker=marker)


def test_deleting_in_a_business_chat(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.connect_business("Bc1", owner=500)
    telegram.customer_says(77, "hi", business="Bc1")
    ref = adapter.deliver(outbound("77/business/Bc1", "hello"), marker=marker).message_ref
    adapter.delete(ref, ThreadKey("77/business/Bc1"), marker=marker)
    assert telegram.said_by_bot(77, business="Bc1") == []


def keyboards(http: CannedHttp) -> list[Any]:
    return [made.sent["json"].get("reply_markup") for made in http.made]


def test_a_keyboard_stands_in_the_bots_own_chats_with_one_person_alone(connect: Callable[..., TelegramAdapter], marker: Marker) -> None:
    sent = {"status": 200, "json": {"ok": True, "result": {"message_id": 9}}}
    for thread, is_shown in (("77", True), ("-100200", False), ("77/business/con", False), ("-100200/direct/7", False)):
        http = CannedHttp([canned(sent)])
        connect(http=http).deliver(outbound(thread, "Solved?", choices=("Yes", "No")), marker=marker)
        row = {"keyboard": [[{"text": "Yes"}, {"text": "No"}]], "resize_keyboard": True, "one_time_keyboard": True}
        assert keyboards(http) == [row if is_shown else None]


def test_telegram_takes_a_question_with_a_keyboard(telegram: TelegramStandIn, adapter: TelegramAdapter, marker: Marker) -> None:
    telegram.customer_says(77, "hi")
    receipt = adapter.deliver(outbound("77", "Solved?", choices=("Yes", "No")), marker=marker)
    (said,) = telegram.said_by_bot(77)
    assert (said["text"], receipt.losses) == ("Solved?", ())
