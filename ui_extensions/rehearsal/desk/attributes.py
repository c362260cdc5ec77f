"""Attributes that an administrator adds to tickets and users: in the list at once, columns only after the migration, and what values they take.

Every function that changes something runs inside `desk.writing()`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ui_extensions.rehearsal.desk.refusals import NotSpoken, Refused
from ui_extensions.rehearsal.desk.rows import AdminObject
from ui_extensions.rehearsal.desk.state import Desk, as_stamp, later

KIND = "object_manager_attributes"
_LOOKUPS = {"Ticket": 1, "User": 3}
_TYPES = frozenset(("input", "select", "boolean", "integer", "datetime"))
_NAME = re.compile(r"[a-z0-9_]+")
_COLUMNS = frozenset(("number", "title", "type", "note", "state_id", "group_id", "owner_id", "priority_id", "preferences", "tags"))
_GIVEN = ("name", "display", "data_type", "data_option", "active", "screens", "position")


def names_of(desk: Desk, owner: str) -> frozenset[str]:
    """All attributes of tickets or users, with or without a column."""
    return frozenset(row.data["name"] for row in _of(desk, owner))


def columns_of(desk: Desk, owner: str) -> tuple[str, ...]:
    """Those that the database has taken in."""
    return tuple(row.data["name"] for row in _of(desk, owner) if not row.data["to_create"])


def defaults_of(desk: Desk, owner: str) -> dict[str, Any]:
    """What a new row holds."""
    return {row.data["name"]: row.data["data_option"].get("default") for row in _of(desk, owner) if not row.data["to_create"]}


def custom_values(desk: Desk, owner: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The values in `data` that have a column. What has none is ignored without a word; options are not checked, lengths are."""
    values = {}
    for row in _of(desk, owner):
        name, option = row.data["name"], row.data["data_option"]
        if name not in data or row.data["to_create"]:
            continue
        value = data[name]
        longest = option.get("maxlength")
        if isinstance(value, str) and longest and len(value) > longest:
            raise Refused(422, f"{row.data['display']} is longer than the allowed length {longest}")
        values[name] = as_stamp(value) if row.data["data_type"] == "datetime" and value else value
    return values


def add(desk: Desk, data: Mapping[str, Any], by: int) -> AdminObject:
    """A new attribute, without column yet."""
    owner, name = str(data.get("object")), str(data.get("name"))
    if owner == "TicketArticle":
        words = "uninitialized constant TicketArticle\n\n      Object.const_get(camel_cased_word)\n            ^^^^^^^^^^\nDid you mean?  TicketStats"
        raise Refused(422, words)
    if owner not in _LOOKUPS or data.get("data_type") not in _TYPES:
        raise NotSpoken(f"an attribute of type {data.get('data_type')} on {owner}")
    if name.endswith(("_id", "_ids")):
        raise Refused(422, "Validation failed: Name can't be used because *_id and *_ids are not allowed")
    if not _NAME.fullmatch(name):
        raise Refused(422, "Validation failed: Name only lowercase letters, numbers, and '_' are allowed")
    if name in _COLUMNS or name in names_of(desk, owner):
        raise Refused(422, "This object already exists.")
    now = later()
    row = {
        "object_lookup_id": _LOOKUPS[owner],
        **{key: data.get(key) for key in _GIVEN},
        "data_option": {
            **data["data_option"],
            "options": data["data_option"].get("options", {}),
            "relation": data["data_option"].get("relation", ""),
        },
        "data_option_new": {},
        "editable": True,
        "to_create": True,
        "to_migrate": True,
        "to_delete": False,
        "to_config": False,
        "created_by_id": by,
        "updated_by_id": by,
        "created_at": now,
        "updated_at": now,
        "owner": owner,
    }
    made = AdminObject(id=desk.new_id(AdminObject), kind=KIND, data=row)
    desk.put(made)
    return made


def change(desk: Desk, row: AdminObject, data: Mapping[str, Any]) -> None:
    """Change one. New options wait for the migration."""
    row.data |= {key: data[key] for key in ("display", "active", "screens", "position") if key in data}
    if data.get("data_option") not in (None, row.data["data_option"]):
        row.data["data_option_new"] = {**data["data_option"]}
    row.data |= {"to_config": True, "updated_at": later(row.data["updated_at"])}
    desk.put(row)


def delete(desk: Desk, row: AdminObject) -> None:
    """Mark one for deletion; one without column is gone at once."""
    if row.data["to_create"]:
        desk.remove(row)
        return
    row.data["to_delete"] = True
    desk.put(row)


def migrate(desk: Desk) -> None:
    """Let the database take in what is new, changed or to be deleted."""
    for row in desk.admin_objects(KIND):
        if row.data["to_delete"]:
            desk.remove(row)
            continue
        if row.data["data_option_new"]:
            row.data |= {"data_option": row.data["data_option_new"], "data_option_new": {}}
        row.data |= {"to_create": False, "to_migrate": False, "to_config": False}
        desk.put(row)


def shown(row: AdminObject, *, in_list: bool) -> dict[str, Any]:
    """As the API shows one; the list says to what it belongs."""
    data = {"id": row.id, **{key: value for key, value in row.data.items() if key != "owner"}}
    if not in_list:
        return data
    return {**{key: value for key, value in data.items() if key != "object_lookup_id"}, "object": row.data["owner"], "deletable": True}


def _of(desk: Desk, owner: str) -> list[AdminObject]:
    return [row for row in desk.admin_objects(KIND) if row.data["owner"] == owner]
