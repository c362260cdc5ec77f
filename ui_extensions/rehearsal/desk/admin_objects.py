"""The kinds of objects that an administrator makes, with the keys and defaults that Zammad 6.2 showed, and what it refuses about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ui_extensions.rehearsal.desk import triggers
from ui_extensions.rehearsal.desk.refusals import NotSpoken, Refused
from ui_extensions.rehearsal.desk.rows import AdminObject, User
from ui_extensions.rehearsal.desk.state import Desk

Check = Callable[[Desk, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Keys with their defaults in the order in which they are shown; `refuse` looks at a whole new or changed row."""

    keys: Mapping[str, Any]
    refuse: Check
    made: int = 201
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What Zammad adds by itself."""


def refuse_webhook(_desk: Desk, data: Mapping[str, Any]) -> None:
    """Only http and https; a name; no broken payload."""
    if not str(data.get("name") or ""):
        raise Refused(422, "Name can't be blank")
    if not str(data.get("endpoint") or "").startswith(("http://", "https://")):
        raise Refused(422, "Endpoint The provided endpoint is invalid, no http or https protocol was specified.")
    if data.get("customized_payload"):
        raise NotSpoken("a webhook with a payload of its own")


def refuse_macro(_desk: Desk, data: Mapping[str, Any]) -> None:
    """A note needs a subject."""
    note = data["perform"].get("article.note")
    if note is not None and not note.get("subject"):
        raise Refused(422, "Validation failed: Perform is invalid")


def refuse_condition(desk: Desk, data: Mapping[str, Any]) -> None:
    """Conditions must be on what exists."""
    triggers.check_condition(desk, data["condition"])


def refuse_columns(desk: Desk, data: Mapping[str, Any]) -> None:
    """As `refuse_condition`, for what has an order of its own as well."""
    refuse_condition(desk, data)
    if not data["role_ids"] or not data["view"].get("s"):
        raise NotSpoken("an overview without roles or columns")


def refuse_sla(desk: Desk, data: Mapping[str, Any]) -> None:
    """Needs a calendar that exists."""
    refuse_condition(desk, data)
    if data["calendar_id"] not in {row.id for row in desk.admin_objects("calendars")}:
        raise NotSpoken("a service level without calendar")


def refuse_nothing(_desk: Desk, _data: Mapping[str, Any]) -> None:
    """Takes everything, also what will do nothing."""


KINDS: Mapping[str, Kind] = {
    "roles": Kind(
        keys={"name": "", "preferences": {}, "default_at_signup": False, "active": True, "note": None, "permission_ids": []},
        refuse=refuse_nothing,
        extra={"knowledge_base_permission_ids": [], "group_ids": {}},
    ),
    "webhooks": Kind(
        keys={
            "name": "",
            "endpoint": "",
            "signature_token": None,
            "ssl_verify": True,
            "basic_auth_username": None,
            "basic_auth_password": None,
            "note": None,
            "pre_defined_webhook_type": None,
            "customized_payload": False,
            "custom_payload": None,
            "preferences": {},
            "active": True,
        },
        refuse=refuse_webhook,
    ),
    "core_workflows": Kind(
        keys={
            "name": "",
            "object": "",
            "preferences": {},
            "condition_saved": {},
            "condition_selected": {},
            "perform": {},
            "active": True,
            "stop_after_match": False,
            "changeable": True,
            "priority": 500,
        },
        refuse=refuse_nothing,
    ),
    "triggers": Kind(
        keys={
            "name": "",
            "condition": {},
            "perform": {},
            "disable_notification": True,
            "note": None,
            "activator": "action",
            "execution_condition_mode": "selective",
            "active": True,
        },
        refuse=triggers.check,
    ),
    "jobs": Kind(
        keys={
            "name": "",
            "timeplan": {},
            "object": "Ticket",
            "condition": {},
            "perform": {},
            "disable_notification": True,
            "note": None,
            "active": True,
        },
        refuse=refuse_condition,
        extra={"last_run_at": None, "next_run_at": None, "running": False, "processed": 0, "matching": 0, "pid": None},
    ),
    "macros": Kind(
        keys={"name": "", "perform": {}, "active": True, "ux_flow_next_up": "none", "note": None, "group_ids": []}, refuse=refuse_macro
    ),
    "overviews": Kind(
        keys={
            "name": "",
            "prio": 0,
            "condition": {},
            "order": {},
            "group_by": None,
            "group_direction": None,
            "organization_shared": False,
            "out_of_office": False,
            "view": {},
            "active": True,
            "role_ids": [],
            "user_ids": [],
        },
        refuse=refuse_columns,
    ),
    "text_modules": Kind(
        keys={"name": "", "keywords": "", "content": "", "note": None, "active": True, "group_ids": []}, refuse=refuse_nothing
    ),
    "calendars": Kind(
        keys={"name": "", "timezone": "", "business_hours": {}, "default": False, "ical_url": None, "public_holidays": {}},
        refuse=refuse_nothing,
        extra={"last_log": None, "last_sync": None},
    ),
    "slas": Kind(
        keys={
            "name": "",
            "calendar_id": None,
            "first_response_time": None,
            "response_time": None,
            "update_time": None,
            "solution_time": None,
            "condition": {},
        },
        refuse=refuse_sla,
        extra={"data": {}},
    ),
    "applications": Kind(
        keys={"name": "", "redirect_uri": "", "confidential": True},
        refuse=refuse_nothing,
        made=200,
        extra={"uid": "fake-uid", "secret": "fake-secret", "scopes": ""},
    ),
    "tag_list": Kind(keys={"name": ""}, refuse=refuse_nothing, made=200),
}


def refuse_deletion(desk: Desk, row: AdminObject) -> None:
    """What others refer to stays."""
    if row.kind == "webhooks":
        users = [
            f"{other.data['name']} (#{other.id})"
            for other in desk.admin_objects("triggers")
            if str(other.data["perform"].get("notification.webhook", {}).get("webhook_id")) == str(row.id)
        ]
        if users:
            raise Refused(422, f"Cannot delete! This webhook is referenced by Trigger: {', '.join(users)}")
    is_held = row.kind == "roles" and any(row.id in user.role_ids for user in desk.all(User))
    is_held = is_held or (row.kind == "calendars" and any(sla.data["calendar_id"] == row.id for sla in desk.admin_objects("slas")))
    if is_held:
        raise Refused(422, "Can't delete, object has references.")
