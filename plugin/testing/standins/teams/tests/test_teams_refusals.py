"""That the stand-in refuses what Microsoft refuses, asked over HTTP without any adapter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugin.testing.standins.teams import TeamsStandIn
from plugin.testing.standins.teams.server import APP, PASSWORD, SCOPE, TENANT
from plugin.transport.client import Client, Transport

FORM = {"grant_type": "client_credentials", "client_id": APP, "client_secret": PASSWORD, "scope": SCOPE}
YES = {"type": "imBack", "title": "Yes", "value": "Yes"}


def says(**changes: Any) -> dict[str, Any]:
    return {"json": {"type": "message", "text": "hi", **changes}}


@pytest.fixture(scope="module")
def teams() -> Iterator[TeamsStandIn]:
    with TeamsStandIn() as standin:
        standin.conversations["a:left"] = "removed"
        standin.valid_tokens.add("a-token")
        yield standin


@pytest.fixture(scope="module")
def http() -> Iterator[Client]:
    transport = Transport(allow_private=True)
    yield transport.client(name="Teams")
    transport.close()


@pytest.mark.parametrize(
    ("where", "how", "status", "code"),
    [
        ("personal", says(colour="red"), 400, "BadArgument"),
        ("personal", says(text=""), 400, "BadSyntax"),
        ("personal", says(type="invoke"), 400, "BadSyntax"),
        ("personal", says(text="x" * 28_001), 413, "MessageSizeTooBig"),
        ("personal", says(suggestedActions={"actions": []}), 400, "BadArgument"),
        ("personal", says(suggestedActions={"actions": [YES] * 7}), 400, "BadArgument"),
        ("personal", says(suggestedActions={"actions": [{**YES, "type": "openUrl"}]}), 400, "BadArgument"),
        ("channel", says(suggestedActions={"actions": [YES]}), 400, "BadArgument"),
        ("personal", {"data": b"hi", "headers": {"content-type": "text/plain"}}, 400, "BadSyntax"),
        ("personal", {**says(), "headers": {"authorization": "Bearer of-somebody"}}, 401, "Unauthorized"),
        ("a:left", says(), 403, "BotNotInConversationRoster"),
        ("a:nowhere", says(), 404, "ConversationNotFound"),
    ],
)
def test_what_the_connector_refuses(teams: TeamsStandIn, http: Client, where: str, how: dict[str, Any], status: int, code: str) -> None:
    place = {"personal": teams.personal, "channel": teams.channel}.get(where, where)
    given = {**how, "headers": {"authorization": "Bearer a-token", **how.get("headers", {})}}
    answer = http.request("POST", f"{teams.url}/teams/v3/conversations/{place}/activities", **given)
    assert (answer.status, (answer.json_object or {}).get("error", {}).get("code")) == (status, code)


def test_what_is_not_there_is_neither_changed_nor_taken_away(teams: TeamsStandIn, http: Client) -> None:
    for method, how in (("PUT", says()), ("DELETE", {})):
        path = f"{teams.url}/teams/v3/conversations/{teams.personal}/activities/1"
        answer = http.request(method, path, headers={"authorization": "Bearer a-token"}, **how)
        assert (answer.status, (answer.json_object or {})["error"]["code"]) == (404, "ActivityNotFoundInConversation")


@pytest.mark.parametrize(
    ("tenant", "how", "error"),
    [
        (TENANT, {"data": {**FORM, "client_secret": "wrong"}}, "invalid_client"),
        (TENANT, {"data": {**FORM, "scope": "everything"}}, "invalid_request"),
        (TENANT, {"json": FORM}, "invalid_request"),
        ("another-tenant", {"data": FORM}, "unauthorized_client"),
    ],
)
def test_what_the_sign_in_refuses(teams: TeamsStandIn, http: Client, tenant: str, how: dict[str, Any], error: str) -> None:
    answer = http.request("POST", f"{teams.url}/login/{tenant}/oauth2/v2.0/token", **how)
    assert (answer.json_object or {})["error"] == error


def test_too_many_calls_are_refused_with_the_time_to_wait(teams: TeamsStandIn, http: Client) -> None:
    teams.arm("rate_limit", at="create", value=5)
    path = f"{teams.url}/teams/v3/conversations/{teams.personal}/activities"
    answer = http.request("POST", path, headers={"authorization": "Bearer a-token"}, **says())
    assert (answer.status, answer.retry_after) == (429, 5.0)
