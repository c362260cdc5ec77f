"""Reading requests strictly: who asks, which parameters there are, and names turned into ids as Zammad does it."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from typing import Any

from flask import request

from ui_extensions.rehearsal.desk.attributes import custom_values, names_of
from ui_extensions.rehearsal.desk.people import find_or_create_customer
from ui_extensions.rehearsal.desk.refusals import NotSpoken, Refused
from ui_extensions.rehearsal.desk.rows import PRIORITIES, SENDERS, STATES, TYPES, Article, Group, Ticket, User
from ui_extensions.rehearsal.desk.state import Desk, as_stamp

_NAMED = {"state": STATES, "priority": PRIORITIES, "type": TYPES, "sender": SENDERS}
_BEHALF = ("From", "X-On-Behalf-Of")
TICKET_KEYS = frozenset(
    (
        "title",
        "group",
        "group_id",
        "customer",
        "customer_id",
        "state",
        "state_id",
        "priority",
        "priority_id",
        "owner",
        "owner_id",
        "note",
        "preferences",
        "pending_time",
        "tags",
        "article",
        "first_response_at",
        "first_response_in_min",
        "first_response_diff_in_min",
        "updated_at",
    )
)
ARTICLE_KEYS = frozenset(
    (
        "ticket_id",
        "type",
        "type_id",
        "sender",
        "sender_id",
        "internal",
        "body",
        "content_type",
        "subject",
        "from",
        "to",
        "cc",
        "reply_to",
        "message_id",
        "in_reply_to",
        "references",
        "origin_by",
        "origin_by_id",
        "preferences",
        "attachments",
        "created_at",
        "subtype",
        "time_unit",
        "form_id",
    )
)
USER_KEYS = frozenset(
    (
        "login",
        "firstname",
        "lastname",
        "email",
        "web",
        "phone",
        "mobile",
        "note",
        "active",
        "source",
        "image_source",
        "preferences",
        "roles",
        "role_ids",
        "group_ids",
    )
)


def asking_user(desk: Desk, tokens: Mapping[str, str], passwords: Mapping[str, str]) -> User:
    """Who asks, by access token, or by login and password.

    Raises:
        Refused: 403 without credentials, 401 with a wrong token or password.
    """
    kind, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if kind == "Basic":
        return _user_by_password(desk, passwords)
    if not credentials:
        raise Refused(403, "Authentication required")
    login = tokens.get(credentials.strip().removeprefix("token="))
    user = desk.user_called(login) if login else None
    if user is None:
        raise Refused(401, "Can't find User for Token")
    if any(header in request.headers for header in _BEHALF):
        if not user.is_admin:
            raise Refused(403, "Current user has no permission to use 'From'/'X-On-Behalf-Of'!")
        raise NotSpoken("acting on behalf of somebody")
    return user


def _user_by_password(desk: Desk, passwords: Mapping[str, str]) -> User:
    given = request.authorization
    login = str(given.username or "").lower() if given is not None else ""
    right = passwords.get(login)
    user = desk.user_called(login)
    if right is None or user is None or given is None or not hmac.compare_digest(str(given.password).encode(), right.encode()):
        raise Refused(401, "Invalid BasicAuth credentials")
    return user


def asked(*allowed: str) -> dict[str, str]:
    """The query parameters, which must all be known ones."""
    unknown = request.args.keys() - set(allowed)
    if unknown:
        raise NotSpoken(f"parameters {', '.join(sorted(unknown))}")
    return dict(request.args)


def sent(allowed: frozenset[str]) -> dict[str, Any]:
    """The body's JSON object, which must hold known keys only. What cannot be read is a 500, as there."""
    if not request.get_data():
        return {}
    if request.mimetype != "application/json":
        raise NotSpoken(f"a body of type {request.mimetype}")
    try:
        data = json.loads(request.get_data())
    except ValueError:
        raise Refused(500, "Error occurred while parsing request parameters", opaque=True) from None
    return known(data, allowed)


def known(data: Any, allowed: frozenset[str]) -> dict[str, Any]:
    """`data` as an object with known keys only."""
    if not isinstance(data, dict):
        raise NotSpoken("a body that is no object")
    unknown = data.keys() - allowed
    if unknown:
        raise NotSpoken(f"keys {', '.join(sorted(unknown))}")
    return data


def sent_ticket(desk: Desk) -> dict[str, Any]:
    """As `sent`, for a ticket: with the attributes that an administrator added, also those whose columns are not there yet."""
    ours = frozenset(name for name in (request.get_json(silent=True) or {}) if str(name).startswith("cd_"))
    return sent(TICKET_KEYS | ours | names_of(desk, "Ticket"))


