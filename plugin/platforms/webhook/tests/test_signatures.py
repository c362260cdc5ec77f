"""Standard Webhooks signatures, and what a channel's settings make of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugin.contracts.capabilities import Idempotency, Level, Readback
from plugin.contracts.platform import PollsEvents
from plugin.domain.errors import SignatureInvalid, Unsupported
from plugin.platforms.webhook import signatures
from plugin.platforms.webhook.adapter import PLATFORM
from plugin.platforms.webhook.schema import SettingsSchema
from plugin.testing.fakes import CannedHttp
from plugin.testing.fixtures import load
from plugin.testing.samples import platform_calls
from plugin.testing.tables import folder_of

SUBJECT = load(PLATFORM, folder_of(PLATFORM))
KEYS = st.binary(min_size=24, max_size=64)
NAMES = st.text(min_size=1, max_size=40)


def test_the_specification_s_own_example() -> None:
    key = signatures.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signatures.sign(b'{"test": 2432232314}', [key], wish="msg_p5jXN8AQM9LWM0D4loKWxJek", stamp="1614265330")
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(), KEYS, NAMES, NAMES)
def test_what_is_signed_is_signed(content: bytes, key: bytes, wish: str, stamp: str) -> None:
    given_ = signatures.sign(content, [b"another key", key], wish=wish, stamp=stamp)
    assert signatures.is_signed(content, [key], wish=wish, stamp=stamp, given=given_)
    assert signatures.is_signed(content, [b"a third", key], wish=wish, stamp=stamp, given="v1a,AAAA v2,BBBB " + given_)
    assert not signatures.is_signed(content + b" ", [key], wish=wish, stamp=stamp, given=given_)
    assert not signatures.is_signed(content, [key], wish=wish + "x", stamp=stamp, given=given_)
    assert not signatures.is_signed(content, [key], wish=wish, stamp=stamp + "1", given=given_)
    assert not signatures.is_signed(content, [key + b"x"], wish=wish, stamp=stamp, given=given_)


@given(st.text(max_size=60))
def test_what_is_not_signed_is_not(given_: str) -> None:
    assert not signatures.is_signed(b"{}", [b"k" * 32], wish="w", stamp="1", given=given_)


def test_other_versions_do_not_count() -> None:
    signed = signatures.sign(b"{}", [b"k" * 32], wish="w", stamp="1")
    assert not signatures.is_signed(b"{}", [b"k" * 32], wish="w", stamp="1", given=signed.replace("v1,", "v2,"))
    assert not signatures.is_signed(b"{}", [b"k" * 32], wish="", stamp="1", given=signatures.sign(b"{}", [b"k" * 32], wish="", stamp="1"))


@given(KEYS)
def test_keys_are_read(key: bytes) -> None:
    assert signatures.key_of("whsec_" + base64.b64encode(key).decode()) == key


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_" + "A" * 16, "A" * 44, "whsec_" + "A" * 100, "whsec_" + "!" * 44, "whsec_" + "A" * 44 + "\n"]
)
def test_what_is_no_secret_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SettingsSchema().load({**SUBJECT.settings, "receive_secret": secret})
    assert secret == "whsec_" or secret.strip() not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"send_secret": SUBJECT.settings["receive_secret"]}, "send_secret"),
        ({"previous_send_secret": SUBJECT.settings["previous_receive_secret"]}, "send_secret"),
        ({"url": "ftp://shop.example/"}, "url"),
        ({"url": "https://ada:pass@shop.example/"}, "url"),
        ({"url": "https://[shop.example/"}, "url"),
        ({"events_url": "https://shop.example/events?page=1"}, "events_url"),
        ({"replies": ["everywhere"]}, "replies"),
        ({"content_types": ["pictures"]}, "content_types"),
        ({"text_length": 10}, "text_length"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SettingsSchema().load({**SUBJECT.settings, **changes})
    assert list(caught.value.messages_dict) == [where]


def test_a_channel_carries_what_its_other_side_can() -> None:
    changes = {
        "replies": ["public"],
        "edits": False,
        "deletes": False,
        "formatting": False,
        "files_per_message": 0,
        "readback_url": "",
        "events_url": "",
        "idempotent": False,
        "text_length": 280,
        "text_ruler": "utf16",
        "timeout": 5,
    }
    adapter = SUBJECT.connect(settings=changes)
    can = adapter.capabilities
    assert (can.replies_public, can.replies_private) == (Level.FULL, Level.REJECTED)
    assert (can.edits_out, can.deletes_out, can.attachments_out) == (Level.REJECTED,) * 3
    assert (can.idempotency, can.readback, can.marks) == (Idempotency.NONE, Readback.NONE, frozenset())
    assert can.limits.ruler is not None
    assert (can.limits.text_length, can.limits.ruler.measure("😀"), can.limits.file_bytes) == (280, 2, None)
    assert can.limits.max_lifetime == 65.0
    assert not isinstance(adapter, PollsEvents)
    assert isinstance(SUBJECT.connect(), PollsEvents)


@pytest.mark.parametrize(
    ("call", "changes", "says"),
    [
        ("deliver", {"replies": ["private"]}, "no public replies"),
        ("edit", {"edits": False}, "knows no edits"),
        ("delete", {"deletes": False}, "knows no deletions"),
        ("find_delivered", {"readback_url": ""}, "no readback_url"),
    ],
)
def test_what_the_other_side_cannot_do_is_not_asked_of_it(call: str, changes: dict[str, Any], says: str) -> None:
    http = CannedHttp([], is_endless=False)
    with pytest.raises(Unsupported, match=says):
        platform_calls(SUBJECT, SUBJECT.connect(http, settings=changes))[call]()
    assert not http.made


@pytest.mark.parametrize(("late", "is_taken"), [(299.0, True), (-299.0, True), (301.0, False), (-301.0, False)])
def test_five_minutes_either_way(late: float, is_taken: bool) -> None:
    fixture = SUBJECT.requests[0]
    signed_at = datetime.fromtimestamp(int(fixture.request.headers["webhook-timestamp"]), UTC)
    adapter = SUBJECT.connect(at=signed_at + timedelta(seconds=late), settings=fixture.settings)
    if is_taken:
        adapter.verify(fixture.request)
    else:
        with pytest.raises(SignatureInvalid, match="five minutes"):
            adapter.verify(fixture.request)
