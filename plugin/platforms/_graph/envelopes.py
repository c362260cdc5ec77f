"""What Meta puts around the facts of a delivery: object, entries, and in each entry the lists that hold them. Knows no fact.

Deliveries are batches of up to 1,000; each member is read. Instagram's examples also show the payload inside an array, and `field` and
`value` straight in the entry without `changes` (Instagram Platform, "Webhooks"); all three shapes are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plugin.contracts.batches import Member, read_members, unreadable
from plugin.contracts.http import WebhookRequest
from plugin.contracts.reading import read_object, read_string
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ThreadKey
from plugin.platforms._graph.values import read_id, read_time

_LISTS = ("messaging", "standby", "changes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One member of a batch: `kind` is the list it stood in, `field` what `changes` call it, `value` the fact itself."""

    account: str
    at: datetime | None
    kind: str
    field: str
    value: Mapping[str, Any]
    raw: object
    """The member as it came."""


def collect(request: WebhookRequest, wanted: str, read: Callable[[Told], Iterable[Member]]) -> list[PlatformEvent]:
    """The events of all members of a delivery about `wanted` (`page`, `instagram`, `whatsapp_business_account`), oldest first.

    Raises:
        MalformedPayload: it is no delivery of Meta's, or nothing in it can be read.
        UnsupportedEvent: it is about something else, or nothing in it is carried.
    """
    return sorted(read_members(_members(request.json(), wanted, read)), key=_moment)


def whole(told: Told, read: Callable[[Told], Iterable[PlatformEvent]], thread_key: ThreadKey | None = None) -> Member:
    """A member whose events belong together."""
    return Member(raw=told.raw, read=lambda: read(told), thread_key=thread_key)


def need(value: str, what: str) -> str:
    """An id without which a fact cannot be kept.

    Raises:
        MalformedPayload: it is missing.
    """
    if not value:
        raise MalformedPayload(f"A fact in the delivery has no {what}; the delivery was kept as it came. Look at it and release it.")
    return value


def _members(body: Any, wanted: str, read: Callable[[Told], Iterable[Member]]) -> Iterator[Member]:
    for delivery in body if isinstance(body, list) else [body]:
        if not isinstance(delivery, dict) or not isinstance(delivery.get("entry"), list):
            yield unreadable(
                delivery, "The delivery has no list of entries; it was kept as it came. See whether Meta changed its webhooks."
            )
        elif read_string(delivery.get("object")) != wanted:
            yield Member(raw=delivery, read=_elsewhere(read_string(delivery.get("object")) or "nothing", wanted))
        else:
            for entry in delivery["entry"]:
                for one in _entry(entry):
                    yield from (one,) if isinstance(one, Member) else read(one)


def _elsewhere(subject: str, wanted: str) -> Callable[[], Iterable[PlatformEvent]]:
    def refuse() -> Iterable[PlatformEvent]:
        raise UnsupportedEvent(f"The delivery is about {subject}, not about {wanted}.")

    return refuse


def _entry(entry: Any) -> Iterator[Told | Member]:
    if not isinstance(entry, dict):
        yield unreadable(entry, "An entry of the delivery is no object; it was kept as it came.")
        return
    account, at = read_id(entry.get("id")), read_time(entry.get("time"))
    if "field" in entry and "changes" not in entry:
        yield Told(
            account=account, at=at, kind="changes", field=read_string(entry["field"]), value=read_object(entry.get("value")), raw=entry
        )
    for name in _LISTS:
        items = entry.get(name, [])
        if not isinstance(items, list):
            yield unreadable({name: items}, f"`{name}` of the delivery is no list; it was kept as it came.")
            continue
        for item in items:
            if not isinstance(item, dict):
                yield unreadable(item, f"A member of `{name}` is no object; it was kept as it came.")
            elif name == "changes":
                field, value = read_string(item.get("field")), read_object(item.get("value"))
                yield Told(account=account, at=at, kind=name, field=field, value=value, raw=item)
            else:
                yield Told(account=account, at=at, kind=name, field=name, value=item, raw=item)


def _moment(event: PlatformEvent) -> float:
    return event.occurred_at.timestamp() if event.occurred_at is not None else float("inf")
