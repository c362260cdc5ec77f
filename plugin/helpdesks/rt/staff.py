"""Who did something in a ticket, and in which groups they are, as far as RT lets the bridge's user see (rights AdminUsers and SeeGroup)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.domain.errors import RemoteRejected
from plugin.domain.events import Presser
from plugin.domain.ids import TicketRef
from plugin.helpdesks.rt.client import RtClient, segment

_FIELDS: Mapping[str, str | int] = {"fields": "Type,Creator,Field,NewValue", "fields[Creator]": "Name"}


def presser(client: RtClient, ticket_ref: TicketRef, value: str) -> Presser | None:
    """Who gave a custom field of the ticket this value last; None where that is not told.

    Raises:
        RemoteError: any of its kinds; it reads only.
    """
    for row in client.walk(f"/ticket/{segment(ticket_ref)}/history", _FIELDS):
        if row.get("Type") == "CustomField" and str(row.get("NewValue") or "") == value:
            return _agent(client, str((row.get("Creator") or {}).get("Name") or (row.get("Creator") or {}).get("id") or ""))
    return None


def groups(client: RtClient, name: str) -> tuple[str, ...]:
    """As `TellsGroups.groups_of`."""
    try:
        found = _agent(client, name)
    except RemoteRejected:
        return ()
    return () if found is None else found.groups


def _agent(client: RtClient, name: str) -> Presser | None:
    user = client.find(f"/user/{segment(name)}") if name else None
    if user is None:
        return None
    groups = tuple(found for item in user.get("Memberships") or () if (found := _group(client, item)))
    return Presser(ref=name, name=str(user.get("RealName") or name), groups=groups)


def _group(client: RtClient, item: Mapping[str, Any]) -> str:
    """A group's name: RT tells memberships by number."""
    number = str(item.get("id") or "")
    if not number.isdecimal():
        return number
    try:
        return str((client.find(f"/group/{segment(number)}") or {}).get("Name") or "")
    except RemoteRejected:
        return ""
