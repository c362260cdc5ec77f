"""The settings of the fakes, and how they sign: one secret, HMAC over the body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from marshmallow import RAISE, Schema, fields, post_load, validate

from plugin.contracts.batches import Member, read_members
from plugin.contracts.http import WebhookRequest
from plugin.contracts.signing import is_one_of, sign
from plugin.domain.codec import decode_event, encode_event
from plugin.domain.errors import MalformedPayload, SignatureInvalid, UnsupportedEvent
from plugin.domain.events import Event
from plugin.domain.ids import ThreadKey

_SIGNATURE = "x-fake-signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeSettings:
    """One secret."""

    secret: str = field(repr=False)


class FakeSettingsSchema(Schema):
    """`secret` signs the webhooks."""

    class Meta:
        """Unknown keys are mistakes."""

        unknown = RAISE

    secret = fields.String(
        required=True, validate=validate.Length(min=8), metadata={"help": "What signs the fake's webhooks.", "secret": True}
    )

    @post_load
    def build(self, data: Mapping[str, Any], **_: Any) -> FakeSettings:
        """The settings as the fakes use them."""
        return FakeSettings(**data)


def signed(events: Sequence[Event], settings: FakeSettings) -> WebhookRequest:
    """The webhook that brings `events`."""
    body = json.dumps({"events": [encode_event(event) for event in events]}).encode()
    headers = {"content-type": "application/json", _SIGNATURE: sign(settings.secret, body)}
    return WebhookRequest(method="POST", path="", headers=headers, query={}, body=body)


def verify(request: WebhookRequest, settings: FakeSettings) -> None:
    """Raises SignatureInvalid unless `signed` made the request."""
    if not is_one_of(request.headers.get(_SIGNATURE, ""), sign(settings.secret, request.body)):
        raise SignatureInvalid("The webhook is not signed with the fake's secret; nothing was kept.")


def parse(request: WebhookRequest, kinds: frozenset[type[Event]]) -> list[Any]:
    """The events that a webhook brings.

    Raises:
        MalformedPayload, UnsupportedEvent: as `PlatformAdapter.parse`.
    """
    body = request.json()
    listed = body.get("events") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise MalformedPayload("The fake's webhook has no list of events; it was kept as it came.")
    return read_members(Member(raw=item, read=partial(_event, item, kinds), thread_key=_thread_key(item)) for item in listed)


def _event(item: Any, kinds: frozenset[type[Event]]) -> list[Any]:
    try:
        event = decode_event(item)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise MalformedPayload("The fake's webhook holds something that is no event; it was kept as it came.") from None
    if type(event) not in kinds:
        raise UnsupportedEvent("This is of a kind that is not carried.")
    return [event]


def _thread_key(item: Any) -> ThreadKey | None:
    found = item.get("thread_key") if isinstance(item, dict) else None
    return ThreadKey(found) if isinstance(found, str) else None
