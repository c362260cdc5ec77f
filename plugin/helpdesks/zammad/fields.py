"""Our attributes on a ticket: their names there, what is written into them, and how they are put right when an old tab overwrote them.

An agent's browser saves the whole form, with whatever its tab held, the ticket's preferences included. Zammad merges preferences key by key,
so the truth goes into a new key with each change (`crossdesk_1`, `crossdesk_2`, ...): an old tab can only write old keys again, which
hold what they held. A server without our attributes ignores them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from plugin.domain.model import NewTicket
from plugin.helpdesks.zammad.reading import moment

_STAGE = "stage"
_NAMES = {
    _STAGE: "cd_state",
    **{
        name: f"cd_{name}"
        for name in (
            *("action", "reply_as", "reason", "channel", "visibility", "thread", "author", "followers", "due_at", "lock"),
            *("approval", "delivery", "panel", "sla", "type"),
        )
    },
}
AGENTS_OWN = frozenset(("cd_action", "cd_reply_as", "cd_reason"))
"""What agents fill in. Everything else of ours is the bridge's."""
_NO_TEXT = frozenset(("cd_followers", "cd_due_at"))
_TRUTH = re.compile(r"crossdesk_([0-9]{1,9})")
_LONGEST = {"cd_thread": 500, "cd_reason": 500}


def of_new(ticket: NewTicket) -> dict[str, Any]:
    """The attributes of a new ticket."""
    contact, url = ticket.contact, ticket.article.source_url
    handle = f"@{contact.handle}" if contact.handle else ""
    values: dict[str, str] = {
        _STAGE: ticket.stage.value,
        "channel": ticket.channel,
        "visibility": ticket.visibility.value,
        "thread": url if url.startswith(("https://", "http://")) and len(url) <= _LONGEST["cd_thread"] else "",
        "author": " ".join(part for part in (contact.display_name, handle) if part) or contact.ref,
        "followers": "" if contact.followers is None else str(min(contact.followers, 999_999_999)),
        "reply_as": ticket.visibility.value,
        "panel": "Open panel",
    }
    return columns({**values, **dict(ticket.fields)}.items())


def columns(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Fields by our names as attributes with the values that Zammad takes. Other names go as they are."""
    found: dict[str, Any] = {}
    for name, value in fields:
        column = _NAMES.get(name, name)
        found[column] = _taken(column, value) if column in _NAMES.values() else value
    return found


def told(ticket: Mapping[str, Any], others: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The fields of a ticket, as `TicketState.fields` wants them."""
    names = [(name, column) for name, column in _NAMES.items() if column in ticket]
    names += [(name, name) for name in others if name in ticket]
    return tuple((name, _text(ticket[column])) for name, column in names)


def unknown(ticket: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Attributes that this server does not have although somebody asked for them. Ours are no error: not every server is set up."""
    return sorted(name for name in wanted if name not in ticket and name not in _NAMES.values())


def remembered(ticket: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Preferences that hold the truth after `changes`; empty where nothing of the bridge's own changes."""
    number, truth = _newest(ticket)
    ours = {name: value for name, value in changes.items() if name in _NAMES.values() and name not in AGENTS_OWN}
    return {f"crossdesk_{number + 1}": {**truth, **ours}} if ours.items() - truth.items() else {}


def overwritten(ticket: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody else wrote into the bridge's own attributes, with the values that belong there."""
    truth = _newest(ticket)[1]
    return {name: value for name, value in truth.items() if name in ticket and not _same(ticket[name], value)}


def inherited(former: Mapping[str, Any], ticket: Mapping[str, Any]) -> dict[str, Any]:
    """What a ticket must be given into which a bridged one was merged; empty where it has its own, or the server no attributes."""
    truth = _newest(former)[1]
    if not truth or _newest(ticket)[0] or "cd_state" not in ticket:
        return {}
    return {**truth, "preferences": remembered(ticket, truth)}


def _newest(ticket: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    preferences = ticket.get("preferences")
    found = [
        (int(match[1]), value) for key, value in (preferences or {}).items() if (match := _TRUTH.fullmatch(key)) and isinstance(value, dict)
    ]
    return max(found, key=lambda pair: pair[0], default=(0, {}))


def _taken(column: str, value: str) -> str | None:
    """A value as Zammad takes it: times in UTC, texts no longer than their column, nothing as null where there is no empty text."""
    if column in _NO_TEXT and not value:
        return None
    at = moment(value) if column == "cd_due_at" else None
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else value[: _LONGEST.get(column, 255)]


def _same(found: Any, wanted: Any) -> bool:
    first, second = moment(found), moment(wanted)
    return first == second if first and second else _text(found) == _text(wanted)


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
