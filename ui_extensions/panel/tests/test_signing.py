"""Signatures as docs/panel.md describes them, done here from scratch; and what arbitrary words come to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain.errors import SignatureInvalid
from ui_extensions.panel import signing
from ui_extensions.panel.presence import Presence
from ui_extensions.panel.rates import Rates
from ui_extensions.panel.signing import Agent

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = signing.relay_secret("key", "desk")


def as_documented(body: bytes, path: str) -> dict[str, str]:
    told = base64.urlsafe_b64encode(json.dumps({"id": "7", "name": "Zoë", "role": "supervisor"}).encode()).decode().rstrip("=")
    stamp = str(int(NOW.timestamp()))
    lines = "\n".join(["crossdesk-relay", "POST", path, told, stamp, hashlib.sha256(body).hexdigest()])
    signature = hmac.new(SECRET.encode(), lines.encode(), hashlib.sha256).hexdigest()
    return {"X-Crossdesk-Agent": told, "X-Crossdesk-Time": stamp, "X-Crossdesk-Signature": f"v1={signature}"}


def test_a_relay_that_follows_the_page_is_believed() -> None:
    path = "/panel/desk/42/actions/handoff"
    found = signing.check_request([SECRET], as_documented(b"{}", path), method="POST", path=path, body=b"{}", now=NOW)
    assert found == Agent(id="7", name="Zoë", role="supervisor")


@pytest.mark.parametrize("changed", ["method", "path", "body", "secret"])
def test_whatever_is_changed_breaks_the_signature(changed: str) -> None:
    path = "/panel/desk/42/actions/handoff"
    asked: dict[str, Any] = {"method": "POST", "path": path, "body": b"{}"}
    otherwise: dict[str, Any] = {"method": "GET", "path": path + "?a=1", "body": b"[]"}
    if changed in otherwise:
        asked[changed] = otherwise[changed]
    secrets = [signing.relay_secret("key", "other")] if changed == "secret" else [SECRET]
    with pytest.raises(SignatureInvalid):
        signing.check_request(secrets, as_documented(b"{}", path), now=NOW, **asked)


def test_an_old_key_is_accepted_while_it_is_listed() -> None:
    path = "/panel/desk/42/actions/handoff"
    both = [signing.relay_secret("newer", "desk"), SECRET]
    assert signing.check_request(both, as_documented(b"", path), method="POST", path=path, body=b"", now=NOW).id == "7"


@given(st.text(), st.text())
def test_words_that_are_no_tokens_are_refused(token: str, header: str) -> None:
    with pytest.raises(SignatureInvalid):
        signing.open_link({"desk": [SECRET]}, token, now=NOW)
    with pytest.raises(SignatureInvalid):
        signing.open_session(["key"], token, now=NOW)
    headers = {"X-Crossdesk-Agent": header, "X-Crossdesk-Time": token, "X-Crossdesk-Signature": header}
    with pytest.raises(SignatureInvalid):
        signing.check_request([SECRET], headers, method="GET", path=token, body=b"", now=NOW)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda below: st.lists(below) | st.dictionaries(st.text(), below))
)
def test_signed_nonsense_is_refused_too(content: object) -> None:
    told = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    mark = hmac.new(SECRET.encode(), f"crossdesk-link\n{told}".encode(), hashlib.sha256).hexdigest()
    with pytest.raises(SignatureInvalid):
        signing.open_link({"desk": [SECRET]}, f"{told}.{mark}", now=NOW)


def test_somebody_who_asks_no_more_is_gone_after_twenty_seconds() -> None:
    now = [100.0]
    presence = Presence(clock=lambda: now[0])
    presence.seen("desk", "1", "a", "Ada", doing="typing")
    now[0] += 19
    assert [item.name for item in presence.seen("desk", "1", "b", "Ben", doing="nonsense")] == ["Ada", "Ben"]
    now[0] += 2
    assert [(item.name, item.doing) for item in presence.seen("desk", "1", "b", "Ben", doing="")] == [("Ben", "viewing")]


def test_tries_are_refilled_steadily() -> None:
    now = [0.0]
    rates = Rates(a_second=2, at_once=3, clock=lambda: now[0])
    assert [rates.wait("a") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert rates.left("b") == 0.0
    now[0] += 0.5
    assert (rates.wait("a"), rates.left("a")) == (0.0, 0.5)
