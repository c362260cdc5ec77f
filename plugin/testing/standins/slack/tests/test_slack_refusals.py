"""That the stand-in refuses what Slack refuses, asked over HTTP without any adapter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugin.testing.standins.slack import TOKEN, SlackStandIn
from plugin.transport.client import Client, Transport

POST, ROOM, MINE, OTHERS, SHUT = "chat.postMessage", "C0HELP0001", "D0ADA00001", "C0OTHER001", "C0SHUT0001"
BEARER = {"authorization": f"Bearer {TOKEN}"}
WORDS = {"type": "rich_text_section", "elements": [{"type": "text", "text": "hi"}]}
RICH = {"type": "rich_text", "elements": [WORDS]}
BUTTON = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Yes"}, "value": "Yes"}


def blocks(*given: Any) -> dict[str, Any]:
    return {"json": {"channel": ROOM, "text": "hi", "blocks": list(given)}}


def actions(*elements: Any) -> dict[str, Any]:
    return {"type": "actions", "block_id": "b", "elements": list(elements)}


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackStandIn]:
    with SlackStandIn() as standin:
        standin.says(ROOM, "U0ADA00001", "hi")
        standin.says(MINE, "U0ADA00001", "hi")
        standin.opens(OTHERS, "channel", is_member=False)
        standin.opens(SHUT, "channel", is_archived=True)
        yield standin


@pytest.fixture(scope="module")
def http() -> Iterator[Client]:
    transport = Transport(allow_private=True)
    yield transport.client(name="Slack")
    transport.close()


@pytest.mark.parametrize(
    ("method", "how", "error"),
    [
        (POST, {"json": {"channel": ROOM, "text": "hi", "colour": "red"}}, "invalid_arg_name"),
        (POST, {"json": {"text": "hi"}}, "invalid_arguments"),
        (POST, {"json": {"channel": ROOM}}, "no_text"),
        (POST, {"json": {"channel": ROOM, "text": "x" * 40_001}}, "msg_too_long"),
        (POST, {"json": {"channel": ROOM, "text": "hi", "metadata": {"event_type": "a"}}}, "invalid_metadata_format"),
        (POST, {"json": {"channel": "C0NOWHERE1", "text": "hi"}}, "channel_not_found"),
        (POST, {"json": {"channel": OTHERS, "text": "hi"}}, "not_in_channel"),
        (POST, {"json": {"channel": SHUT, "text": "hi"}}, "is_archived"),
        (POST, {"data": b"{", "headers": {"content-type": "application/json"}}, "invalid_json"),
        (POST, {"data": b"hi", "headers": {"content-type": "text/plain"}}, "invalid_post_type"),
        (POST, {"headers": {"authorization": "Bearer xoxb-of-somebody"}}, "invalid_auth"),
        (POST, blocks({**RICH, "colour": "red"}), "invalid_blocks"),
        (POST, blocks({"type": "rich_text", "elements": [{**WORDS, "elements": [{"type": "text", "text": ""}]}]}), "invalid_blocks"),
        (POST, blocks({"type": "section", "text": {"type": "mrkdwn", "text": "hi"}}), "invalid_blocks"),
        (POST, blocks(RICH, actions()), "invalid_blocks"),
        (POST, blocks(RICH, actions(BUTTON, BUTTON)), "invalid_blocks"),
        (POST, blocks(RICH, actions({**BUTTON, "style": "loud"})), "invalid_blocks"),
        (POST, blocks(RICH, actions({**BUTTON, "text": {"type": "plain_text", "text": "x" * 76}})), "invalid_blocks"),
        (POST, blocks(RICH, actions(*({**BUTTON, "action_id": str(number)} for number in range(26)))), "invalid_blocks"),
        ("chat.update", {"json": {"channel": ROOM, "ts": "1.000001", "text": "hi"}}, "message_not_found"),
        ("conversations.replies", {"params": {"channel": ROOM, "ts": "1.000001"}}, "thread_not_found"),
        ("files.completeUploadExternal", {"json": {"files": [{"id": "F0NOTHING"}]}}, "file_not_found"),
        ("files.upload", {"json": {}}, "unknown_method"),
    ],
)
def test_what_slack_refuses(slack: SlackStandIn, http: Client, method: str, how: dict[str, Any], error: str) -> None:
    given = {**how, "headers": {**BEARER, **how.get("headers", {})}}
    answer = http.request("GET" if "params" in how else "POST", f"{slack.url}/{method}", **given)
    assert (answer.json_object or {}).get("ok") is False
    assert (answer.json_object or {}).get("error") == error


@pytest.mark.parametrize(
    ("scope", "method", "how"),
    [
        ("chat:write", POST, {"json": {"channel": ROOM, "text": "hi"}}),
        ("im:history", "conversations.history", {"params": {"channel": MINE}}),
        ("users:read", "users.info", {"params": {"user": "U0ADA00001"}}),
    ],
)
def test_a_permission_that_is_missing_is_named(slack: SlackStandIn, http: Client, scope: str, method: str, how: dict[str, Any]) -> None:
    slack.scopes.discard(scope)
    answer = http.request("GET" if "params" in how else "POST", f"{slack.url}/{method}", headers=BEARER, **how).json_object or {}
    slack.scopes.add(scope)
    assert (answer["error"], answer["needed"]) == ("missing_scope", scope)


def test_too_many_calls_are_refused_with_the_time_to_wait(slack: SlackStandIn, http: Client) -> None:
    slack.arm("rate_limit", at=POST, value=7)
    answer = http.request("POST", f"{slack.url}/{POST}", headers=BEARER, json={"channel": ROOM, "text": "hi"})
    assert (answer.status, answer.retry_after, answer.json_object) == (429, 7.0, {"ok": False, "error": "ratelimited"})
