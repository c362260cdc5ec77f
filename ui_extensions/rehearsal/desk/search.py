"""Finding tickets and users: conditions, which work in Zammad's database, and the plain LIKE that is left without Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ui_extensions.rehearsal.desk.attributes import columns_of
from ui_extensions.rehearsal.desk.refusals import NotSpoken, Refused
from ui_extensions.rehearsal.desk.rows import Ticket, User
from ui_extensions.rehearsal.desk.state import Desk, as_stamp

DEFAULT_LIMIT = 50
HIGHEST_LIMIT = 200


def matching(desk: Desk, condition: Mapping[str, Any]) -> set[int]:
    """Ids of the tickets that fit a condition: flat (`{"ticket.number": {"operator", "value"}}`) or a tree of `conditions`."""
    if "conditions" in condition:
        parts = [_part(desk, part) for part in condition["conditions"]]
        operator = condition.get("operator")
        if operator not in ("AND", "OR"):
            raise NotSpoken(f"condition operator {operator!r}")
    else:
        parts = [_leaf(desk, name, test.get("operator"), test.get("value")) for name, test in condition.items()]
        operator = "AND"
    if not parts:
        return set()
    return set.union(*parts) if operator == "OR" else set.intersection(*parts)


def containing(desk: Desk, words: str) -> set[int]:
    """Ids of the tickets that hold `words` in number, title or an article: plain LIKE, no field syntax."""
    like = words.lower()
    with desk.lock:
        found = {ticket.id for ticket in desk.all(Ticket) if like in ticket.number or like in ticket.title.lower()}
        for ticket in desk.all(Ticket):
            if any(like in article.body.lower() or like in article.sent_from.lower() for article in desk.articles_of(ticket.id)):
                found.add(ticket.id)
    return found


def page_of(tickets: Iterable[Ticket], *, sort_by: str, order_by: str, limit: int, page: int) -> list[Ticket]:
    """One page, by default the last changed first; never more than 200."""
    if sort_by not in ("updated_at", "created_at", "id", "number"):
        raise NotSpoken(f"sort_by={sort_by}")
    if order_by not in ("asc", "desc"):
        raise NotSpoken(f"order_by={order_by}")
    ordered = sorted(tickets, key=lambda ticket: (getattr(ticket, sort_by), ticket.id), reverse=order_by == "desc")
    size = min(limit, HIGHEST_LIMIT)
    return ordered[(page - 1) * size : page * size]


def users_like(desk: Desk, words: str) -> list[User]:
    """Users whose login, name or e-mail address holds `words`, oldest first. An empty query lists all."""
    like = words.strip().lower()
    texts = ((user, f"{user.login}\n{user.firstname}\n{user.lastname}\n{user.email}".lower()) for user in desk.all(User) if user.id != 1)
    return [user for user, text in texts if like in text]


def _part(desk: Desk, part: Mapping[str, Any]) -> set[int]:
    if "conditions" in part:
        return matching(desk, part)
    return _leaf(desk, part.get("name", ""), part.get("operator"), part.get("value"))


def _leaf(desk: Desk, name: str, operator: Any, value: Any) -> set[int]:
    values = [str(item) for item in (value if isinstance(value, list) else [value])]
    with desk.lock:
        if (name, operator) == ("ticket.updated_at", "after (absolute)"):
            return {ticket.id for ticket in desk.tickets_after(as_stamp(values[0]))}
        if operator not in ("is", "is any of"):
            raise NotSpoken(f"condition {name} {operator!r}")
        if name == "article.message_id":
            return {article.ticket_id for item in values for article in desk.articles_with(item)}
        if name == "customer.login":
            users = [desk.user_called(item) for item in values]
            return {ticket.id for user in users if user for ticket in desk.tickets_of(user.id)}
        if name == "ticket.customer_id":
            return {ticket.id for item in values for ticket in desk.tickets_of(int(item))}
        if name == "ticket.number":
            tickets = [desk.ticket_numbered(item) for item in values]
            return {ticket.id for ticket in tickets if ticket}
        if name.removeprefix("ticket.") in columns_of(desk, "Ticket"):
            column = name.removeprefix("ticket.")
            return {ticket.id for ticket in desk.all(Ticket) if str(ticket.custom.get(column) or "") in values}
    if name.startswith(("article.", "customer.")) or name in ("ticket.title", "ticket.tags"):
        raise NotSpoken(f"condition on {name}")
    raise Refused(422, "Invalid object selector conditions")
