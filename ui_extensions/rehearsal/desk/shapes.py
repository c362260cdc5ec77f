"""A desk's rows in the JSON forms that Zammad gives them: plain, expanded (names beside ids), and with assets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from ui_extensions.rehearsal.desk import links
from ui_extensions.rehearsal.desk.attributes import columns_of
from ui_extensions.rehearsal.desk.rows import PRIORITIES, SENDERS, STATES, TYPES, Article, Group, StoredFile, Ticket, User
from ui_extensions.rehearsal.desk.state import Desk

_UNSET_TICKET = dict.fromkeys(
    (
        "organization_id",
        "first_response_escalation_at",
        "close_escalation_at",
        "close_in_min",
        "close_diff_in_min",
        "update_escalation_at",
        "update_in_min",
        "update_diff_in_min",
        "escalation_at",
        "type",
        "time_unit",
    )
)
_UNSET_USER: dict[str, Any] = {
    "organization_id": None,
    "image": None,
    "fax": "",
    "department": None,
    "street": "",
    "zip": "",
    "city": "",
    "country": "",
    "address": None,
    "vip": False,
    "verified": False,
    "last_login": None,
    "login_failed": 0,
    "out_of_office": False,
    "out_of_office_start_at": None,
    "out_of_office_end_at": None,
    "out_of_office_replacement_id": None,
    "two_factor_preference_ids": [],
    "organization_ids": [],
    "authorization_ids": [],
    "overview_sorting_ids": [],
}
_TICKET_COLUMNS = (
    "id",
    "number",
    "title",
    "group_id",
    "customer_id",
    "state_id",
    "priority_id",
    "owner_id",
    "note",
    "preferences",
    "pending_time",
    "first_response_at",
    "first_response_in_min",
    "first_response_diff_in_min",
    "close_at",
    "last_close_at",
    "last_contact_at",
    "last_contact_agent_at",
    "last_contact_customer_at",
    "last_owner_update_at",
    "create_article_type_id",
    "create_article_sender_id",
    "created_by_id",
    "updated_by_id",
    "created_at",
    "updated_at",
)
_USER_COLUMNS = (
    "id",
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
    "role_ids",
    "created_by_id",
    "updated_by_id",
    "created_at",
    "updated_at",
)
_ARTICLE_COLUMNS = (
    "id",
    "ticket_id",
    "type_id",
    "sender_id",
    "to",
    "cc",
    "subject",
    "reply_to",
    "message_id",
    "in_reply_to",
    "content_type",
    "references",
    "body",
    "internal",
    "preferences",
    "created_by_id",
    "updated_by_id",
    "origin_by_id",
    "created_at",
    "updated_at",
)


def user_data(user: User) -> dict[str, Any]:
    """A user without names of relations."""
    data = {**_UNSET_USER, **{name: getattr(user, name) for name in _USER_COLUMNS}}
    return {**data, "group_ids": {str(key): rights for key, rights in user.group_ids.items()}}


def expanded_user(desk: Desk, user: User) -> dict[str, Any]:
    """A user with names of roles and groups."""
    groups = {group.name: user.group_ids[group.id] for group in desk.all(Group) if group.id in user.group_ids}
    return {
        **user_data(user),
        "roles": [role.data["name"] for role in desk.admin_objects("roles") if role.id in user.role_ids],
        "two_factor_preferences": [],
        "organizations": [],
        "authorizations": [],
        "overview_sortings": [],
        "groups": groups,
        "created_by": _login(desk, user.created_by_id),
        "updated_by": _login(desk, user.updated_by_id),
    }


def ticket_data(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """A ticket's columns."""
    columns = {name: getattr(ticket, name) for name in _TICKET_COLUMNS}
    custom = {name: ticket.custom.get(name) for name in columns_of(desk, "Ticket")}
    return {**_UNSET_TICKET, **columns, **custom, "article_count": len(desk.articles_of(ticket.id))}


