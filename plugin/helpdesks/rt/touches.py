"""That something happened in a ticket: told by RT's scrip (`seed.pl`) or found by asking for transactions by id, under the same key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Polled
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import TicketTouched
from plugin.domain.ids import TicketRef
from plugin.helpdesks.rt.client import PAGE, RtClient, field_values, quoted
from plugin.helpdesks.rt.schema import HookSchema
from plugin.helpdesks.rt.wording import MESSAGE_FIELD

_OVERLAP = 200
"""Transaction ids that are asked for again: ids rise when a transaction begins, rows appear when it is committed."""
_KINDS = (
    "(Type='Correspond' OR Type='Comment' OR Type='Status' OR Type='CustomField' OR (Type='Set' AND (Field='Queue' OR Field='Owner'))"
    " OR (Type='AddLink' AND Field='MergedInto'))"
)
"""The same kinds as in seed.pl and in the extension."""


def parse_hook(request: WebhookRequest) -> list[TicketTouched]:
    """The touched tickets in a verified hook.

    Raises:
        MalformedPayload: it is not what seed.pl sends.
        UnsupportedEvent: it names no transaction.
    """
    body = request.json()
    try:
        told = HookSchema().load(body if isinstance(body, dict) else {})
    except ValidationError as problem:
        raise MalformedPayload(
            "A web hook of Request Tracker is not as seed.pl makes it; run seed.pl again.", detail=str(problem)
        ) from None
    if not told["transactions"]:
        raise UnsupportedEvent("A web hook of Request Tracker named no transaction.")
    return [_touched(row["id"], row["ticket"], row["created"]) for row in told["transactions"]]


def poll(client: RtClient, position: Mapping[str, Any] | None, *, own_name: str) -> Polled:
    """What others did in the tickets that the bridge may see, by transaction id.

    Position: `{"transaction": <highest id seen>, "recent": [<ids told within the overlap>]}`, so that a late commit is found and
    nothing is told twice.
    """
    if position is None:
        newest = client.search("/transactions", {"query": "ObjectType='RT::Ticket'", "fields": "Type"}, newest_first=True, per_page=1)
        position = {"transaction": max(0, int(newest[0]["id"]) - _OVERLAP) if newest else 0, "recent": []}
    highest = int(position["transaction"])
    told = {int(number) for number in position.get("recent", ())}
    sql = f"ObjectType='RT::Ticket' AND id > {max(0, highest - _OVERLAP)} AND Creator != {quoted(own_name)} AND {_KINDS}"
    # Rows already told fill the pages first: pages are read until something new comes or nothing more does.
    fresh: list[dict[str, Any]] = []
    page, is_full = 1, True
    while is_full and not fresh:
        rows = client.search("/transactions", {"query": sql, "fields": "ObjectId,Created,CustomFields"}, page=page)
        # What bears our marker was written by us, in a customer's name.
        fresh = [row for row in rows if int(row["id"]) not in told and not field_values(row, MESSAGE_FIELD)]
        page, is_full = page + 1, len(rows) >= PAGE
    highest = max([highest, *(int(row["id"]) for row in fresh)])
    recent = sorted(number for number in told | {int(row["id"]) for row in fresh} if number > highest - _OVERLAP)
    return Polled(
        events=tuple(_touched(row["id"], row["ObjectId"], _time(row.get("Created"))) for row in fresh),
        position={"transaction": highest, "recent": recent},
        has_more=is_full,
    )


def _touched(transaction: str, ticket: str, at: datetime | None) -> TicketTouched:
    return TicketTouched(event_key=f"txn:{transaction}", occurred_at=at, ticket_ref=TicketRef(ticket))


def _time(stamp: str | None) -> datetime | None:
    return datetime.fromisoformat(stamp) if stamp else None
