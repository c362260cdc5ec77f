"""That the stand-in refuses what Discord refuses, asked over HTTP without any adapter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugin.testing.standins.discord import TOKEN, DiscordStandIn
from plugin.transport.client import Client, Transport

ROOM, HIDDEN, MUTE, FORUM = "200000000000000001", "200000000000000002", "200000000000000003", "200000000000000004"
ADA = {"id": "300000000000000001", "username": "ada", "global_name": "Ada", "avatar": None}
HEADERS = {"authorization": f"Bot {TOKEN}", "user-agent": "DiscordBot (https://example.org, 1)"}
POST = f"/channels/{ROOM}/messages"


@pytest.fixture(scope="module")
def discord() -> Iterator[DiscordStandIn]:
    with DiscordStandIn() as standin:
        standin.opens(ROOM)
        standin.opens(HIDDEN, is_visible=False)
        standin.opens(MUTE, may_send=False)
        standin.opens(FORUM, kind=15)
        yield standin


@pytest.fixture(scope="module")
def http() -> Iterator[Client]:
    transport = Transport(allow_private=True)
    yield transport.client(name="Discord")
    transport.close()


@pytest.mark.parametrize(
    ("method", "path", "how", "status", "code"),
    [
        ("POST", POST, {"json": {"content": "hi", "colour": "red"}}, 400, 50035),
        ("POST", POST, {"json": {"content": "x" * 2001}}, 400, 50035),
        ("POST", POST, {"json": {"content": "hi", "nonce": "x" * 26}}, 400, 50035),
        ("POST", POST, {"json": {"content": "hi", "message_reference": {"message_id": "1"}}}, 400, 50035),
        ("POST", POST, {"json": {"content": ""}}, 400, 50006),
        ("POST", POST, {"data": b"content=hi", "headers": {"content-type": "text/plain"}}, 400, 50109),
        ("POST", POST, {"data": b"[]", "headers": {"content-type": "application/json"}}, 400, 50109),
        ("POST", POST, {"json": {"content": "hi"}, "headers": {"authorization": "Bot of.some.body"}}, 401, 0),
        ("POST", POST, {"json": {"content": "hi"}, "headers": {"user-agent": "something"}}, 403, 40333),
        ("POST", f"/channels/{MUTE}/messages", {"json": {"content": "hi"}}, 403, 50013),
        ("POST", f"/channels/{HIDDEN}/messages", {"json": {"content": "hi"}}, 403, 50001),
        ("POST", "/channels/1/messages", {"json": {"content": "hi"}}, 404, 10003),
        ("GET", f"/channels/{FORUM}/messages", {}, 400, 50024),
        ("GET", POST, {"params": {"limit": "101"}}, 400, 50035),
        ("GET", POST, {"params": {"since": "1"}}, 400, 50035),
        ("GET", f"{POST}/1", {}, 404, 10008),
        ("DELETE", f"{POST}/1", {}, 404, 10008),
        ("GET", "/guilds/1/threads/active", {}, 404, 10004),
    ],
)
def test_what_discord_refuses(
    discord: DiscordStandIn, http: Client, method: str, path: str, how: dict[str, Any], status: int, code: int
) -> None:
    answer = http.request(method, discord.url + path, **{**how, "headers": {**HEADERS, **how.get("headers", {})}})
    assert (answer.status, (answer.json_object or {}).get("code")) == (status, code)


def test_others_words_are_neither_changed_nor_taken_away_and_unknown_reactions_are_none(discord: DiscordStandIn, http: Client) -> None:
    theirs = discord.says(ROOM, ADA, "mine")
    asked: list[tuple[str, str, dict[str, Any], int]] = [
        ("PATCH", "", {"json": {"content": "yours"}}, 50005),
        ("DELETE", "", {}, 50013),
        ("GET", "/reactions/%F0%9F%91%8D", {}, 10014),
        ("GET", "/reactions/%F0%9F%91%8D", {"params": {"limit": "0"}}, 50035),
    ]
    for method, path, how, code in asked:
        answer = http.request(method, f"{discord.url}{POST}/{theirs}{path}", headers=HEADERS, **how)
        assert (answer.json_object or {}).get("code") == code


def test_too_many_calls_are_refused_with_the_time_to_wait(discord: DiscordStandIn, http: Client) -> None:
    discord.arm("rate_limit", at="POST", value=3)
    answer = http.request("POST", discord.url + POST, headers=HEADERS, json={"content": "hi"})
    assert (answer.status, answer.retry_after, (answer.json_object or {}).get("retry_after")) == (429, 3.0, 3.0)
