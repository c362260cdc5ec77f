"""What Zammad does to users on their way in: names cut, logins lower-cased, and a digit added to a login that exists, silently.

Every function here runs inside `desk.writing()`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

import nh3

from ui_extensions.rehearsal.desk.refusals import Refused
from ui_extensions.rehearsal.desk.rows import User
from ui_extensions.rehearsal.desk.state import Desk, later

_SCHEME = re.compile(r"https?://", re.IGNORECASE)


def create_user(desk: Desk, data: Mapping[str, Any], by: User) -> User:
    """A new customer. A login that exists is not refused: a digit is added to the new one, silently."""
    email = str(data.get("email") or "").strip().lower()
    if email and "@" not in email:
        raise Refused(422, f"Invalid email '{email}'")
    if email and desk.user_with_email(email):
        raise Refused(422, f"Email address '{email}' is already used for another user.")
    login = (str(data.get("login") or "") or email or f"auto-{uuid.uuid4()}").strip().lower()[:255]
    suffix = ""
    while desk.user_called(login + suffix):
        suffix = str(int(suffix or 0) + 1)
    now = later()
    user = User(
        id=desk.new_id(User),
        login=login + suffix,
        firstname=_name(data.get("firstname")),
        lastname=_name(data.get("lastname")),
        email=email,
        web=str(data.get("web") or ""),
        phone=str(data.get("phone") or ""),
        mobile=str(data.get("mobile") or ""),
        note=nh3.clean(str(data.get("note") or "")),
        active=bool(data.get("active", True)),
        source=data.get("source"),
        image_source=data.get("image_source"),
        preferences=dict(data.get("preferences") or {}),
        created_by_id=by.id,
        updated_by_id=by.id,
        created_at=now,
        updated_at=now,
    )
    desk.put(user)
    return user


def change_user(desk: Desk, user: User, data: Mapping[str, Any], by: User) -> None:
    """Change a user's record. Roles and groups sent by an agent are ignored, without a word."""
    for key in ("firstname", "lastname"):
        if key in data:
            setattr(user, key, _name(data[key]))
    for key in ("web", "phone", "mobile", "active"):
        if key in data:
            setattr(user, key, data[key])
    if "note" in data:
        user.note = nh3.clean(str(data["note"] or ""))
    if by.is_admin:
        user.role_ids = [int(key) for key in data.get("role_ids", user.role_ids)]
        if "group_ids" in data:
            user.group_ids = {int(key): list(rights) for key, rights in data["group_ids"].items()}
    user.updated_by_id = by.id
    user.updated_at = later(user.updated_at)
    desk.put(user)


def find_or_create_customer(desk: Desk, data: Mapping[str, Any], by: User) -> User:
    """The one idempotent "find or create" of the API: by id, e-mail or login; a found user is not changed."""
    found = (
        desk.get(User, data.get("id"))
        or desk.user_with_email(str(data.get("email") or ""))
        or desk.user_called(str(data.get("login") or ""))
    )
    return found or create_user(desk, data, by)


def _name(value: Any) -> str:
    return _SCHEME.sub("", str(value or "")).strip()[:100]
