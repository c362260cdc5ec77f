"""What the conformance suite does not ask of the canned answers: when to come again, in Bluesky's own header."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from plugin.domain.errors import RateLimited
from plugin.domain.ids import Marker, MessageRef, ThreadKey
from plugin.platforms.bluesky.tests.fakes import CannedHttp, MovableClock, connect

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OWN = MessageRef("at://did:plc:brandaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3m6aaaaaaaa22")


@pytest.mark.parametrize("name", ["deliver__sign_in_too_often", "deliver__record_too_often"])
def test_waiting_ends_when_the_header_says(name: str) -> None:
    *_, refusal = json.loads((FIXTURES / f"{name}.response.json").read_text())["responses"]
    signing_in, *_ = json.loads((FIXTURES / "delete__ok.response.json").read_text())["responses"]
    http = CannedHttp([refusal] if "sign_in" in name else [signing_in, refusal])
    channel = connect(json.loads((FIXTURES / "settings.json").read_text()), http, clock=MovableClock(NOW))

    with pytest.raises(RateLimited) as caught:
        channel.delete(OWN, ThreadKey(""), marker=Marker("01jd7q3w9x8v7u6t5s4r3q2p1n"))

    assert caught.value.retry_after == float(refusal["headers"]["ratelimit-reset"]) - NOW.timestamp()
    assert http.answers == []
