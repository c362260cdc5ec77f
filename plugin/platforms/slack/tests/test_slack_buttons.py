"""Words to press below a question, and presses on them, whatever such a form may hold."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.domain.codec import encode_event
from plugin.domain.errors import MalformedPayload, SignatureInvalid, UnsupportedEvent
from plugin.domain.events import MessageReceived
from plugin.domain.ids import Marker, ThreadKey
from plugin.domain.text import Text
from plugin.platforms.slack.adapter import PLATFORM, SlackAdapter
from plugin.platforms.slack.buttons import LENGTH, MOST, read_press
from plugin.platforms.slack.messages import Reading
from plugin.testing.outgoing import outbound
from plugin.testing.platform_suite import folder_of, load
from plugin.testing.standins.slack import SlackStandIn

ROOM, ADA, DIRECT = "C0HELP0001", "U0ADA00001", "D0ADA00001"
SUBJECT = load(PLATFORM, folder_of(PLATFORM))
READING = Reading(settings=PLATFORM.settings_schema.load(SUBJECT.settings))
PRESSED = next(fixture.request.body for fixture in SUBJECT.requests if "choice_pressed" in fixture.name)
PAYLOAD = json.loads(parse_qs(PRESSED.decode())["payload"][0])


def form(payload: Any) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def test_a_question_is_answered_by_a_press(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    slack.says(DIRECT, ADA, "My printer does not answer")
    (spoken,) = adapter.parse(slack.events[0])
    asked = adapter.deliver(replace(outbound(ThreadKey(DIRECT), "Is it *solved*?"), choices=("Yes", "No")), marker=marker)
    (said,) = slack.said_by_bot(DIRECT)
    request = slack.presses(DIRECT, ADA, said["ts"], "Yes")
    adapter.verify(request)
    assert adapter.answer(request) is None
    (pressed,) = adapter.parse(request)
    assert isinstance(pressed, MessageReceived)
    assert isinstance(spoken, MessageReceived)
    assert (pressed.text, pressed.thread_key, pressed.parent_ref) == (Text("Yes"), spoken.thread_key, asked.message_ref)
    assert (pressed.author.ref, pressed.is_own) == (spoken.author.ref, False)
    with pytest.raises(SignatureInvalid):
        adapter.verify(replace(request, body=request.body.replace(b"Yes", b"No!")))


def test_a_button_counts_once_and_each_of_them_for_itself(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    slack.says(DIRECT, ADA, "hi")
    adapter.deliver(replace(outbound(ThreadKey(DIRECT), "Is it solved?"), choices=("Yes", "No")), marker=marker)
    (said,) = slack.said_by_bot(DIRECT)
    keys = [adapter.parse(slack.presses(DIRECT, ADA, said["ts"], word))[0].event_key for word in ("Yes", "Yes", "No")]
    assert len(set(keys)) == 2


def test_what_was_said_with_buttons_is_read_back_and_told_as_its_words(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    slack.says(DIRECT, ADA, "hi")
    question = replace(outbound(ThreadKey(DIRECT), "Is it solved?"), choices=("Yes", "No"))
    receipt = adapter.deliver(question, marker=marker)
    assert adapter.find_delivered(question, marker=marker) == receipt
    (echo,) = adapter.parse(slack.events[-1])
    assert isinstance(echo, MessageReceived)
    assert (echo.text.plain, echo.is_own, echo.marker) == ("Is it solved?", True, marker)


def test_buttons_stand_in_direct_conversations_alone(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    ts = slack.says(ROOM, ADA, "hi")
    adapter.deliver(replace(outbound(ThreadKey(f"{ROOM}:{ts}"), "Is it solved?"), choices=("Yes", "No")), marker=marker)
    (said,) = slack.said_by_bot(ROOM)
    assert "blocks" not in said


def test_slack_takes_as_many_and_as_long_ones_as_are_declared(slack: SlackStandIn, adapter: SlackAdapter, marker: Marker) -> None:
    slack.says(DIRECT, ADA, "hi")
    choices = tuple(f"{number:02}".ljust(LENGTH, "x") for number in range(MOST))
    adapter.deliver(replace(outbound(ThreadKey(DIRECT), "Which?"), choices=choices), marker=marker)
    (said,) = slack.said_by_bot(DIRECT)
    (pressed,) = adapter.parse(slack.presses(DIRECT, ADA, said["ts"], choices[-1]))
    assert isinstance(pressed, MessageReceived)
    assert pressed.text.plain == choices[-1]


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "view_submission"},
        {"type": "shortcut", "actions": None},
        {"api_app_id": "A0SOMEBODY"},
        {"actions": []},
        {"actions": [{"block_id": "another", "action_id": "choice_0", "value": "Yes"}]},
    ],
)
def test_interactions_that_are_none_of_ours_are_counted(changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedEvent):
        read_press(form({**PAYLOAD, **changes}), READING)


@pytest.mark.parametrize(
    "changes",
    [
        {"user": {}},
        {"channel": {}, "container": {}},
        {"container": {"message_ts": 5}, "message": {}},
        {"actions": [{"block_id": "crossdesk_choices"}]},
    ],
)
def test_a_press_without_its_bones_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedPayload):
        read_press(form({**PAYLOAD, **changes}), READING)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PAYLOAD, *PAYLOAD["actions"][0]]), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(list(PAYLOAD)), _VALUES, max_size=4).map(lambda changes: form({**PAYLOAD, **changes}))
    | st.binary(max_size=80)
)
def test_whatever_a_form_holds(body: bytes) -> None:
    try:
        event = read_press(body, READING)
    except (MalformedPayload, UnsupportedEvent):
        return
    json.dumps(encode_event(event), ensure_ascii=False).encode()
