"""What the three platforms share: signatures, handshakes, pages, proofs, limits, and reading what Meta writes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugin.contracts.http import WebhookRequest
from plugin.domain.errors import (
    CredentialsRejected,
    MalformedPayload,
    OutcomeUnknown,
    RateLimited,
    RemoteUnavailable,
    SignatureInvalid,
    UnsupportedEvent,
)
from plugin.platforms._graph import envelopes, signatures
from plugin.platforms._graph.client import Graph
from plugin.platforms._graph.errors import failure
from plugin.platforms._graph.settings import GraphSchema, GraphSettings
from plugin.platforms._graph.values import read_id, read_time
from plugin.testing.fakes import CannedHttp, canned, connection

SECRET, OLD, TOKEN = "5f2c9e0b7a4d41d6a8e3b1c09d7f6e25", "0c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f", "EAABsbCS1iHgBAKq7ZCx0ZB4"
SETTINGS = GraphSettings(app_id="1", app_secret=SECRET, previous_app_secret=OLD, verify_token="pear-Quince_41", access_token=TOKEN)
PROOF = "Invalid appsecret_proof provided in the API argument"


def request(body: bytes = b"{}", *, method: str = "POST", query: dict[str, str] | None = None) -> WebhookRequest:
    return WebhookRequest(method=method, path="", headers={}, query=query or {}, body=body)


def graph(*answers: Any) -> tuple[Graph, CannedHttp]:
    http = CannedHttp([canned(one) for one in answers], is_endless=False)
    return Graph(SETTINGS, connection(http)), http


def refusal(code: int, message: str, status: int = 400, headers: dict[str, str] | None = None) -> Any:
    return {"status": status, "headers": headers or {}, "json": {"error": {"code": code, "message": message}}}


def test_the_signature_covers_the_escaped_bytes() -> None:
    escaped = b'{"text":"\\u00e9 \\/"}'
    # A vector made apart from our code, with openssl dgst -sha256 -hmac.
    told = {"x-hub-signature-256": "sha256=4f94f803f25ccd067d14783e464d2bf0c36f490b720c409a34bf5889f2aeb5da"}
    signed = WebhookRequest(method="POST", path="", headers=told, query={}, body=escaped)
    signatures.verify(signed, (OLD, SECRET))
    rewritten = json.dumps(json.loads(escaped), ensure_ascii=False).encode()
    with pytest.raises(SignatureInvalid):
        signatures.verify(WebhookRequest(method="POST", path="", headers=told, query={}, body=rewritten), (OLD, SECRET))
    with pytest.raises(SignatureInvalid):
        signatures.verify(signed, (OLD, ""))


def test_the_handshake_gives_the_challenge_back_to_the_right_token_alone() -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "pear-Quince_41"}
    answer = signatures.answer(request(method="GET", query=asked), SETTINGS.verify_token)
    assert answer is not None
    assert (answer.status, answer.body, answer.content_type) == (200, b"1158201444", "text/plain; charset=utf-8")
    with pytest.raises(SignatureInvalid):
        signatures.answer(request(method="GET", query={**asked, "hub.verify_token": "another"}), SETTINGS.verify_token)
    assert signatures.answer(request(), SETTINGS.verify_token) is None


def test_every_call_bears_token_and_proof_and_no_token_in_its_address() -> None:
    api, http = graph({"status": 200, "json": {"id": "1"}})
    api.read("/me", {"fields": "id"})
    (made,) = http.made
    assert made.url == "https://graph.facebook.com/v26.0/me"
    assert made.sent["headers"]["authorization"] == f"Bearer {TOKEN}"
    assert len(made.sent["params"]["appsecret_proof"]) == 64


def test_the_old_secret_is_tried_once_when_the_proof_is_refused() -> None:
    api, http = graph(refusal(100, PROOF), {"status": 200, "json": {"id": "1"}})
    assert api.write("/me/messages", {})["id"] == "1"
    proofs = [made.sent["params"]["appsecret_proof"] for made in http.made]
    assert len(set(proofs)) == 2
    api, _ = graph(refusal(100, PROOF), refusal(100, PROOF))
    with pytest.raises(CredentialsRejected):
        api.write("/me/messages", {})


def test_pages_are_followed_by_their_cursor_and_never_by_their_address() -> None:
    first = {"data": [{"id": "1"}], "paging": {"cursors": {"after": "c1"}, "next": "https://elsewhere.example/"}}
    last = {"data": [{"id": "2"}], "paging": {"cursors": {"after": "c2"}}}
    api, http = graph({"status": 200, "json": first}, {"status": 200, "json": last})
    assert [one["id"] for page in api.pages("/me/feed", {}, most=9) for one in page] == ["1", "2"]
    assert [made.sent["params"].get("after") for made in http.made] == [None, "c1"]
    assert all(made.url.startswith("https://graph.facebook.com/") for made in http.made)


def test_a_token_in_metas_words_is_hidden() -> None:
    api, _ = graph(refusal(190, f"Malformed access token {TOKEN}", status=401))
    with pytest.raises(CredentialsRejected) as refused:
        api.read("/me")
    assert TOKEN not in f"{refused.value} {refused.value.detail}"


def test_usage_headers_tell_how_long_to_wait() -> None:
    usage = {"1": [{"call_count": 100, "total_cputime": 1, "total_time": 1, "estimated_time_to_regain_access": 3}]}
    slow = failure(canned(refusal(80006, "Too many", headers={"x-business-use-case-usage": json.dumps(usage)})), writes=True)
    assert isinstance(slow, RateLimited)
    assert slow.retry_after == 180
    odd = failure(canned(refusal(4, "Too many", headers={"x-app-usage": '{"call_count": "x"', "retry-after": "9"})), writes=True)
    assert odd.retry_after == 9


@given(st.integers(), st.integers(min_value=0), st.text(max_size=20), st.sampled_from([200, 400, 403, 500, 503]), st.booleans())
def test_any_error_of_graphs_is_one_of_ours(code: int, subcode: int, words: str, status: int, writes: bool) -> None:
    body = {"error": {"code": code, "error_subcode": subcode, "message": words}}
    problem = failure(canned({"status": status, "json": body}), writes=writes)
    assert str(problem).endswith(".")
    assert writes or not isinstance(problem, OutcomeUnknown)
    assert not (writes and isinstance(problem, RemoteUnavailable))


def test_times_are_seconds_or_milliseconds_by_their_size() -> None:
    moment = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    for told in (1795253400, 1795253400000, "1795253400", "2026-11-21T09:30:00+0000", "2026-11-21T10:30:00+01:00"):
        assert read_time(told) == moment
    odd: list[Any] = [None, "soon", True, 10**30, -(10**30), "\u00b2"]
    assert [read_time(one) for one in odd] == [None] * 6
    ids: list[Any] = [10206635083634304, "1_2", True, -1, None, []]
    assert [read_id(one) for one in ids] == ["10206635083634304", "1_2", "", "", "", ""]


@pytest.mark.parametrize(
    "body", [b"1", b"[1]", b'{"entry": 1}', b'{"object": "page", "entry": [1]}', b'{"object": "page", "entry": [{"messaging": [1]}]}']
)
def test_what_is_no_delivery_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedPayload):
        envelopes.collect(request(body), "page", lambda _: ())


def test_one_member_that_is_not_carried_takes_no_other_with_it() -> None:
    body = {"object": "page", "entry": [{"id": "1", "messaging": [{"a": 1}, {"b": 1}]}]}

    def read(told: envelopes.Told) -> list[Any]:
        if "a" in told.value:
            raise UnsupportedEvent("Not this one.")
        raise UnsupportedEvent("Nor that one.")

    with pytest.raises(UnsupportedEvent, match=r"Not this one\.; Nor that one\."):
        envelopes.collect(request(json.dumps(body).encode()), "page", lambda told: (envelopes.whole(told, read),))


@pytest.mark.parametrize("change", [{"version": "26"}, {"graph_url": "ftp://x"}, {"graph_url": "https://x/path"}, {"app_id": "abc"}])
def test_wrong_settings_are_named(change: dict[str, str]) -> None:
    data = {"app_id": "1", "app_secret": SECRET, "verify_token": "pear-Quince_41-medlar"}
    with pytest.raises(ValidationError) as problem:
        GraphSchema().load({**data, **change})
    assert set(problem.value.messages) == set(change)
