"""What the Events API tells, as events; and presses on our buttons. Pure: no call, no clock; the signature is checked elsewhere.

Source: Slack API, "Events API" (envelope, retries), and the events that `capabilities.EVENTS` names. A repeated delivery
(`X-Slack-Retry-Num`) is the same fact and gets the same keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugin.contracts.http import WebhookRequest
from plugin.contracts.reading import read_object, read_string
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import PlatformEvent, ReactionChanged
from plugin.domain.ids import ContactRef
from plugin.domain.model import Contact
from plugin.platforms.slack.buttons import read_press
from plugin.platforms.slack.keys import message_ref
from plugin.platforms.slack.messages import Reading, room, says_the_same
from plugin.platforms.slack.values import read_ts, ts_time

_FORM = "application/x-www-form-urlencoded"


def read_request(request: WebhookRequest, reading: Reading) -> Sequence[PlatformEvent]:
    """The events in one delivery.

    Raises:
        MalformedPayload: it lacks what makes it an event of its kind.
        UnsupportedEvent: it is of no kind that we carry.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() == _FORM:
        return [read_press(request.body, reading)]
    envelope = request.json()
    if not isinstance(envelope, dict):
        raise MalformedPayload("This is no Slack event: it is no object. It was kept as it came.")
    kind = read_string(envelope.get("type"))
    if kind == "app_rate_limited":
        raise UnsupportedEvent(
            "Slack held events back because there were more than 30,000 in an hour; the catch-up fetches them. It was counted."
        )
    if kind == "url_verification":
        raise UnsupportedEvent("Slack asked whether the address is ours; that was answered at once.")
    event = envelope.get("event")
    if kind != "event_callback" or not isinstance(event, dict):
        raise MalformedPayload("This is no Slack event: it has no event in it. It was kept as it came.")
    app = read_string(envelope.get("api_app_id"))
    if app and app != reading.settings.app_id:
        raise UnsupportedEvent("This event is for another Slack app than `app_id` of this channel names; it was counted.")
    name = read_string(event.get("type"))
    if name in ("message", "app_mention"):
        return _message(event, reading)
    if name in ("reaction_added", "reaction_removed"):
        return [_reaction(event, added=name == "reaction_added")]
    raise UnsupportedEvent(f"Slack events of the kind “{name or 'nothing'}” are not carried; it was counted.")


def _message(event: Mapping[str, Any], reading: Reading) -> Sequence[PlatformEvent]:
    where = room(event.get("channel"), event.get("channel_type"))
    subtype, told_at = read_string(event.get("subtype")), read_ts(event.get("event_ts")) or read_ts(event.get("ts"))
    previous, message = read_object(event.get("previous_message")), read_object(event.get("message"))
    if subtype not in ("message_changed", "message_deleted", "message_replied"):
        return [reading.received(event, where)]
    reading.check(where)
    if subtype == "message_replied":
        raise UnsupportedEvent("Slack tells that a thread grew; its new message comes by itself. It was counted.")
    if subtype == "message_deleted":
        ts = read_ts(event.get("deleted_ts")) or read_ts(previous.get("ts"))
        if not ts:
            raise MalformedPayload("Slack tells of a deletion without saying of which message; it was kept as it came.")
        return [reading.deleted(ts, previous, where, told_at=told_at)]
    if not read_ts(message.get("ts")):
        message = {**message, "ts": previous.get("ts")}
    if message.get("subtype") == "tombstone" and read_ts(message.get("ts")):
        # The first message of a thread that goes on: it is emptied, not removed.
        return [reading.deleted(read_ts(message.get("ts")), previous, where, told_at=told_at)]
    if previous and says_the_same(message, previous):
        raise UnsupportedEvent("Only the look of a Slack message changed (a link's preview, an answer counted); it was counted.")
    return [reading.edited(message, where, told_at=told_at)]


def _reaction(event: Mapping[str, Any], *, added: bool) -> ReactionChanged:
    item = read_object(event.get("item"))
    ts, user, emoji = read_ts(item.get("ts")), read_string(event.get("user")), read_string(event.get("reaction"))
    if item.get("type") != "message":
        raise UnsupportedEvent("A reaction to something that is no message is not carried; it was counted.")
    where = room(item.get("channel"), None)
    told_at = read_ts(event.get("event_ts"))
    if not (ts and user and emoji):
        raise MalformedPayload("This Slack reaction does not say whose or to what; it was kept as it came.")
    ref = message_ref(where.channel, ts)
    return ReactionChanged(
        event_key=f"reaction:{ref}:{user}:{'+' if added else '-'}{emoji}:{told_at}",
        occurred_at=ts_time(told_at),
        message_ref=ref,
        author=Contact(ref=ContactRef(user)),
        emoji=f":{emoji}:",
        added=added,
    )
