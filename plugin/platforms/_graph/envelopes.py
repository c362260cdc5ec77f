"""What Meta puts around the facts of a delivery: object, entries, and in each entry the lists that hold them. Knows no fact.

Deliveries are batches of up to 1,000; each member is read. Instagram's examples also show the payload inside an array, and `field` and
`value` straight in the entry without `changes` (Instagram Platform, "Webhooks"); all three shapes are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugin.contracts.http import WebhookRequest
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import PlatformEvent
from plugin.platforms._graph.values import read_id, read_object, read_string, read_time

_LISTS = ("messaging", "standby", "changes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One member of a batch: `kind` is the list it stood in, `field` what `changes` call it, `value` the fact itself."""

    account: str
    at: datetime | None
    kind: str
    field: str
    value: Mapping[str, Any]


def told(request: WebhookRequest, wanted: str) -> Iterator[Told]:
    """Every member of a delivery about `wanted` (`page`, `instagram`, `whatsapp_business_account`), as it came.

    Raises:
        MalformedPayload: it is no delivery of Meta's.
        UnsupportedEvent: it is about something else.
    """
    body = request.json()
    for delivery in body if isinstance(body, list) else [body]:
        if not isinstance(delivery, dict) or not isinstance(delivery.get("entry"), list):
            raise MalformedPayload("The delivery has no list of entries; it was kept as it came. See whether Meta changed its webhooks.")
        if read_string(delivery.get("object")) != wanted:
            raise UnsupportedEvent(f"The delivery is about {read_string(delivery.get('object')) or 'nothing'}, not about {wanted}.")
        for entry in delivery["entry"]:
            yield from _members(entry)


def collect(members: Iterator[Told], read: Callable[[Told], Sequence[PlatformEvent]]) -> list[PlatformEvent]:
    """The events of all members, oldest first, each key once.

    What one of a batch holds that we do not carry is passed over; only when that is all of it is it said.

    Raises:
        MalformedPayload: a member cannot be read.
        UnsupportedEvent: nothing in it is carried.
    """
    found: dict[str, PlatformEvent] = {}
    passed: list[str] = []
    for member in members:
        try:
            for event in read(member):
                found.setdefault(event.event_key, event)
        except UnsupportedEvent as kind:
            passed.append(str(kind))
    if not found:
        raise UnsupportedEvent("; ".join(dict.fromkeys(passed))[:500] or "The delivery is empty.")
    return sorted(found.values(), key=_moment)


def need(value: str, what: str) -> str:
    """An id without which a fact cannot be kept.

    Raises:
        MalformedPayload: it is missing.
    """
    if not value:
        raise MalformedPayload(f"A fact in the delivery has no {what}; the delivery was kept as it came. Look at it and release it.")
    return value


def _members(entry: Any) -> Iterator[Told]:
    if not isinstance(entry, dict):
        raise MalformedPayload("An entry of the delivery is no object; the delivery was kept as it came.")
    account, at = read_id(entry.get("id")), read_time(entry.get("time"))
    if "field" in entry and "changes" not in entry:
        yield Told(account=account, at=at, kind="changes", field=read_string(entry["field"]), value=read_object(entry.get("value")))
    for name in _LISTS:
        items = entry.get(name, ())
        if not isinstance(items, (list, tuple)):
            raise MalformedPayload(f"`{name}` of the delivery is no list; the delivery was kept as it came.")
        for item in items:
            if not isinstance(item, dict):
                raise MalformedPayload(f"A member of `{name}` is no object; the delivery was kept as it came.")
            if name == "changes":
                yield Told(account=account, at=at, kind=name, field=read_string(item.get("field")), value=read_object(item.get("value")))
            else:
                yield Told(account=account, at=at, kind=name, field=name, value=item)


def _moment(event: PlatformEvent) -> float:
    return event.occurred_at.timestamp() if event.occurred_at is not None else float("inf")
