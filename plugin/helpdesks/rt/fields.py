"""Custom fields of tickets: our own words for some of them, RT's names for the rest. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from plugin.helpdesks.rt import wording
from plugin.helpdesks.rt.client import field_values

_NAMES = {
    "stage": wording.STAGE_FIELD,
    "channel": wording.CHANNEL_FIELD,
    "platform": wording.PLATFORM_FIELD,
    "visibility": wording.VISIBILITY_FIELD,
    "action": wording.ACTION_FIELD,
    "reason": wording.REASON_FIELD,
    "sla": wording.SLA_FIELD,
    "type": wording.TYPE_FIELD,
    "due_at": "Due",
}
"""All but the last are custom fields of ours; *Due* is RT's own date."""
_NEVER = "1970-01-01 00:00:00"
"""What RT keeps for no date."""


def name_of(word: str) -> str:
    """RT's name of a field that goes by one of our words; other names are RT's already."""
    return _NAMES.get(word, word)


def is_ours(name: str) -> bool:
    """Whether a field is one of those that seed.pl makes: where they are missing, that is `doctor`'s to tell, and no error of a call."""
    return name in _NAMES.values()


def told(record: Mapping[str, Any], others: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The fields of a ticket, as `TicketState.fields` wants them; several values of one field go in lines."""
    there = {str(item.get("name")) for item in record.get("CustomFields") or ()}
    wanted = [*((word, name) for word, name in _NAMES.items() if name != "Due"), *((name, name) for name in others)]
    return tuple((word, "\n".join(value(record, name))) for word, name in wanted if name in there)


def has(record: Mapping[str, Any], name: str) -> bool:
    """Whether the ticket's queue has this field at all."""
    return any(item.get("name") == name for item in record.get("CustomFields") or ())


def value(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The values of a field that say something: RT keeps an emptied field as one empty value."""
    return tuple(text for text in field_values(record, name) if text)


def date(text: str) -> str:
    """A moment as RT's own dates want it: `2026-11-23 11:00:00`, UTC; nothing is RT's word for no date.

    Raises:
        ValueError: it is no moment.
    """
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if text else _NEVER


def due(record: Mapping[str, Any]) -> str:
    """RT's own date *Due* in the same form."""
    return date(str(record.get("Due") or ""))
