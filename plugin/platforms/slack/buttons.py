"""Words to press below a question of ours, and a press on one as the customer's own message. Pure; knows no call.

A button stays where it is after it was pressed, so each of one question counts once: who presses again says nothing new.
Sources: Slack API, "Actions block", "Button element", "block_actions payload". What one block may hold is told there, and is
slack-sdk's to check: 25 buttons of 75 letters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from plugin.contracts.http import parse_json
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import MalformedPayload, RemoteRejected, UnsupportedEvent
from plugin.domain.events import MessageReceived
from plugin.domain.ids import ContactRef, MessageRef
from plugin.domain.model import Contact
from plugin.domain.text import Text
from plugin.platforms.slack.keys import message_ref, thread_key
from plugin.platforms.slack.messages import Reading, room
from plugin.platforms.slack.values import read_ts, ts_time

MOST, LENGTH = 25, 75
_BLOCK = "crossdesk_choices"
_ACTION = re.compile(r"choice_[0-9]{1,2}")


def buttons(choices: Sequence[str]) -> Mapping[str, Any]:
    """The block that offers `choices`.

    Raises:
        RemoteRejected: more of them, or longer ones, than Slack takes.
    """
    # Whoever has no Slack channel shall not pay for the package: see sdk.py.
    from slack_sdk.errors import SlackObjectFormationError
    from slack_sdk.models.blocks import ActionsBlock, ButtonElement, PlainTextObject

    elements = [
        ButtonElement(action_id=f"choice_{number}", text=PlainTextObject(text=choice), value=choice)
        for number, choice in enumerate(choices)
    ]
    try:
        return ActionsBlock(block_id=_BLOCK, elements=elements).to_dict()
    except SlackObjectFormationError as problem:
        raise RemoteRejected("Slack has no such buttons; nothing was sent. Offer fewer or shorter answers.", detail=str(problem)) from None


def read_press(body: bytes, reading: Reading) -> MessageReceived:
    """What an interaction says, which comes as a form.

    Raises:
        MalformedPayload: it is a press on a button of ours and lacks what makes it one.
        UnsupportedEvent: it is none.
    """
    given = parse_qs(body.decode("utf-8", "replace")).get("payload", [""])[0]
    if not given:
        raise UnsupportedEvent("Slash commands are not carried; it was counted. Let the app send them elsewhere.")
    payload = read_object(parse_json(given.encode("utf-8", "replace")))
    app = read_string(payload.get("api_app_id"))
    if app and app != reading.settings.app_id:
        raise UnsupportedEvent("This press is for another Slack app than `app_id` of this channel names; it was counted.")
    pressed = next((one for one in read_objects(payload.get("actions")) if one.get("block_id") == _BLOCK), None)
    if payload.get("type") != "block_actions" or pressed is None:
        raise UnsupportedEvent("Buttons and forms of others than Crossdesk are not carried; it was counted.")
    return _said(payload, pressed, reading)


def _said(payload: Mapping[str, Any], pressed: Mapping[str, Any], reading: Reading) -> MessageReceived:
    container, message = read_object(payload.get("container")), read_object(payload.get("message"))
    person = read_object(payload.get("user"))
    where = room(read_object(payload.get("channel")).get("id") or container.get("channel_id"), None)
    ts, user = read_ts(container.get("message_ts")) or read_ts(message.get("ts")), read_string(person.get("id"))
    action, word = read_string(pressed.get("action_id")), read_string(pressed.get("value"))
    if not (ts and user and word and _ACTION.fullmatch(action)):
        raise MalformedPayload("This press on a button in Slack does not say whose it is, or on which; it was kept as it came.")
    question, root = message_ref(where.channel, ts), read_ts(message.get("thread_ts")) or ts
    return MessageReceived(
        event_key=f"press:{question}:{user}:{action}",
        occurred_at=ts_time(read_ts(pressed.get("action_ts"))),
        message_ref=MessageRef(f"{question}/{user}/{action}"),
        thread_key=thread_key(where.channel, root, is_direct=where.is_direct),
        visibility=reading.visibility(where),
        author=Contact(ref=ContactRef(user), handle=read_string(person.get("username")) or read_string(person.get("name"))),
        text=Text(word),
        parent_ref=question,
        url=reading.url(where.channel, ts, root),
    )