def created_ticket(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """A ticket as an answer to POST and PUT: with the ids of its articles."""
    ids = [article.id for article in desk.articles_of(ticket.id)]
    return {**ticket_data(desk, ticket), "article_ids": ids, "ticket_time_accounting_ids": []}


def expanded_ticket(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """A ticket with names beside ids."""
    group = desk.get(Group, ticket.group_id)
    expanded = {
        **created_ticket(desk, ticket),
        "group": group.name if group else None,
        "ticket_time_accounting": [],
        "state": STATES[ticket.state_id],
        "priority": PRIORITIES[ticket.priority_id],
        "owner": _login(desk, ticket.owner_id),
        "customer": _login(desk, ticket.customer_id),
        "created_by": _login(desk, ticket.created_by_id),
        "updated_by": _login(desk, ticket.updated_by_id),
    }
    if ticket.create_article_type_id is not None and ticket.create_article_sender_id is not None:
        expanded["create_article_type"] = TYPES[ticket.create_article_type_id]
        expanded["create_article_sender"] = SENDERS[ticket.create_article_sender_id]
    return expanded


def article_data(desk: Desk, article: Article) -> dict[str, Any]:
    """An article, always in its expanded form."""
    data = {
        **{name: getattr(article, name) for name in _ARTICLE_COLUMNS},
        "from": article.sent_from,
        "message_id_md5": hashlib.md5(article.message_id.encode(), usedforsecurity=False).hexdigest() if article.message_id else None,
        "attachments": [file_data(file) for file in desk.files_of(article)],
        "created_by": _login(desk, article.created_by_id),
        "updated_by": _login(desk, article.updated_by_id),
        "type": TYPES[article.type_id],
        "sender": SENDERS[article.sender_id],
        "time_unit": None,
    }
    if article.origin_by_id is not None:
        data["origin_by"] = _login(desk, article.origin_by_id)
    return data


def file_data(file: StoredFile) -> dict[str, Any]:
    """An attachment's entry; `size` is text."""
    return {
        "id": file.id,
        "store_file_id": file.id,
        "filename": file.filename,
        "size": str(file.size),
        "preferences": file.preferences,
    }


def group_data(group: Group) -> dict[str, Any]:
    """A group."""
    return {
        "id": group.id,
        "signature_id": None,
        "email_address_id": group.email_address_id,
        "name": group.name,
        "name_last": group.name,
        "parent_id": None,
        "assignment_timeout": None,
        "follow_up_possible": group.follow_up_possible,
        "reopen_time_in_days": None,
        "follow_up_assignment": True,
        "active": group.active,
        "shared_drafts": True,
        "note": group.note,
        "created_at": group.created_at,
    }


def assets(desk: Desk, tickets: Iterable[Ticket], articles: Iterable[Article] = ()) -> dict[str, Any]:
    """The rows that an answer with `full` or `all` mentions, by kind and id."""
    found: dict[str, dict[str, Any]] = {"Ticket": {}, "User": {}, "Group": {}}
    users: set[int] = set()
    for ticket in tickets:
        found["Ticket"][str(ticket.id)] = created_ticket(desk, ticket)
        users |= {ticket.customer_id, ticket.owner_id, ticket.created_by_id, ticket.updated_by_id}
        group = desk.get(Group, ticket.group_id)
        if group is not None:
            found["Group"][str(group.id)] = group_data(group)
    for article in articles:
        found.setdefault("TicketArticle", {})[str(article.id)] = article_data(desk, article)
        users |= {article.created_by_id, article.origin_by_id or article.created_by_id}
    for key in users:
        user = desk.get(User, key)
        if user is not None:
            found["User"][str(key)] = user_data(user)
    return found


def zoomed_ticket(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """A ticket with everything that the agents' page shows (`all=true`)."""
    articles = desk.articles_of(ticket.id)
    return {
        "ticket_id": ticket.id,
        "ticket_article_ids": [article.id for article in articles],
        "assets": assets(desk, [ticket], articles),
        "links": links.links_data(ticket, desk.links_of(ticket.id)),
        "tags": ticket.tags,
        "mentions": [],
        "time_accountings": [],
        "form_meta": {},
    }


def webhook_payload(desk: Desk, ticket: Ticket, article: Article | None, base_url: str) -> dict[str, Any]:
    """The default body of a webhook: the ticket as it is now, people as objects without preferences."""
    data: dict[str, Any] = expanded_ticket(desk, ticket)
    for name in ("owner", "customer", "created_by", "updated_by"):
        data[name] = _person(desk, getattr(ticket, f"{name}_id"))
    group = desk.get(Group, ticket.group_id)
    data |= {"group": group_data(group) if group else {}, "priority": {"id": ticket.priority_id, "name": PRIORITIES[ticket.priority_id]}}
    data["organization"] = {}
    if article is None:
        return {"ticket": data, "article": {}}
    entry = article_data(desk, article)
    for file in entry["attachments"]:
        file["url"] = f"{base_url}/api/v1/ticket_attachment/{ticket.id}/{article.id}/{file['id']}"
    entry |= {"created_by": _person(desk, article.created_by_id), "updated_by": _person(desk, article.updated_by_id), "accounted_time": 0}
    return {"ticket": data, "article": entry}


def _person(desk: Desk, key: int) -> dict[str, Any]:
    user = desk.get(User, key)
    if user is None:
        return {}
    return {name: value for name, value in expanded_user(desk, user).items() if name not in ("preferences", "group_ids", "groups")}


def _login(desk: Desk, key: int) -> str:
    user = desk.get(User, key)
    return user.login if user else "-"
