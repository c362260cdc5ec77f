"""What Zammad does to tickets: defaults, owners that are quietly dropped, merges that leave a dead ticket behind, tags and links.

Every function here runs inside `desk.writing()`. Knows nothing of HTTP; refusals are in Zammad's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ui_extensions.rehearsal.desk.articles import add_article
from ui_extensions.rehearsal.desk.attributes import defaults_of
from ui_extensions.rehearsal.desk.refusals import Refused, contact_administrator
from ui_extensions.rehearsal.desk.rows import (
    AGENT,
    CLOSED,
    MERGED,
    NEW,
    NOBODY,
    NOTE,
    PENDING_CLOSE,
    PENDING_REMINDER,
    Group,
    Link,
    Ticket,
    User,
)
from ui_extensions.rehearsal.desk.state import Desk, later

_FIRST_NUMBER = 16000
_CHANGES = ("title", "group_id", "state_id", "priority_id", "owner_id", "customer_id", "pending_time", "note")


def create_ticket(desk: Desk, data: Mapping[str, Any], by: User) -> Ticket:
    """A new ticket without its article. `data` holds ids; the ticket is one transaction: what is refused leaves nothing."""
    if not str(data.get("title") or "").strip():
        raise contact_administrator()
    state_id = data.get("state_id") or NEW
    _check_pending(state_id, data.get("pending_time"))
    now = later()
    key = desk.new_id(Ticket)
    ticket = Ticket(
        id=key,
        number=str(_FIRST_NUMBER + key),
        title=str(data["title"])[:250],
        group_id=data["group_id"],
        customer_id=data["customer_id"],
        state_id=state_id,
        priority_id=data.get("priority_id") or 2,
        owner_id=_owner(desk, data.get("owner_id"), data["group_id"]),
        note=data.get("note"),
        preferences=dict(data.get("preferences") or {}),
        tags=[tag.strip() for tag in str(data.get("tags") or "").split(",") if tag.strip()],
        custom={**defaults_of(desk, "Ticket"), **(data.get("custom") or {})},
        pending_time=data.get("pending_time"),
        created_by_id=by.id,
        updated_by_id=by.id,
        created_at=now,
        updated_at=now,
    )
    if state_id == CLOSED:
        ticket.close_at = ticket.last_close_at = now
    desk.put(ticket)
    desk.log(ticket, by, type="created", object="Ticket", o_id=ticket.id)
    return ticket


def change_ticket(desk: Desk, ticket: Ticket, data: Mapping[str, Any], by: User) -> set[str]:
    """Change a ticket's own data; the names of what changed. An owner who is no agent of the group becomes nobody, silently."""
    state_id = data.get("state_id", ticket.state_id)
    if state_id != ticket.state_id:
        if state_id == NEW:
            raise contact_administrator()
        _check_pending(state_id, data.get("pending_time"))
    changed: set[str] = set()
    for name in _CHANGES:
        if name not in data:
            continue
        value = data[name]
        if name == "owner_id":
            value = _owner(desk, value, data.get("group_id", ticket.group_id))
        if name == "title":
            value = str(value)[:250]
        before = getattr(ticket, name)
        if before != value:
            changed.add(name)
            setattr(ticket, name, value)
            facts = {"value_from": str(before), "value_to": str(value), "attribute": name.removesuffix("_id")}
            desk.log(ticket, by, type="updated", object="Ticket", o_id=ticket.id, **facts)
    for name, value in (data.get("custom") or {}).items():
        if ticket.custom.get(name) != value:
            changed.add(name)
            facts = {"value_from": str(ticket.custom.get(name) or ""), "value_to": str(value or ""), "attribute": name}
            ticket.custom = {**ticket.custom, name: value}
            desk.log(ticket, by, type="updated", object="Ticket", o_id=ticket.id, **facts)
    for name in ("first_response_at", "first_response_in_min", "first_response_diff_in_min"):
        if name in data:
            setattr(ticket, name, data[name])
            changed.add(name)
    if data.get("preferences"):
        ticket.preferences = {**ticket.preferences, **data["preferences"]}
        changed.add("preferences")
    now = later(ticket.updated_at)
    if "state_id" in changed and ticket.state_id == CLOSED:
        ticket.close_at, ticket.last_close_at = ticket.close_at or now, now
    if "state_id" in changed and ticket.state_id not in (PENDING_REMINDER, PENDING_CLOSE):
        ticket.pending_time = None
    if "owner_id" in changed:
        ticket.last_owner_update_at = now
    if changed or ticket.updated_by_id != by.id:
        ticket.updated_by_id, ticket.updated_at = by.id, now
        desk.put(ticket)
    return changed


def merge(desk: Desk, source: Ticket, target: Ticket, by: User) -> None:
    """Move the articles, leave the public note `merged` and a link behind, and keep the source as a ticket where nobody looks."""
    if source.id == target.id:
        raise Refused(422, "A ticket cannot be merged into itself.")
    for article in desk.articles_of(source.id):
        article.ticket_id = target.id
        desk.put(article)
    for link in desk.links_of(source.id):
        desk.remove(link)
        link.source_id = target.id if link.source_id == source.id else link.source_id
        link.target_id = target.id if link.target_id == source.id else link.target_id
        desk.put(link)
    add_link(desk, "parent", source=target, target=source)
    source.state_id, source.owner_id = MERGED, NOBODY
    add_article(desk, source, {"body": "merged", "type_id": NOTE, "sender_id": AGENT}, by)
    target.updated_by_id, target.updated_at = by.id, later(target.updated_at)
    desk.put(target)
    desk.log(source, by, type="merged_into", object="Ticket", o_id=source.id, id_to=target.id, id_from=source.id)
    desk.log(target, by, type="received_merge", object="Ticket", o_id=target.id, id_to=target.id, id_from=source.id)


def add_link(desk: Desk, kind: str, *, source: Ticket, target: Ticket) -> Link:
    """Link two tickets."""
    link = Link(id=desk.new_id(Link), kind=kind, source_id=source.id, target_id=target.id, created_at=later())
    desk.put(link)
    return link


def set_tag(desk: Desk, ticket: Ticket, tag: str, by: User, *, present: bool) -> None:
    """Add or remove a tag; doing it twice is fine. The ticket's time moves."""
    if (tag in ticket.tags) == present:
        return
    ticket.tags = [*ticket.tags, tag] if present else [kept for kept in ticket.tags if kept != tag]
    desk.log(ticket, by, type="added" if present else "removed", object="Ticket", o_id=ticket.id, attribute="tag", value_to=tag)
    ticket.updated_at = later(ticket.updated_at)
    desk.put(ticket)


def delete_ticket(desk: Desk, ticket: Ticket) -> None:
    """Remove a ticket with everything in it."""
    for article in desk.articles_of(ticket.id):
        desk.remove(article)
    for link in desk.links_of(ticket.id):
        desk.remove(link)
    desk.remove(ticket)


def _check_pending(state_id: int, pending_time: str | None) -> None:
    if state_id in (PENDING_REMINDER, PENDING_CLOSE) and not pending_time:
        raise contact_administrator()


def _owner(desk: Desk, owner_id: int | None, group_id: int) -> int:
    owner = desk.get(User, owner_id)
    return owner.id if owner is not None and owner.is_agent and owner.group_ids.get(group_id) else NOBODY


def add_group(desk: Desk, name: str) -> Group:
    """A group, made once."""
    group = desk.group_called(name)
    if group is None:
        group = Group(id=desk.new_id(Group), name=name, created_at=later())
        desk.put(group)
    return group
