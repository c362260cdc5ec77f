"""Updates by webhook and by asking, files, and what the probes say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from plugin.contracts.http import WebhookRequest
from plugin.domain.errors import (
    CredentialsRejected,
    MalformedPayload,
    RemoteRejected,
    RemoteUnavailable,
    SignatureInvalid,
    UnsupportedEvent,
)
from plugin.domain.events import ContactReachability, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment
from plugin.platforms.telegram.adapter import PLATFORM, PollingTelegramAdapter, TelegramAdapter
from plugin.platforms.telegram.updates import ALLOWED_UPDATES
from plugin.testing.outgoing import outbound
from plugin.testing.standins.telegram import TelegramStandIn, Upload
from tests.webhook_listener import Listener

SECRET = "q7Xw_2c-93kfhQzE"
HEADER = "x-telegram-bot-api-secret-token"


def posted(update: Any, **headers: str) -> WebhookRequest:
    return WebhookRequest(method="POST", path="", headers=headers, query={}, body=json.dumps(update).encode())


def test_whoever_is_asked_opens_to_nobody(poller: PollingTelegramAdapter) -> None:
    for headers in ({}, {HEADER: ""}, {HEADER: SECRET}):
        with pytest.raises(SignatureInvalid):
            poller.verify(posted({"update_id": 1}, **headers))


def test_a_changed_secret_overlaps_with_the_old_one_until_that_is_dropped(connect: Callable[..., TelegramAdapter]) -> None:
    fresh = "n" * 32
    overlapping, after = connect(secret_token=fresh, previous_secret_token=SECRET), connect(secret_token=fresh)
    for secret in (fresh, SECRET):
        overlapping.verify(posted({"update_id": 1}, **{HEADER: secret}))
    after.verify(posted({"update_id": 1}, **{HEADER: fresh}))
    with pytest.raises(SignatureInvalid):
        after.verify(posted({"update_id": 1}, **{HEADER: SECRET}))
    with pytest.raises(SignatureInvalid):
        overlapping.verify(posted({"update_id": 1}, **{HEADER: ""}))


def test_a_whole_way_in_and_out_with_a_poisonous_update_between(
    telegram: TelegramStandIn, connect: Callable[..., TelegramAdapter], marker: Any
) -> None:
    """The stand-in POSTs, we verify and parse; what cannot be read is acknowledged as the receipt path does, and blocks nobody."""
    events: list[Any] = []
    problems: list[Exception] = []

    def read(request: WebhookRequest) -> tuple[int, dict[str, str], bytes]:
        adapter.verify(request)
        try:
            events.extend(adapter.parse(request))
        except (MalformedPayload, UnsupportedEvent) as problem:
            problems.append(problem)
        return 200, {}, b"{}"

    with Listener(0, "/in/channel/telegram") as listener:
        adapter = connect(webhook_url=listener.url)
        listener.reply = read
        adapter.register_webhook()
        asked = telegram.customer_says(77, "one 👍", reply_to=None)
        telegram.updates.add("message", {"chat": {"id": 77}, "text": "no id"}, queue=":77")
        telegram.customer_edits(77, asked["message_id"], "uno")
        telegram.customer_says(77, "two", reply_to=asked["message_id"])
        assert telegram.wait_idle()
    assert [type(event) for event in events] == [MessageReceived, MessageEdited, MessageReceived]
    assert [type(problem) for problem in problems] == [MalformedPayload]
    assert events[2].parent_ref == events[0].message_ref
    adapter.deliver(outbound(events[2].thread_key, "three", reply_to=events[2].message_ref), marker=marker)
    assert [message["text"] for message in telegram.messages(77)] == ["uno", "two", "three"]


def test_registering_names_the_kinds_and_the_secret_and_may_be_repeated(
    telegram: TelegramStandIn, connect: Callable[..., TelegramAdapter]
) -> None:
    adapter = connect()
    for _ in range(2):
        adapter.register_webhook()
    assert telegram.updates.webhook.url == "https://desk.example/in/channel/telegram"
    assert telegram.updates.webhook.secret == SECRET
    assert telegram.updates.allowed == frozenset(ALLOWED_UPDATES)
    assert [command["command"] for command in telegram.methods.commands] == ["start", "help", "status", "end"]
    assert [probe.is_ok for probe in adapter.probe()] == [True, True, True, True, True]
    (hears,) = (probe for probe in adapter.probe() if "groups" in probe.name)
    assert "privacy mode" in hears.answer


def test_the_menu_says_what_the_admin_wants_or_stays_as_it_is(telegram: TelegramStandIn, connect: Callable[..., TelegramAdapter]) -> None:
    connect(commands=["order: Ask about an order: any", "end: Good bye"]).register_webhook()
    wanted = [{"command": "order", "description": "Ask about an order: any"}, {"command": "end", "description": "Good bye"}]
    assert telegram.methods.commands == wanted
    connect(commands=[]).register_webhook()
    assert telegram.methods.commands == wanted


def test_an_address_that_telegram_cannot_reach_is_refused(connect: Callable[..., TelegramAdapter]) -> None:
    with pytest.raises(RemoteRejected, match="HTTPS URL must be provided"):
        connect(webhook_url="http://desk.example/in").register_webhook()
    with pytest.raises(RemoteRejected, match="ports 80, 88, 443 or 8443"):
        connect(webhook_url="https://desk.example:9000/in").register_webhook()


def test_probes_say_what_is_amiss_and_what_to_do(telegram: TelegramStandIn, connect: Callable[..., TelegramAdapter]) -> None:
    adapter = connect(webhook_url="http://127.0.0.1:9/in")
    problems = {probe.name: probe for probe in adapter.probe() if not probe.is_ok}
    assert problems.keys() == {"webhook address", "webhook updates"}
    adapter.register_webhook()
    telegram.customer_says(77, "hi")
    for _ in range(500):
        if telegram.updates.webhook.last_error:
            break
        telegram.wait_idle(0.01)
    (delivery,) = (probe for probe in adapter.probe() if not probe.is_ok)
    assert delivery.name == "webhook delivery"
    assert delivery.answer.startswith("1 waiting; last error: ")
    telegram.revoke_token()
    (token,) = adapter.probe()
    assert (token.name, token.is_ok) == ("token", False)


def test_a_look_every_few_minutes_tells_a_webhook_that_lost_its_way_and_a_dead_token(
    telegram: TelegramStandIn, connect: Callable[..., TelegramAdapter]
) -> None:
    """Nobody polls a bot with a webhook; without this look both would show when somebody answers, or never."""
    adapter = connect(webhook_url="http://127.0.0.1:9/in")
    assert adapter.poll(None).silent == "Telegram delivers to no address and not to ours; it keeps what waits for 24 hours."
    connect(webhook_url="http://127.0.0.1:8/theirs").register_webhook()
    assert "to another address and not to ours" in (adapter.poll(None).silent or "")
    adapter.register_webhook()
    assert adapter.poll(None).silent == ""
    telegram.customer_says(77, "hi")
    for _ in range(500):
        if telegram.updates.webhook.last_error:
            break
        telegram.wait_idle(0.01)
    polled = adapter.poll(None)
    assert "it keeps what waits (1) for 24 hours" in (polled.silent or "")
    assert (polled.events, polled.position) == ((), None)
    telegram.revoke_token()
    with pytest.raises(CredentialsRejected):
        adapter.poll(None)


def test_polling_brings_everything_once_and_forgets_what_was_stored(telegram: TelegramStandIn, poller: PollingTelegramAdapter) -> None:
    telegram.methods.run("getUpdates", {"allowed_updates": list(ALLOWED_UPDATES)}, {})
    asked = telegram.customer_says(77, "one")
    telegram.customer_edits(77, asked["message_id"], "two")
    telegram.customer_reacts(77, asked["message_id"], "👍")
    telegram.customer_blocks(77)
    polled = poller.poll(None)
    assert [type(event) for event in polled.events] == [MessageReceived, MessageEdited, ReactionChanged, ContactReachability]
    assert poller.poll(None).events == polled.events  # nothing was acknowledged yet
    assert telegram.updates.pending() == 4
    telegram.customer_says(78, "three")
    later = poller.poll(polled.position)
    assert [event.event_key for event in later.events] == ["message:78:1"]
    assert telegram.updates.pending() == 1


def test_a_poll_names_what_it_skipped(telegram: TelegramStandIn, poller: PollingTelegramAdapter) -> None:
    telegram.open_group(-500)
    telegram.customer_says(-500, extra={"new_chat_title": "Other"})
    telegram.updates.add("message", {"text": "no chat"}, queue="x")
    telegram.customer_says(77, "hi")
    polled = poller.poll(None)
    assert [event.event_key for event in polled.events] == ["message:77:1"]
    assert [type(skipped.reason) for skipped in polled.skipped] == [UnsupportedEvent, MalformedPayload]
    assert polled.skipped[1].payload["message"] == {"text": "no chat"}
    assert polled.position is not None


def test_a_quiet_poll_leaves_the_position(poller: PollingTelegramAdapter) -> None:
    polled = poller.poll({"offset": 5})
    assert (polled.events, polled.position, polled.has_more) == ((), None, False)


def test_a_full_poll_says_that_there_is_more(telegram: TelegramStandIn, poller: PollingTelegramAdapter) -> None:
    for number in range(101):
        telegram.customer_says(77, f"message {number}")
    polled = poller.poll(None)
    assert polled.has_more
    assert len(polled.events) == 100
    rest = poller.poll(polled.position)
    assert [len(rest.events), rest.has_more] == [1, False]


def test_asking_while_a_webhook_is_set_is_refused_until_it_is_taken_away(
    telegram: TelegramStandIn, adapter: TelegramAdapter, poller: PollingTelegramAdapter
) -> None:
    adapter.register_webhook()
    with pytest.raises(RemoteRejected, match="taken in another way"):
        poller.poll(None)
    assert [probe.name for probe in poller.probe() if not probe.is_ok] == ["webhook address"]
    poller.register_webhook()
    assert poller.poll(None).events == ()


@pytest.mark.parametrize(("kind", "value"), [("error_before", 502), ("drop_after", 0)])
def test_a_poll_without_answer_is_merely_repeated(
    telegram: TelegramStandIn, poller: PollingTelegramAdapter, kind: str, value: float
) -> None:
    telegram.customer_says(77, "hi")
    telegram.arm(kind, at="getUpdates", value=value)
    with pytest.raises(RemoteUnavailable):
        poller.poll(None)
    assert len(poller.poll(None).events) == 1


def test_poll_and_webhook_make_the_same_events(telegram: TelegramStandIn, adapter: TelegramAdapter, poller: PollingTelegramAdapter) -> None:
    telegram.customer_says(77, "hi 👍", upload=Upload(content=b"%PDF", filename="a.pdf"))
    polled = poller.poll(None)
    (update,) = telegram.methods.run("getUpdates", {}, {})
    assert tuple(adapter.parse(posted(update))) == polled.events


def test_our_own_words_in_a_business_chat_come_back_under_the_same_reference(
    telegram: TelegramStandIn, poller: PollingTelegramAdapter, marker: Any
) -> None:
    telegram.connect_business("Bc1", owner=500)
    telegram.customer_says(77, "hi", business="Bc1")
    receipt = poller.deliver(outbound("77/business/Bc1", "hello"), marker=marker)
    echo = poller.poll(None).events[-1]
    assert isinstance(echo, MessageReceived)
    assert echo.is_own
    assert echo.message_ref == receipt.message_ref


@pytest.mark.parametrize("kind", ["photo", "document", "voice", "video", "video_note", "audio", "animation", "sticker"])
def test_a_customers_file_is_fetched(telegram: TelegramStandIn, poller: PollingTelegramAdapter, kind: str) -> None:
    telegram.customer_says(77, "with words", upload=Upload(kind=kind, content=b"the bytes", filename="a.pdf"))
    (event,) = poller.poll(None).events
    assert isinstance(event, MessageReceived)
    (attachment,) = event.attachments
    file = poller.fetch_media(attachment, max_bytes=1 << 20)
    assert (file.content, file.filename, file.content_type) == (b"the bytes", attachment.filename, attachment.content_type)


def test_a_file_beyond_twenty_megabytes_is_refused_in_words(telegram: TelegramStandIn, poller: PollingTelegramAdapter) -> None:
    telegram.customer_says(77, upload=Upload(content=b"x", filename="film.mov", size=21 << 20))
    (event,) = poller.poll(None).events
    assert isinstance(event, MessageReceived)
    (attachment,) = event.attachments
    unsized = Attachment(media_ref=attachment.media_ref, filename="film.mov")
    for asked in (attachment, unsized):
        with pytest.raises(RemoteRejected, match=r"“film.mov” is bigger than 20 MB"):
            poller.fetch_media(asked, max_bytes=100 << 20)


@pytest.mark.parametrize("size", [None, 10])
def test_a_file_beyond_the_admins_limit_is_not_fetched(telegram: TelegramStandIn, adapter: TelegramAdapter, size: int | None) -> None:
    said = telegram.customer_says(77, upload=Upload(content=b"0123456789", filename="a.txt"))
    attachment = Attachment(media_ref=MediaRef(said["document"]["file_id"]), filename="a.txt", size=size)
    with pytest.raises(RemoteRejected, match="bigger than"):
        adapter.fetch_media(attachment, max_bytes=9)
    assert adapter.fetch_media(attachment, max_bytes=10).content == b"0123456789"


def test_an_unknown_file_is_refused_for_good(adapter: TelegramAdapter) -> None:
    with pytest.raises(RemoteRejected, match="invalid file_id"):
        adapter.fetch_media(Attachment(media_ref=MediaRef("none"), filename="a"), max_bytes=10)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "token"),
        ({"token": "110201543"}, "token"),
        ({"token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw\n"}, "token"),
        ({"secret_token": ""}, "secret_token"),
        ({"secret_token": "short"}, "secret_token"),
        ({"secret_token": "not allowed here!"}, "secret_token"),
        ({"api_url": "api.telegram.org"}, "api_url"),
        ({"api_url": "https://[::1"}, "api_url"),
        ({"intake": "both"}, "intake"),
        ({"groups": "all"}, "groups"),
        ({"commands": ["Status: capital"]}, "commands"),
        ({"commands": ["status:"]}, "commands"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_wrong_settings_are_named(data: dict[str, Any], field: str) -> None:
    whole = {"token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "secret_token": SECRET, **data} if data else {"secret_token": SECRET}
    with pytest.raises(Exception) as mistake:
        PLATFORM.settings_schema.load(whole)
    assert field in getattr(mistake.value, "messages", {})
