"""The person behind a ticket: who they are, their accounts where that was proved, all their conversations, and what colleagues noted of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from plugin.domain.codec import decode
from plugin.domain.ids import Place
from plugin.domain.model import Contact
from plugin.handlers.installation import Installation
from plugin.store import panels, person_notes, persons
from ui_extensions.panel.thread import Eyes, in_json


def shown(connection: Connection, installation: Installation, found: Sequence[Row[Any]], eyes: Eyes) -> dict[str, Any] | None:
    """The person of these conversations, of which the first leads; None where the platform told nothing of them."""
    lead = found[0]
    if lead.profile is None:
        return None
    contact = decode(Contact, lead.profile)
    known = {row.contact_id: row for row in found if row.contact_id is not None}
    members = persons.members(connection, sorted(known))
    ids = [row.id for row in members]
    others = panels.of_contacts(connection, ids)
    written = person_notes.of_contacts(connection, ids)
    return {
        "name": contact.display_name or contact.handle or contact.ref,
        "handle": contact.handle,
        "url": contact.url if contact.url.lower().startswith(("https://", "http://")) else "",
        "avatar": eyes.avatar_address(lead.contact_id) if contact.avatar_url else None,
        "followers": contact.followers,
        "since": in_json(contact.created_at),
        "verified": contact.is_verified,
        "bot": contact.is_bot,
        "language": contact.language,
        "trust": "scam" if lead.is_scam else "normal",
        "tags": sorted({row.words for row in written if row.kind == "tag"}),
        "notes": [{"text": row.words, "by": row.actor, "at": in_json(row.created_at)} for row in written if row.kind == "note"],
        "identities": [_identity(installation, row, is_here=row.id in known) for row in members],
        "conversations": [_other(installation, row, lead) for row in others],
    }


def _identity(installation: Installation, row: Row[Any], *, is_here: bool) -> dict[str, Any]:
    contact = decode(Contact, row.profile)
    return {
        "network": _network(installation, row.place),
        "handle": contact.handle or contact.ref,
        "proof": "platform" if is_here else "word",
    }


def _other(installation: Installation, row: Row[Any], lead: Row[Any]) -> dict[str, Any]:
    is_here = row.helpdesk == lead.helpdesk
    return {
        "id": row.id,
        "network": _network(installation, row.place),
        "visibility": row.visibility,
        "stage": row.stage,
        "scam": row.is_scam,
        "ticket_ref": row.ticket_ref if is_here else None,
        "ticket_number": row.ticket_number or "",
        "ticket_url": row.ticket_url if row.ticket_url.lower().startswith(("https://", "http://")) else "",
        "closed": row.ticket_closed,
        "last_at": in_json(row.last_at),
        "current": is_here and row.ticket_ref == lead.ticket_ref,
    }


def _network(installation: Installation, place: str) -> str:
    channel = installation.channels.get(Place(place))
    return channel.platform_name if channel is not None else place.partition(":")[2]
