"""The stand-in refuses what the real Bot API refuses, in its words."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from plugin.testing.standins.telegram import TelegramStandIn, Upload

Call = Callable[..., tuple[int, Any]]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10"


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def telegram(clock: Clock) -> Iterator[TelegramStandIn]:
    with TelegramStandIn(now=clock, pace=0.01) as standin:
        standin.customer_says(77, "hi")
        yield standin


@pytest.fixture
def call(telegram: TelegramStandIn) -> Call:
    def made(method: str, *, token: str = "", files: Any = None, **parameters: Any) -> tuple[int, Any]:
        url = f"{telegram.url}/bot{token or telegram.token}/{method}"
        if files:
            form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
            answer = requests.post(url, data=form, files=files, timeout=10)
        else:
            answer = requests.post(url, json=parameters, timeout=10)
        body = answer.json()
        assert body["ok"] is (answer.status_code == 200)
        return answer.status_code, body["result"] if body["ok"] else body["description"]

    return made


def test_who_may_call(telegram: TelegramStandIn, call: Call) -> None:
    assert call("getMe")[1]["is_bot"] is True
    assert call("getMe", token="110201543:wrong_wrong_wrong_wrong_wrong") == (401, "Unauthorized")
    assert call("getMe", token="no-token") == (404, "Not Found")
    assert call("noSuchMethod") == (404, "Not Found: method not found")
    telegram.revoke_token()
    assert call("getMe") == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("method", "parameters", "words"),
    [
        ("sendMessage", {"text": "a"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": 77}, "message text is empty"),
        ("sendMessage", {"chat_id": 78, "text": "a"}, "chat not found"),
        ("sendMessage", {"chat_id": "nobody", "text": "a"}, "chat not found"),
        ("sendMessage", {"chat_id": 77, "text": " \n "}, "text must be non-empty"),
        ("sendMessage", {"chat_id": 77, "text": "x" * 4097}, "message is too long"),
        ("sendMessage", {"chat_id": 77, "text": "👍" * 2049}, "message is too long"),
        ("sendMessage", {"chat_id": 77, "text": "漢" * 12000}, "text is too long"),
        (
            "sendMessage",
            {"chat_id": 77, "text": "a", "colour": "red"},
            'unexpected parameter "colour" (the real Bot API would ignore it in silence)',
        ),
        ("sendMessage", {"chat_id": 77, "text": "a", "entities": "["}, "can't parse entities JSON object"),
        ("sendMessage", {"chat_id": 77, "text": "a", "entities": [1]}, "can't parse MessageEntity: expected an Object"),
        ("sendMessage", {"chat_id": 77, "text": "a", "message_thread_id": 5}, "message thread not found"),
        ("sendMessage", {"chat_id": 77, "text": "a", "reply_parameters": {"message_id": 999}}, "message to be replied not found"),
        ("sendMessage", {"chat_id": 77, "text": "a", "business_connection_id": "x"}, "business connection not found"),
        ("sendDocument", {"chat_id": 77}, "there is no document in the request"),
        ("sendPhoto", {"chat_id": 77, "photo": "unknown"}, "invalid file_id"),
        ("editMessageText", {"chat_id": 77, "text": "a"}, "message identifier is not specified"),
        ("editMessageText", {"chat_id": 77, "message_id": 999, "text": "a"}, "message to edit not found"),
        ("editMessageText", {"chat_id": 77, "message_id": 1, "text": "a"}, "message can't be edited"),
        ("deleteMessage", {"chat_id": 77}, "message identifier is not specified"),
        ("deleteMessage", {"chat_id": 77, "message_id": 999}, "message to delete not found"),
        ("getFile", {}, "file_id not specified"),
        ("getFile", {"file_id": "x"}, "invalid file_id"),
    ],
)
def test_what_is_wrong_is_refused(call: Call, method: str, parameters: dict[str, Any], words: str) -> None:
    assert call(method, **parameters) == (400, f"Bad Request: {words}")


def test_the_longest_text_is_taken_and_blanks_do_not_count(call: Call) -> None:
    assert call("sendMessage", chat_id=77, text="👍" * 2048)[0] == 200
    status, said = call("sendMessage", chat_id=77, text="\n  " + "x" * 4096 + " \n\n")
    assert (status, said["text"]) == (200, "x" * 4096)


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ({"type": "bold", "offset": 3, "length": 1}, "entity begins after the end of the text at UTF-16 offset 3"),
        (
            {"type": "bold", "offset": 2, "length": 2},
            "entity beginning at UTF-16 offset 2 ends after the end of the text at UTF-16 offset 4",
        ),
        ({"type": "bold", "offset": 1, "length": 2}, "entity begins in a middle of a UTF-16 symbol at byte offset 4"),
        (
            {"type": "bold", "offset": 0, "length": 1},
            "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4",
        ),
        ({"type": "bold", "offset": -1, "length": 1}, "receive an entity with incorrect offset -1"),
        ({"type": "loud", "offset": 0, "length": 2}, "can't parse MessageEntity: Unsupported type specified"),
        ({"type": "bold", "length": 2}, 'can\'t parse MessageEntity: Field "offset" must be of type Number'),
        ({"type": "text_link", "offset": 0, "length": 2}, "can't parse MessageEntity: Can't find field \"url\""),
    ],
)
def test_entities_that_do_not_fit_are_refused(call: Call, entity: dict[str, Any], words: str) -> None:
    assert call("sendMessage", chat_id=77, text="👍x", entities=[entity]) == (400, f"Bad Request: {words}")


@pytest.mark.parametrize(
    ("text", "entities", "shown"),
    [
        ("see https://a.example/x, @desk_bot", [], [("url", 4, 19), ("mention", 25, 9)]),
        ("  bold", [{"type": "bold", "offset": 2, "length": 4}], [("bold", 0, 4)]),
        ("a\rb", [{"type": "bold", "offset": 2, "length": 1}], [("bold", 1, 1)]),
        ("abcd", [{"type": "bold", "offset": 0, "length": 2}, {"type": "bold", "offset": 2, "length": 2}], [("bold", 0, 4)]),
        ("abcd", [{"type": "code", "offset": 0, "length": 4}, {"type": "bold", "offset": 1, "length": 2}], [("code", 0, 4)]),
        (
            "abcd",
            [{"type": "text_link", "offset": 0, "length": 2, "url": "mailto:a@b.example"}, {"type": "bold", "offset": 2, "length": 1}],
            [("bold", 2, 1)],
        ),
        ("abcd", [{"type": "blockquote", "offset": 0, "length": 2}, {"type": "code", "offset": 1, "length": 2}], [("blockquote", 0, 2)]),
    ],
)
def test_entities_are_put_in_order(call: Call, text: str, entities: list[Any], shown: list[Any]) -> None:
    _, said = call("sendMessage", chat_id=77, text=text, entities=entities)
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in said["entities"]] == shown


def test_replies(telegram: TelegramStandIn, call: Call) -> None:
    _, said = call("sendMessage", chat_id=77, text="a", reply_parameters={"message_id": 1})
    assert said["reply_to_message"]["text"] == "hi"
    _, alone = call("sendMessage", chat_id=77, text="a", reply_parameters={"message_id": 999, "allow_sending_without_reply": True})
    assert "reply_to_message" not in alone


def test_editing_to_the_same_is_refused(call: Call) -> None:
    _, said = call("sendMessage", chat_id=77, text="a")
    status, words = call("editMessageText", chat_id=77, message_id=said["message_id"], text=" a\n")
    assert status == 400
    assert words.startswith("Bad Request: message is not modified: specified new message content")
    assert call("editMessageText", chat_id=77, message_id=said["message_id"], text="b")[1]["edit_date"] > 0
    status, words = call("editMessageCaption", chat_id=77, message_id=said["message_id"], caption="b")
    assert words == "Bad Request: there is no caption in the message to edit"


def test_ids_are_never_used_twice(call: Call) -> None:
    _, said = call("sendMessage", chat_id=77, text="a")
    assert call("deleteMessage", chat_id=77, message_id=said["message_id"]) == (200, True)
    assert call("sendMessage", chat_id=77, text="a")[1]["message_id"] == said["message_id"] + 1


def test_uploads(telegram: TelegramStandIn, call: Call) -> None:
    status, said = call("sendPhoto", chat_id="77", caption="look", files={"photo": ("a.png", PNG, "image/png")})
    assert (status, said["caption"], len(said["photo"])) == (200, "look", 2)
    again = call("sendPhoto", chat_id=77, photo=said["photo"][-1]["file_id"])
    assert again[0] == 200
    assert call("sendPhoto", chat_id="77", files={"photo": ("a.png", b"text")}) == (400, "Bad Request: IMAGE_PROCESS_FAILED")
    assert call("sendDocument", chat_id="77", files={"document": ("a.txt", b"")}) == (400, "Bad Request: file must be non-empty")
    assert call("sendDocument", chat_id="77", caption="x" * 1025, files={"document": ("a", b"a")}) == (
        400,
        "Bad Request: message caption is too long",
    )
    assert call("sendDocument", chat_id="77", files={"photo": ("a", b"a")})[1].startswith("Bad Request: unexpected file")


def test_a_huge_upload_is_refused(call: Call) -> None:
    assert call("sendDocument", chat_id="77", files={"document": ("a", b"\0" * ((50 << 20) + 1))}) == (413, "Request Entity Too Large")


def test_files_can_be_had_for_an_hour(telegram: TelegramStandIn, call: Call, clock: Clock) -> None:
    said = telegram.customer_says(77, upload=Upload(content=b"abc", filename="a.txt"))
    _, file = call("getFile", file_id=said["document"]["file_id"])
    address = f"{telegram.url}/file/bot{telegram.token}/{file['file_path']}"
    assert requests.get(address, timeout=5).content == b"abc"
    assert requests.get(address.replace(":AAH", ":AAX"), timeout=5).status_code == 401
    clock.time += 3601
    assert requests.get(address, timeout=5).status_code == 404
    big = telegram.customer_says(77, upload=Upload(content=b"x", size=(20 << 20) + 1))
    assert call("getFile", file_id=big["document"]["file_id"]) == (400, "Bad Request: file is too big")


def test_who_does_not_want_us(telegram: TelegramStandIn, call: Call) -> None:
    telegram.customer_blocks(77)
    assert call("sendMessage", chat_id=77, text="a") == (403, "Forbidden: bot was blocked by the user")
    telegram.customer_blocks(77, is_blocked=False)
    assert call("sendMessage", chat_id=77, text="a")[0] == 200
    telegram.open_group(-5)
    new = telegram.upgrade_group(-5)
    answer = requests.post(f"{telegram.url}/bot{telegram.token}/sendMessage", json={"chat_id": -5, "text": "a"}, timeout=5)
    assert answer.json() == {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": new},
    }


def test_asking_acknowledges_by_offset(telegram: TelegramStandIn, call: Call) -> None:
    telegram.customer_says(77, "two")
    _, first = call("getUpdates")
    assert [update["message"]["text"] for update in first] == ["hi", "two"]
    assert call("getUpdates")[1] == first
    assert call("getUpdates", offset=first[1]["update_id"])[1] == first[1:]
    assert call("getUpdates", offset=-1)[1] == first[1:]
    assert call("getUpdates", offset=first[1]["update_id"] + 1)[1] == []
    assert call("getWebhookInfo")[1]["pending_update_count"] == 0


def test_kinds_must_be_named(telegram: TelegramStandIn, call: Call) -> None:
    telegram.customer_reacts(77, 1, "👍")
    assert len(call("getUpdates", allowed_updates=["message_reaction"])[1]) == 1
    telegram.customer_reacts(77, 1, "🔥")
    telegram.customer_says(77, "not wanted")
    assert [sorted(update) for update in call("getUpdates")[1]][1:] == [["message_reaction", "update_id"]]


def test_asking_and_a_webhook_exclude_each_other(call: Call) -> None:
    assert call("setWebhook", url="http://127.0.0.1:9/x") == (200, True)
    assert call("getUpdates") == (
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
    assert call("deleteWebhook") == (200, True)
    assert call("getUpdates")[0] == 200


def test_a_second_asker_ends_the_first(telegram: TelegramStandIn, call: Call) -> None:
    _, updates = call("getUpdates")
    answers: list[Any] = []
    first = threading.Thread(target=lambda: answers.append(call("getUpdates", offset=updates[-1]["update_id"] + 1, timeout=30)))
    first.start()
    while telegram.updates.pending():
        time.sleep(0.01)
    second = threading.Thread(target=lambda: answers.append(call("getUpdates", timeout=30)))
    second.start()
    first.join(10)
    assert answers == [
        (409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"),
    ]
    telegram.customer_says(77, "wakes the second")
    second.join(10)
    assert answers[1][1][0]["message"]["text"] == "wakes the second"


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"url": "https://"}, "invalid webhook URL specified"),
        ({"url": "ftp://desk.example/x"}, "invalid webhook URL specified"),
        ({"url": "http://desk.example/x"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "https://desk.example:444/x"}, "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ({"url": "https://desk.example/x", "secret_token": "with space"}, "secret token contains unallowed characters"),
        ({"url": "https://desk.example/x", "secret_token": "x" * 257}, "secret token is too long"),
    ],
)
def test_webhooks_that_cannot_be(call: Call, parameters: dict[str, str], words: str) -> None:
    assert call("setWebhook", **parameters) == (400, f"Bad Request: {words}")
    assert call("getWebhookInfo")[1]["url"] == ""


def test_loopback_is_for_tests_only() -> None:
    with TelegramStandIn(may_be_loopback=False) as strict:
        answer = requests.post(f"{strict.url}/bot{strict.token}/setWebhook", json={"url": "http://127.0.0.1:9/x"}, timeout=5)
    assert answer.status_code == 400


def test_business_chats_have_their_own_rules(telegram: TelegramStandIn, call: Call, clock: Clock) -> None:
    telegram.connect_business("Bc1", owner=500)
    telegram.customer_says(88, "to the shop", business="Bc1")
    other = telegram.customer_says(89, "me too", business="Bc1")
    assert other["message_id"] == 2  # an account counts its chats together
    _, said = call("sendMessage", chat_id=88, text="hello", business_connection_id="Bc1")
    assert said["sender_business_bot"]["id"] == 110201543
    assert said["from"]["id"] == 500
    assert "business_message" in call("getUpdates")[1][-1]  # bots do hear their own words there
    assert call("sendMessage", chat_id=88, text="hello") == (400, "Bad Request: chat not found")
    clock.time += 86401
    assert call("sendMessage", chat_id=88, text="late", business_connection_id="Bc1") == (400, "Bad Request: BUSINESS_PEER_USAGE_MISSING")
    telegram.connect_business("Bc1", owner=500, can_reply=False)
    assert call("sendMessage", chat_id=88, text="a", business_connection_id="Bc1")[1] == "Bad Request: BUSINESS_CONNECTION_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("kind", "value", "status", "said"),
    [
        ("rate_limit", 7, 429, 0),
        ("error_before", 500, 500, 0),
        ("error_before", 502, 502, 0),
        ("error_after", 500, 500, 1),
        ("error_after", 504, 504, 1),
        ("stall_before", 0.2, 200, 1),
        ("stall_after", 0.2, 200, 1),
        ("drop_before", 0, 0, 0),
        ("drop_after", 0, 0, 1),
    ],
)
def test_faults(telegram: TelegramStandIn, kind: str, value: float, status: int, said: int) -> None:
    telegram.arm(kind, at="sendMessage", value=value)
    address = f"{telegram.url}/bot{telegram.token}/sendMessage"
    try:
        answer = requests.post(address, json={"chat_id": 77, "text": "a"}, timeout=5)
        seen = answer.status_code
        if status == 429:
            assert answer.headers["Retry-After"] == "7"
            assert answer.json()["parameters"] == {"retry_after": 7}
    except requests.ConnectionError:
        seen = 0
    assert (seen, len(telegram.said_by_bot(77))) == (status, said)
    assert requests.post(address, json={"chat_id": 77, "text": "b"}, timeout=5).status_code == 200


def test_a_call_can_be_applied_after_the_caller_gave_up(telegram: TelegramStandIn) -> None:
    telegram.arm("stall_before", at="sendMessage", value=0.4)
    with pytest.raises(requests.Timeout):
        requests.post(f"{telegram.url}/bot{telegram.token}/sendMessage", json={"chat_id": 77, "text": "late"}, timeout=0.1)
    assert telegram.said_by_bot(77) == []
    until = time.monotonic() + 5
    while not telegram.said_by_bot(77) and time.monotonic() < until:
        time.sleep(0.02)
    assert [said["text"] for said in telegram.said_by_bot(77)] == ["late"]


def test_other_processes_have_the_same_verbs(telegram: TelegramStandIn) -> None:
    def control(verb: str, **given: Any) -> Any:
        answer = requests.post(f"{telegram.url}/control/{verb}", json=given, timeout=5)
        return answer.json()

    said = control("customer_says", chat=90, text="by wire", upload={"kind": "voice", "content": "YWJj"})
    assert said["voice"]["file_size"] == 3
    assert [message["caption"] for message in control("messages", chat=90)] == ["by wire"]
    control("arm", kind="rate_limit", value=3)
    assert requests.post(f"{telegram.url}/bot{telegram.token}/getMe", timeout=5).status_code == 429
    control("arm", kind="rate_limit", value=3)
    control("clear")
    assert requests.post(f"{telegram.url}/bot{telegram.token}/getMe", timeout=5).status_code == 200
    control("set", pace=0.5, duplicates=2)
    assert (telegram.updates.pace, telegram.updates.duplicates) == (0.5, 2)
    assert control("state")["pending"] == 2
    control("revoke_token")
    assert requests.post(f"{telegram.url}/bot{telegram.token}/getMe", timeout=5).status_code == 401


def test_it_is_gone_when_stopped() -> None:
    with TelegramStandIn() as standin:
        port = int(standin.url.rpartition(":")[2])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
