"""Triggers that administrators make, as far as the bridge uses them: flat conditions on tickets and articles, one webhook each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ui_extensions.rehearsal.desk.attributes import columns_of
from ui_extensions.rehearsal.desk.changes import Change
from ui_extensions.rehearsal.desk.refusals import NotSpoken, Refused
from ui_extensions.rehearsal.desk.rows import AdminObject
from ui_extensions.rehearsal.desk.state import Desk

KIND = "triggers"
_ARTICLE = frozenset(("action", "sender_id", "internal", "created_by_id", "type_id"))
_TICKET = frozenset(("action", "state_id", "owner_id", "group_id", "customer_id", "priority_id", "tags", "pending_time"))
_OPERATORS = frozenset(("is", "is not", "has changed", "contains one", "has reached", "before (relative)"))


def check(desk: Desk, data: Mapping[str, Any]) -> None:
    """Refuse what Zammad refuses: no condition, or one on what does not exist. That the webhook does not exist, it does not see."""
    condition = data.get("condition")
    if not condition:
        raise Refused(422, "Attribute 'condition\" of relation \"triggers' required!")
    check_condition(desk, condition)
    if set(data.get("perform", ())) - {"notification.webhook"}:
        raise NotSpoken("a trigger that does more than tell a webhook")


def check_condition(desk: Desk, condition: Mapping[str, Any]) -> None:
    """Refuse a condition on what does not exist."""
    if "conditions" in condition:
        raise NotSpoken("a condition as a tree in an administrator's object")
    for name, test in condition.items():
        owner, _, column = name.partition(".")
        known = _ARTICLE if owner == "article" else _TICKET | frozenset(columns_of(desk, "Ticket")) if owner == "ticket" else frozenset()
        if column not in known:
            raise Refused(422, "Invalid object selector conditions")
        if test.get("operator") not in _OPERATORS:
            raise NotSpoken(f"condition {name} {test.get('operator')!r}")


def webhook_of(row: AdminObject, change: Change) -> int | None:
    """The webhook that this trigger tells of the change, or None."""
    data = row.data
    if not data["active"] or data.get("activator", "action") != "action":
        return None
    condition: Mapping[str, Any] = data["condition"]
    if not all(_is_so(name, test, change) for name, test in condition.items()):
        return None
    names = {name.partition(".")[2] for name in condition if name.startswith("ticket.")}
    concerns_article = change.article is not None and any(name.startswith("article.") for name in condition)
    if data.get("execution_condition_mode") == "selective" and not (change.is_new or concerns_article or change.changed & names):
        return None
    webhook = data["perform"].get("notification.webhook", {}).get("webhook_id", "")
    return int(webhook) if re.fullmatch(r"\d+", str(webhook)) else None


def _is_so(name: str, test: Mapping[str, Any], change: Change) -> bool:
    owner, _, column = name.partition(".")
    operator, value = test["operator"], test.get("value")
    wanted = {str(item) for item in (value if isinstance(value, list) else [value])}
    if operator == "has changed":
        return not change.is_new and column in change.changed
    if owner == "article":
        if change.article is None:
            return False
        found = {"create"} if column == "action" else {str(getattr(change.article, column)).lower()}
    elif column == "action":
        found = {"create" if change.is_new else "update"}
    elif column == "tags":
        found = set(change.ticket.tags)
    else:
        held = change.ticket.custom.get(column) if column in change.ticket.custom else getattr(change.ticket, column, None)
        found = set() if held in (None, "") else {str(held)}
    return not found & wanted if operator == "is not" else bool(found & wanted)
