"""The stand-in refuses what Graph refuses, with its numbers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from plugin.testing.standins.graph import ACCOUNT, APP, NUMBER, PAGE, GraphStandIn

Call = Callable[..., tuple[int, int, int]]
ADA = "5500011"
TO, TEXT = {"id": ADA}, {"text": "Hi"}
HELLO = {"recipient": TO, "messaging_type": "RESPONSE", "message": TEXT}
WORDS = {"messaging_product": "whatsapp", "to": "16505551234", "type": "text", "text": {"body": "Hi"}}


@pytest.fixture
def graph() -> Iterator[GraphStandIn]:
    with GraphStandIn(pace=0.01) as standin:
        standin.person_writes(ADA, "Hello")
        standin.whatsapp_writes("16505551234", "Hello")
        yield standin


@pytest.fixture
def call(graph: GraphStandIn) -> Call:
    """Makes a call; its status, Graph's code and subcode (0 for a success)."""

    def made(method: str, path: str, body: Any = None, *, proof: str = "", token: str = "", version: str = "v26.0", **how: Any) -> Any:
        bearer = token or graph.token
        right = hmac.new(graph.secret.encode(), bearer.encode(), hashlib.sha256).hexdigest()
        params = {} if proof == "none" else {"appsecret_proof": proof or right}
        answer = requests.request(
            method,
            f"{graph.url}/{version}{path}",
            params={**params, **how.pop("params", {})},
            headers={"Authorization": f"Bearer {bearer}", **how.pop("headers", {})},
            json=body,
            timeout=10,
            **how,
        )
        error = answer.json().get("error", {})
        return answer.status_code, error.get("code", 0), error.get("error_subcode", 0)

    return made


def test_who_may_call(graph: GraphStandIn, call: Call) -> None:
    path = f"/{PAGE}/messages"
    assert call("POST", path, HELLO) == (200, 0, 0)
    assert call("POST", path, HELLO, token="another") == (401, 190, 0)
    assert call("POST", path, HELLO, proof="none") == (400, 100, 0)
    assert call("POST", path, HELLO, proof="0" * 64) == (400, 100, 0)
    assert call("POST", path, HELLO, version="26") == (400, 2500, 0)
    assert call("POST", "/999/messages", HELLO) == (400, 100, 33)
    graph.world.scopes.discard("pages_messaging")
    assert call("POST", path, HELLO) == (403, 200, 0)
    graph.revoke_token()
    assert call("POST", path, HELLO) == (401, 190, 460)
    assert len(graph.messages(ours=True)) == 1


@pytest.mark.parametrize(
    ("path", "body", "wanted"),
    [
        (f"/{PAGE}/messages", {**HELLO, "colour": "red"}, (400, 100, 0)),
        (f"/{PAGE}/messages", {**HELLO, "message": {**TEXT, "colour": "red"}}, (400, 100, 0)),
        (f"/{PAGE}/messages", {**HELLO, "message": {"text": " "}}, (400, 100, 2018034)),
        (f"/{PAGE}/messages", {**HELLO, "message": {"text": "x" * 2001}}, (400, 100, 0)),
        (f"/{PAGE}/messages", {**HELLO, "recipient": {"id": "1"}}, (400, 100, 2018001)),
        (f"/{PAGE}/messages", {**HELLO, "recipient": {"id": ADA, "comment_id": "1"}}, (400, 100, 0)),
        (f"/{PAGE}/messages", {"recipient": TO, "message": TEXT}, (400, 100, 0)),
        (f"/{PAGE}/messages", {**HELLO, "messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"}, (400, 100, 0)),
        ("/2200001_1/comments", {"message": "Hi"}, (400, 100, 33)),
        (f"/{PAGE}_1/comments", {"message": ""}, (400, 100, 0)),
        (f"/{ACCOUNT}/mentions", {"message": "Hi"}, (400, 100, 0)),
        (f"/{NUMBER}/messages", {**WORDS, "colour": "red"}, (400, 100, 0)),
        (f"/{NUMBER}/messages", {**WORDS, "messaging_product": "sms"}, (400, 100, 0)),
        (f"/{NUMBER}/messages", {**WORDS, "to": "US.1"}, (400, 131009, 0)),
        (f"/{NUMBER}/messages", {**WORDS, "recipient": "US.1"}, (400, 131008, 0)),
        (f"/{NUMBER}/messages", {**WORDS, "to": "1"}, (400, 131047, 0)),
        (f"/{NUMBER}/messages", {**WORDS, "text": {"body": "x" * 4097}}, (400, 100, 0)),
        (f"/{NUMBER}/messages", {**WORDS, "type": "hologram"}, (400, 131051, 0)),
        (f"/{NUMBER}/messages", {**WORDS, "type": "image", "image": {"id": "1"}}, (400, 131009, 0)),
        (f"/{APP}/subscriptions", {"object": "page", "callback_url": "http://127.0.0.1:9/", "fields": "feed"}, (400, 2200, 0)),
    ],
)
def test_what_is_refused(graph: GraphStandIn, call: Call, path: str, body: Any, wanted: tuple[int, int, int]) -> None:
    assert call("POST", path, body) == wanted
    assert not graph.messages(ours=True)
    assert not graph.comments()


def test_other_content_types_and_unknown_parameters_are_refused(call: Call) -> None:
    assert call("POST", f"/{PAGE}/messages", data="a=1", headers={"Content-Type": "text/plain"}) == (400, 100, 0)
    assert call("POST", f"/{PAGE}/messages", data="{", headers={"Content-Type": "application/json"}) == (400, 100, 0)
    assert call("GET", f"/{PAGE}/feed", params={"colour": "red"}) == (400, 100, 0)


def test_it_runs_by_its_verbs_for_other_processes(graph: GraphStandIn) -> None:
    ref = requests.post(f"{graph.url}/control/person_comments", json={"person": ADA, "text": "Hi"}, timeout=10).json()
    assert [one.ref for one in graph.comments()] == [ref]
    armed = {"kind": "rate_limit", "at": "messages", "value": 1}
    assert requests.post(f"{graph.url}/control/arm", json=armed, timeout=10).status_code == 200
    assert requests.post(f"{graph.url}/control/no_such_verb", json={}, timeout=10).status_code == 400
