"""Core workflows as measured on 6.2: asked only when an agent saves a ticket by form or REST, on the ticket as it was saved before.

What is written in a wrong form is taken when it is made and does nothing then: ids as numbers, names for ids, no `operator`. An unknown
operator makes every save that it concerns fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ui_extensions.rehearsal.desk.refusals import NotSpoken, Refused, contact_administrator
from ui_extensions.rehearsal.desk.rows import Ticket, User
from ui_extensions.rehearsal.desk.state import Desk

KIND = "core_workflows"
_SHOWN_ONLY = frozenset(("hide", "set_readonly"))


def check(desk: Desk, ticket: Ticket, values: Mapping[str, Any], by: User) -> None:
    """Refuse a change that a workflow forbids to this user.

    Raises:
        Refused: 422; only administrators read why. 500 where a workflow cannot be understood.
    """
    before = {**_plain(ticket), **ticket.custom}
    after = {**before, **{name: value for name, value in values.items() if name != "custom"}, **values["custom"]}
    changed = {name for name, value in after.items() if before.get(name) != value}
    for row in sorted(desk.admin_objects(KIND), key=lambda row: (row.data["priority"], row.id)):
        flow = row.data
        if not flow["active"] or "edit" not in flow["preferences"].get("screen", ()):
            continue
        if _fits(flow["condition_saved"], before, by) and _fits(flow["condition_selected"], after, by):
            for name, action in flow["perform"].items():
                _perform(name.removeprefix("ticket."), action, after, changed, by)


def _perform(name: str, action: Mapping[str, Any], after: Mapping[str, Any], changed: set[str], by: User) -> None:
    operator = action.get("operator")
    value = "" if after.get(name) is None else str(after[name])
    match operator:
        case None:
            return
        case shown if shown in _SHOWN_ONLY:
            return
        case "remove_option":
            if value and name in changed and value in [item for item in action[operator] if isinstance(item, str)]:
                _refuse(name, value, by)
        case "set_fixed_to":
            fixed = [item for item in action[operator] if isinstance(item, str)]
            if fixed and value and name in changed and value not in fixed:
                _refuse(name, value, by)
        case "set_mandatory":
            if not value and action[operator] == "true":
                _refuse(name, value, by, words=f"Missing required value for field '{name}'!")
        case _:
            raise contact_administrator(500)


def _refuse(name: str, value: str, by: User, words: str = "") -> None:
    if by.is_admin:
        raise Refused(422, words or f"Invalid value '{value}' for field '{name}'!", opaque=True)
    raise contact_administrator()


def _fits(condition: Mapping[str, Any], facts: Mapping[str, Any], by: User) -> bool:
    return all(_is_so(name, test, facts, by) for name, test in condition.items())


def _is_so(name: str, test: Mapping[str, Any], facts: Mapping[str, Any], by: User) -> bool:
    wanted = {str(item) for item in test.get("value") or ()}
    if name == "session.role_ids":
        found = {str(key) for key in by.role_ids}
    elif name.startswith("ticket."):
        value = facts.get(name.removeprefix("ticket."))
        found = set() if value in (None, "") else {str(value)}
    else:
        raise NotSpoken(f"workflow condition on {name}")
    match test.get("operator"):
        case "is":
            return bool(found & wanted)
        case "is not":
            return not found & wanted
        case "is set":
            return bool(found)
        case "not set":
            return not found
        case operator:
            raise NotSpoken(f"workflow condition {operator!r}")


def _plain(ticket: Ticket) -> dict[str, Any]:
    names = ("title", "group_id", "state_id", "priority_id", "owner_id", "customer_id")
    return {name: getattr(ticket, name) for name in names}
