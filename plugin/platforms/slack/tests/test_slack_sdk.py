"""slack-sdk behind our door: it names the calls, and makes none."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from plugin.domain.errors import OutcomeUnknown, RateLimited, RemoteError, RemoteRejected, RemoteUnavailable
from plugin.domain.ids import Marker, MessageRef
from plugin.domain.model import File
from plugin.domain.text import Mark, MarkKind, Text
from plugin.platforms.slack.adapter import SlackAdapter
from plugin.platforms.slack.buttons import LENGTH, MOST, buttons
from plugin.platforms.slack.sdk import Sdk
from plugin.testing.outgoing import outbound
from plugin.testing.standins.slack import SlackStandIn

ROOM, ADA = "C0HELP0001", "U0ADA00001"


class Door:
    """Keeps what was asked, and answers, or fails."""

    def __init__(self, answer: Mapping[str, Any] | RemoteError) -> None:
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []
        self._answer = answer

    def __call__(self, verb: str, method: str, **how: Any) -> tuple[dict[str, Any], dict[str, str]]:
        self.asked.append((verb, method, how))
        if isinstance(self._answer, RemoteError):
            raise self._answer
        return dict(self._answer), {"x-oauth-scopes": "chat:write"}


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        (lambda sdk: sdk.auth_test(), ("POST", "auth.test", {"data": None})),
        (
            lambda sdk: sdk.users_info(user="U1", include_locale=True),
            ("GET", "users.info", {"params": {"user": "U1", "include_locale": "true"}}),
        ),
        (
            lambda sdk: sdk.conversations_history(channel="C1", limit=200, cursor=None, include_all_metadata=False),
            ("GET", "conversations.history", {"params": {"channel": "C1", "limit": "200", "include_all_metadata": "false"}}),
        ),
        (lambda sdk: sdk.users_conversations(types=("im", "mpim")), ("GET", "users.conversations", {"params": {"types": "im,mpim"}})),
        (lambda sdk: sdk.chat_delete(channel="C1", ts="1.0"), ("POST", "chat.delete", {"data": {"channel": "C1", "ts": "1.0"}})),
        (
            lambda sdk: sdk.chat_postMessage(channel="C1", text="hi", thread_ts=None, mrkdwn=False),
            ("POST", "chat.postMessage", {"json": {"channel": "C1", "text": "hi", "mrkdwn": False}}),
        ),
        (
            lambda sdk: sdk.files_getUploadURLExternal(filename="a", length=4, alt_txt=None),
            ("POST", "files.getUploadURLExternal", {"data": {"filename": "a", "length": "4"}}),
        ),
    ],
)
def test_each_call_goes_through_the_door_once(call: Callable[[Sdk], Any], asked: tuple[str, str, Mapping[str, Any]]) -> None:
    door = Door({"ok": True, "ts": "1.0"})
    answer = call(Sdk(door))
    assert (door.asked, answer.get("ts"), answer.headers) == ([asked], "1.0", {"x-oauth-scopes": "chat:write"})
    for error in (RateLimited("Slack asks for a pause.", retry_after=7), OutcomeUnknown("Nobody knows."), RemoteUnavailable("Not now.")):
        failing = Door(error)
        with pytest.raises(RemoteError) as raised:
            call(Sdk(failing))
        assert (raised.value, failing.asked) == (error, [asked])


def test_no_further_page_is_asked_for_past_the_door() -> None:
    door = Door({"ok": True, "messages": [], "response_metadata": {"next_cursor": "more"}})
    answer = iter(Sdk(door).conversations_history(channel="C1"))
    next(answer)
    with pytest.raises(AttributeError):
        next(answer)
    assert len(door.asked) == 1


def test_the_buttons_limits_are_the_librarys() -> None:
    assert (ActionsBlock.elements_max_length, ButtonElement.text_max_length) == (MOST, LENGTH)
    for choices in (("x",) * (MOST + 1), ("x" * (LENGTH + 1),)):
        with pytest.raises(RemoteRejected, match="nothing was sent"):
            buttons(choices)


def test_what_shows_nothing_is_neither_sent_nor_warned_of(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    root = slack.says(ROOM, ADA, "hi")
    blank = outbound(f"{ROOM}:{root}", Text(" \n", (Mark(0, 2, MarkKind.BOLD),)))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(RemoteRejected, match="neither words nor files"):
            adapter.deliver(blank, marker=marker)
        with pytest.raises(RemoteRejected, match="needs words"):
            adapter.edit(MessageRef(f"{ROOM}:{root}"), blank, marker=marker)
        assert slack.calls == []
        file = File(filename="form.pdf", content_type="application/pdf", content=b"%PDF")
        adapter.deliver(replace(blank, files=(file,)), marker=marker)
    assert slack.said_by_bot(ROOM)[0]["text"] == "form.pdf"
    assert warned == []