def ticket_values(desk: Desk, data: Mapping[str, Any], by: User, *, is_new: bool) -> dict[str, Any]:
    """A ticket's values with every name turned into an id; a customer given as an object is found or made.

    Raises:
        Refused: a name that nobody has, or a missing group or customer.
    """
    values = {key: value for key, value in data.items() if key in TICKET_KEYS and key not in ("article", "updated_at")}
    values["custom"] = custom_values(desk, "Ticket", data)
    for name in ("state", "priority"):
        _resolve(values, name)
    if "group" in values:
        name = values.pop("group")
        group = desk.group_called(name)
        if group is None:
            raise Refused(422, f"No lookup value found for 'group': {json.dumps(name, ensure_ascii=False)}")
        values["group_id"] = group.id
    if "group_id" in values:
        values["group_id"] = _row_id(desk, Group, values["group_id"], "group_id")
    elif is_new:
        raise Refused(422, "The required value 'group_id' is missing.")
    if "owner" in values:
        values["owner_id"] = _user_id(desk, "owner", values.pop("owner"))
    if is_new and not str(values.get("title") or "").strip():
        return values
    customer = values.pop("customer", None)
    if isinstance(customer, Mapping):
        values["customer_id"] = find_or_create_customer(desk, known(customer, USER_KEYS | {"id"}), by).id
    elif customer is not None:
        values["customer_id"] = _user_id(desk, "customer", customer)
    elif str(values.get("customer_id") or "").startswith("guess:"):
        raise NotSpoken("customer_id with guess:")
    if "customer_id" in values:
        values["customer_id"] = _row_id(desk, User, values["customer_id"], "customer_id")
    elif is_new:
        raise Refused(422, "Missing required value for field 'customer_id'!", opaque=True)
    if not is_new:
        values.pop("tags", None)
    if values.get("pending_time"):
        values["pending_time"] = as_stamp(values["pending_time"])
    return values


def article_values(desk: Desk, data: Any) -> dict[str, Any]:
    """An article's values with names turned into ids and files decoded; all that is checked before anything is stored."""
    values = known(data, ARTICLE_KEYS).copy()
    for name in ("type", "sender"):
        _resolve(values, name)
    if values.get("origin_by") is not None:
        values["origin_by_id"] = _user_id(desk, "origin_by", values.pop("origin_by"))
    if values.get("origin_by_id") is not None:
        values["origin_by_id"] = _row_id(desk, User, values["origin_by_id"], "origin_by_id")
    if not str(values.get("body") or "").replace("\0", ""):
        raise Refused(422, "Need at least an 'article body' field.")
    if isinstance(values.get("references"), list):
        values["references"] = json.dumps(values["references"])
    if values.get("subtype"):
        values["preferences"] = {**(values.get("preferences") or {}), "subtype": values["subtype"]}
    values["files"] = [_file(index, entry) for index, entry in enumerate(values.pop("attachments", None) or [])]
    return values


def refuse_unless(condition: object, error: str = "Not authorized", status: int = 403) -> None:
    """Refuse in Zammad's words."""
    if not condition:
        raise Refused(status, error)


def the_ticket(desk: Desk, key: int, by: User) -> Ticket:
    """The ticket, for staff with a right in its group."""
    ticket = desk.get(Ticket, key)
    if ticket is None:
        raise Refused(404, f"Couldn't find Ticket with 'id'={key}")
    refuse_unless(may_read(ticket, by))
    return ticket


def may_read(ticket: Ticket, by: User) -> bool:
    """Whether the user is staff with a right in the ticket's group."""
    return by.is_agent and bool(by.group_ids.get(ticket.group_id))


def the_row(desk: Desk, kind: type[Any], key: int) -> Any:
    """The row of this id, or a 404 in Zammad's words."""
    row = desk.get(kind, key)
    if row is None:
        name = "Ticket::Article" if kind is Article else kind.__name__
        raise Refused(404, f"Couldn't find {name} with 'id'={key}")
    return row


def refuse_time_unit(values: Mapping[str, Any]) -> None:
    """A refused `time_unit` comes after the article was stored: an error answer does not prove that nothing happened."""
    refuse_unless(not values.get("time_unit"), "Not authorized (Time Accounting is not enabled)!")


def _resolve(values: dict[str, Any], name: str) -> None:
    ids = {word: key for key, word in _NAMED[name].items()}
    if values.get(name) is not None:
        word = values.pop(name)
        if word not in ids:
            raise Refused(422, f"No lookup value found for '{name}': {json.dumps(word, ensure_ascii=False)}")
        values[f"{name}_id"] = ids[word]
    elif f"{name}_id" in values:
        key = int(values[f"{name}_id"])
        if key not in _NAMED[name]:
            raise Refused(422, f"Invalid value '{key}' for field '{name}_id'!")
        values[f"{name}_id"] = key


def _user_id(desk: Desk, name: str, login: Any) -> int:
    user = desk.user_called(str(login)) or desk.user_with_email(str(login))
    if user is None:
        raise Refused(422, f"No lookup value found for '{name}': {json.dumps(login, ensure_ascii=False)}")
    return user.id


def _row_id(desk: Desk, kind: type[User | Group], value: Any, name: str) -> int:
    key = int(value)
    row = desk.get(User, key) if kind is User else desk.get(Group, key)
    if row is None:
        raise Refused(422, f"Invalid value '{key}' for field '{name}'!")
    return key


def _file(index: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("filename", "data", "mime-type"):
        if not entry.get(name):
            raise Refused(422, f"Attachment needs '{name}' param for attachment with index '{index}'")
    try:
        content = base64.b64decode(entry["data"], validate=True)
    except (binascii.Error, ValueError):
        raise Refused(422, f"Invalid base64 for attachment with index '{index}'") from None
    preferences = {"Mime-Type": entry["mime-type"]}
    if entry.get("charset"):
        preferences["Charset"] = entry["charset"]
    return {"filename": str(entry["filename"]), "content": content, "preferences": preferences}
