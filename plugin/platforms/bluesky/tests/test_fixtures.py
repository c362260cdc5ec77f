"""Every canned answer of the fixtures, in the place where the adapter meets it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plugin.domain import errors
from plugin.domain.codec import encode_event
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import ContactRef, Marker, MessageRef, ThreadKey
from plugin.domain.model import Contact, File, OutboundMessage, Visibility
from plugin.domain.text import Text
from plugin.platforms.bluesky.tests.fakes import CannedHttp, MovableClock, connect

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MARKER = Marker("01jd7q3w9x8v7u6t5s4r3q2p1n")
ANA = "did:plc:anaaaaaaaaaaaaaaaaaaaaaa"
SAID = MessageRef(f"at://{ANA}/app.bsky.feed.post/3m6aaaaaaaa22")
BEFORE = {
    "createSession": (),
    "getPostThread": ("createSession",),
    "uploadBlob": ("createSession", "getPostThread"),
    "putRecord": ("createSession", "getPostThread", "uploadBlob"),
    "deleteRecord": ("createSession",),
}


def load(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())


def a_message() -> OutboundMessage:
    return OutboundMessage(
        thread_key=ThreadKey(f"{SAID}|{ANA}"),
        contact=Contact(ref=ContactRef(ANA), handle="ana.example"),
        visibility=Visibility.PUBLIC,
        text=Text("We come."),
        files=(File(filename="plan.png", content_type="image/png", content=b"\x89PNG"),),
        reply_to=SAID,
        created_at=NOW,
    )


@pytest.mark.parametrize("name", sorted(path.name.removesuffix(".poll.json") for path in FIXTURES.glob("*.poll.json")))
def test_a_poll_brings_these_events(name: str) -> None:
    fixture = load(f"{name}.poll.json")
    http = CannedHttp(fixture["responses"])
    clock = MovableClock(datetime.fromisoformat(fixture["now"]))

    polled = connect(load("settings.json"), http, clock=clock).poll(fixture.get("position"))

    assert [encode_event(event) for event in polled.events] == load(f"{name}.events.json")
    assert http.answers == []
    assert json.loads(json.dumps(polled.position)) == polled.position


def test_every_declared_event_has_a_fixture() -> None:
    kinds = {event["type"] for path in FIXTURES.glob("*.events.json") for event in json.loads(path.read_text())}
    assert kinds == {kind.__name__ for kind in (MessageReceived, MessageEdited, MessageDeleted)}


@pytest.mark.parametrize(
    "name",
    sorted(path.name.removesuffix(".response.json") for path in FIXTURES.glob("*.response.json") if not path.name.startswith("getRecord")),
)
def test_an_answer_means(name: str) -> None:
    call, fixture = name.partition("__")[0], load(f"{name}.response.json")
    last = () if call in {"putRecord", "deleteRecord"} or fixture["raises"] else tuple(BEFORE)[tuple(BEFORE).index(call) + 1 : 4]
    # What cannot be answered any more may have been answered by an earlier try: our own repository is asked.
    looked_up = [load("getRecord__absent.response.json")] if fixture["raises"] in {"WindowClosed", "TargetGone"} else []
    http = CannedHttp(
        [
            *(load(f"{before}__ok.response.json") for before in BEFORE[call]),
            fixture,
            *(load(f"{one}__ok.response.json") for one in last),
            *looked_up,
        ]
    )
    channel = connect(load("settings.json"), http, clock=MovableClock(NOW))

    def act() -> None:
        if call == "deleteRecord":
            channel.delete(MessageRef(SAID.replace(ANA, "did:plc:brandaaaaaaaaaaaaaaaaaaa")), ThreadKey(""), marker=MARKER)
        else:
            channel.deliver(a_message(), marker=MARKER)

    if fixture["raises"] is None:
        act()
    else:
        with pytest.raises(getattr(errors, fixture["raises"])) as caught:
            act()
        assert isinstance(caught.value, errors.CrossdeskError)
        assert str(caught.value).endswith(".")
        assert "aaaa-bbbb" not in f"{caught.value} {caught.value.detail} {caught.value!r}"
        if fixture["status"] == 429:
            assert caught.value.retry_after == float(fixture["headers"]["ratelimit-reset"]) - NOW.timestamp()
    assert http.answers == []
