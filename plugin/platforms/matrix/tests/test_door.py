"""What the homeserver asks of us, and the settings and the registration by which both sides know each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from marshmallow import ValidationError

from plugin.contracts.http import WebhookRequest
from plugin.domain.errors import MalformedPayload, SignatureInvalid, UnsupportedEvent
from plugin.platforms.matrix.adapter import MatrixAdapter
from plugin.platforms.matrix.registration import registration
from plugin.platforms.matrix.schema import MatrixSettings, MatrixSettingsSchema

TOKEN = "fixture-hs-token-0123456789"
PUSH = "/_matrix/app/v1/transactions/1"
Scripted = Callable[..., tuple[MatrixAdapter, Any]]


def call(method: str, path: str, *, authorization: str | None = f"Bearer {TOKEN}", body: bytes = b"{}", **query: str) -> WebhookRequest:
    headers = {"authorization": authorization} if authorization is not None else {}
    return WebhookRequest(method=method, path=path, headers=headers, query=query, body=body)


@pytest.mark.parametrize(
    "request_",
    [
        call("PUT", PUSH),
        call("PUT", PUSH, authorization=f"bearer {TOKEN}"),
        call("PUT", PUSH, authorization=None, access_token=TOKEN),
    ],
)
def test_the_homeservers_token_opens(scripted: Scripted, request_: WebhookRequest) -> None:
    adapter, _ = scripted()
    adapter.verify(request_)
    assert adapter.answer(request_) is None


@pytest.mark.parametrize(
    "request_",
    [
        call("PUT", PUSH, authorization=None),
        call("PUT", PUSH, authorization="Bearer"),
        call("PUT", PUSH, authorization="Bearer fixture-as-token-0123456789"),
        call("PUT", PUSH, authorization=f"Basic {TOKEN}"),
        call("PUT", PUSH, authorization="Bearer wrong", access_token=TOKEN),
        call("PUT", PUSH, authorization=f"Bearer {TOKEN}é"),
        call("POST", "/_matrix/app/v1/ping", authorization="Bearer wrong"),
        call("GET", "/users/@a:b", authorization=None, access_token="wrong"),
    ],
)
def test_nothing_else_does(scripted: Scripted, request_: WebhookRequest) -> None:
    adapter, _ = scripted()
    with pytest.raises(SignatureInvalid) as refused:
        adapter.verify(request_)
    assert TOKEN not in str(refused.value)
    if request_.method != "PUT":
        with pytest.raises(SignatureInvalid):
            adapter.answer(request_)


@pytest.mark.parametrize(
    ("method", "path", "status", "errcode"),
    [
        ("POST", "/_matrix/app/v1/ping", 200, None),
        ("GET", "/_matrix/app/v1/users/%40someone%3Aexample.org", 404, "M_NOT_FOUND"),
        ("GET", "/rooms/%23room%3Aexample.org", 404, "M_NOT_FOUND"),
        ("GET", "/_matrix/app/v1/thirdparty/protocol/irc", 404, "M_NOT_FOUND"),  # codespell:ignore thirdparty
        ("GET", PUSH, 404, "M_UNRECOGNIZED"),
        ("PUT", "/_matrix/app/v1/transactions/1/2", 404, "M_UNRECOGNIZED"),
        ("GET", "", 404, "M_UNRECOGNIZED"),
    ],
)
def test_questions_are_answered(scripted: Scripted, method: str, path: str, status: int, errcode: str | None) -> None:
    adapter, _ = scripted()
    answer = adapter.answer(call(method, path))
    assert answer is not None
    assert (answer.status, json.loads(answer.body).get("errcode"), answer.content_type) == (status, errcode, "application/json")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", MalformedPayload),
        (b"[]", MalformedPayload),
        (b'{"events": {}}', MalformedPayload),
        (b'{"events": [7]}', MalformedPayload),
        (b'{"events": [{"type": "m.room.message", "content": {}}]}', MalformedPayload),
        (b'{"events": [{"type": "m.room.name", "state_key": "", "event_id": "$1", "room_id": "!r", "sender": "@a:b"}]}', UnsupportedEvent),
        (
            b'{"events": [{"type": "m.room.message", "state_key": "", "event_id": "$1", "room_id": "!r", "sender": "@a:b"}]}',
            UnsupportedEvent,
        ),
        (b'{"events": [{"type": "m.room.redaction", "event_id": "$1", "room_id": "!r", "sender": "@a:b"}]}', UnsupportedEvent),
        (b'{"events": [{"type": "m.reaction", "event_id": "$1", "room_id": "!r", "sender": "@a:b"}]}', UnsupportedEvent),
    ],
)
def test_what_cannot_be_read_is_said(scripted: Scripted, body: bytes, error: type[Exception]) -> None:
    adapter, _ = scripted()
    with pytest.raises(error):
        adapter.parse(call("PUT", PUSH, body=body))


def test_the_registration_is_what_synapse_reads(scripted: Scripted) -> None:
    settings = MatrixSettings(
        homeserver_url="https://matrix.example.org",
        user_id="@help.desk:example.org",
        as_token='odd: "token" # 1',
        hs_token="the other token",
        appservice_id="crossdesk-help.desk",
    )
    yaml = pytest.importorskip("yaml", reason="needs PyYAML, which comes with matrix-synapse")
    assert yaml.safe_load(registration(settings, "https://desk.example.org/in/channel/matrix")) == {
        "id": "crossdesk-help.desk",
        "url": "https://desk.example.org/in/channel/matrix",
        "as_token": 'odd: "token" # 1',
        "hs_token": "the other token",
        "sender_localpart": "_crossdesk-help.desk",
        "rate_limited": False,
        "receive_ephemeral": True,
        "namespaces": {"users": [{"exclusive": True, "regex": "^@help\\.desk:example\\.org$"}], "aliases": [], "rooms": []},
    }
    assert "token" not in repr(settings)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"homeserver_url": "matrix.example.org"}, "homeserver_url"),
        ({"user_id": "support"}, "user_id"),
        ({"user_id": "@Support:example.org\n"}, "user_id"),
        ({"as_token": "short"}, "as_token"),
        ({"hs_token": "fixture-as-token-0123456789"}, "hs_token"),
        ({"public_rooms": ["#lobby:example.org"]}, "public_rooms"),
        ({"appservice_id": "Two Words"}, "appservice_id"),
        ({"homeserver": "x"}, "homeserver"),
    ],
)
def test_mistakes_in_the_settings_are_named(scripted: Scripted, change: dict[str, Any], field: str) -> None:
    good = {
        "homeserver_url": "http://localhost:8008",
        "user_id": "@support:example.org",
        "as_token": "fixture-as-token-0123456789",
        "hs_token": TOKEN,
    }
    assert MatrixSettingsSchema().load(good).appservice_id == "crossdesk-support"
    with pytest.raises(ValidationError) as refused:
        MatrixSettingsSchema().load({**good, **change})
    assert field in refused.value.messages_dict
