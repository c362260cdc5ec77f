"""What Zammad does to data on its way in, as measured on 6.2.0: silent login suffixes, article types and `from`, contacts, first response.

Every function here runs inside `desk.writing()`. Knows nothing of HTTP; refusals are `Refused` with Zammad's own words.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

import nh3

from ui_extensions.rehearsal.desk.rows import (
    AGENT,
    CLOSED,
    CUSTOMER,
    MERGED,
    NEW,
    NOBODY,
    NOTE,
    OPEN,
    PENDING_CLOSE,
    PENDING_REMINDER,
    PHONE,
    SYSTEM,
    TYPES,
    WEB,
    Article,
    Group,
    HistoryEntry,
    Link,
    StoredFile,
    Ticket,
    User,
)
from ui_extensions.rehearsal.desk.state import Desk, later

_FIRST_NUMBER = 16000
_KEEPS_FROM = re.compile(r"email|sms|twitter.*|facebook feed.*")
_NATIVE = re.compile(r"sms|twitter.*|facebook.*|telegram.*")
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_CHANGES = ("title", "group_id", "state_id", "priority_id", "owner_id", "customer_id", "pending_time", "note")


class Refused(Exception):
    """The desk says no, in Zammad's words. `opaque` answers carry no `error_human`."""

    def __init__(self, status: int, error: str, *, opaque: bool = False) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.opaque = opaque


def contact_administrator(status: int = 422) -> Refused:
    """The answer whose real reason stands only in the server's log."""
    return Refused(status, f"Error ID {uuid.uuid4().hex[:8]}: Please contact your administrator.", opaque=True)


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
    """Change a customer's record."""
    for key in ("firstname", "lastname"):
        if key in data:
            setattr(user, key, _name(data[key]))
    for key in ("web", "phone", "mobile", "active"):
        if key in data:
            setattr(user, key, data[key])
    if "note" in data:
        user.note = nh3.clean(str(data["note"] or ""))
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
        pending_time=data.get("pending_time"),
        created_by_id=by.id,
        updated_by_id=by.id,
        created_at=now,
        updated_at=now,
    )
    if state_id == CLOSED:
        ticket.close_at = ticket.last_close_at = now
    desk.put(ticket)
    log(desk, ticket, by, type="created", object="Ticket", o_id=ticket.id)
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
            log(desk, ticket, by, type="updated", object="Ticket", o_id=ticket.id, **facts)
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
    if changed:
        ticket.updated_by_id, ticket.updated_at = by.id, now
        desk.put(ticket)
    return changed


def add_article(desk: Desk, ticket: Ticket, data: Mapping[str, Any], by: User) -> Article:
    """Store an article on any ticket, merged ones included. It does not open a closed ticket.

    `data` holds ids and checked files (`files`: filename, content, preferences).
    """
    type_id = data.get("type_id") or NOTE
    sender_id = data.get("sender_id") or (AGENT if by.is_agent else CUSTOMER)
    kind = TYPES[type_id]
    body = str(data.get("body") or "").replace("\0", "")
    if not body:
        raise Refused(422, "Need at least an 'article body' field.")
    if kind == "email" and sender_id == AGENT:
        raise contact_administrator(500)
    origin_id = data.get("origin_by_id")
    if origin_id is not None and sender_id == AGENT:
        sender_id = CUSTOMER
    if origin_id is None and sender_id == CUSTOMER and type_id in (NOTE, WEB, PHONE):
        origin_id = ticket.customer_id
    content_type = data.get("content_type") or "text/plain"
    now = later(ticket.updated_at)
    article = Article(
        id=desk.new_id(Article),
        ticket_id=ticket.id,
        type_id=type_id,
        sender_id=sender_id,
        body=_sanitised(body) if content_type == "text/html" else body,
        content_type=content_type,
        to=data.get("to"),
        cc=data.get("cc"),
        subject=data.get("subject"),
        reply_to=data.get("reply_to"),
        message_id=data.get("message_id"),
        in_reply_to=data.get("in_reply_to"),
        references=data.get("references"),
        internal=bool(data.get("internal", False)),
        preferences=dict(data.get("preferences") or {}),
        origin_by_id=origin_id,
        created_by_id=by.id,
        updated_by_id=by.id,
        created_at=now,
        updated_at=now,
    )
    article.sent_from = _sent_from(desk, article, str(data.get("from") or ""), by)
    if sender_id == AGENT and _NATIVE.fullmatch(kind):
        article.preferences["delivery_status"] = "fail"
    for file in data.get("files") or ():
        stored = StoredFile(
            id=desk.new_id(StoredFile),
            article_id=article.id,
            filename=file["filename"],
            size=len(file["content"]),
            preferences=file["preferences"],
        )
        desk.keep_file(stored.id, file["content"])
        desk.put(stored)
        article.file_ids.append(stored.id)
    is_first = not desk.articles_of(ticket.id)
    desk.put(article)
    _touch_by(ticket, article, now, is_first=is_first)
    ticket.updated_by_id, ticket.updated_at = by.id, later(now)
    desk.put(ticket)
    log(desk, ticket, by, type="created", object="Ticket::Article", o_id=article.id, related_o_id=ticket.id, related_object="Ticket")
    return article


def set_internal(desk: Desk, article: Article, data: Mapping[str, Any], by: User) -> None:
    """All that can be changed on an article: whether it is internal, and the highlight. The rest is ignored with a 200."""
    ticket = desk.get(Ticket, article.ticket_id)
    assert ticket is not None
    if "internal" in data and bool(data["internal"]) != article.internal:
        facts = {"value_from": str(article.internal).lower(), "value_to": str(bool(data["internal"])).lower()}
        log(desk, ticket, by, type="updated", object="Ticket::Article", o_id=article.id, attribute="internal", **facts)
        article.internal = bool(data["internal"])
    highlight = (data.get("preferences") or {}).get("highlight")
    if highlight is not None:
        article.preferences = {**article.preferences, "highlight": highlight}
    article.updated_by_id, article.updated_at = by.id, later(article.updated_at)
    desk.put(article)
    ticket.updated_by_id, ticket.updated_at = by.id, later(ticket.updated_at)
    desk.put(ticket)


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
    log(desk, source, by, type="merged_into", object="Ticket", o_id=source.id, id_to=target.id, id_from=source.id)
    log(desk, target, by, type="received_merge", object="Ticket", o_id=target.id, id_to=target.id, id_from=source.id)


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
    log(desk, ticket, by, type="added" if present else "removed", object="Ticket", o_id=ticket.id, attribute="tag", value_to=tag)
    ticket.updated_at = later(ticket.updated_at)
    desk.put(ticket)


def delete_ticket(desk: Desk, ticket: Ticket) -> None:
    """Remove a ticket with everything in it."""
    for article in desk.articles_of(ticket.id):
        desk.remove(article)
    for link in desk.links_of(ticket.id):
        desk.remove(link)
    desk.remove(ticket)


def log(desk: Desk, ticket: Ticket, by: User, **facts: Any) -> None:
    """Add a line to the ticket's history."""
    key = desk.new_id(HistoryEntry)
    desk.put(HistoryEntry(id=key, ticket_id=ticket.id, facts={**facts, "created_by_id": by.id, "created_at": later()}))


def _touch_by(ticket: Ticket, article: Article, now: str, *, is_first: bool) -> None:
    """What an article does to the ticket's clocks and state: notes and internal articles do nothing."""
    if is_first:
        ticket.create_article_type_id, ticket.create_article_sender_id = article.type_id, article.sender_id
    if article.internal or article.type_id == NOTE or article.sender_id == SYSTEM:
        return
    ticket.last_contact_at = now
    if article.sender_id == CUSTOMER:
        ticket.last_contact_customer_at = now
        return
    ticket.last_contact_agent_at = now
    ticket.first_response_at = ticket.first_response_at or now
    if ticket.state_id == NEW:
        ticket.state_id, ticket.last_owner_update_at = OPEN, now


def _sent_from(desk: Desk, article: Article, given: str, by: User) -> str:
    if _KEEPS_FROM.fullmatch(TYPES[article.type_id]):
        return given
    origin = desk.get(User, article.origin_by_id) or by
    if article.type_id in (WEB, PHONE) and article.sender_id == CUSTOMER:
        return f"{origin.name} <{origin.email}>" if origin.email else ""
    return origin.name


def _check_pending(state_id: int, pending_time: str | None) -> None:
    if state_id in (PENDING_REMINDER, PENDING_CLOSE) and not pending_time:
        raise contact_administrator()


def _owner(desk: Desk, owner_id: int | None, group_id: int) -> int:
    owner = desk.get(User, owner_id)
    return owner.id if owner is not None and owner.is_agent and owner.group_ids.get(group_id) else NOBODY


def _name(value: Any) -> str:
    return _SCHEME.sub("", str(value or "")).strip()[:100]


def _sanitised(html: str) -> str:
    return nh3.clean(
        html,
        tags={"a", "b", "blockquote", "br", "code", "del", "div", "em", "i", "li", "ol", "p", "pre", "s", "span", "strong", "u", "ul"},
        attributes={"a": {"href", "title", "data-mention-user-id", "target"}, "div": {"data-signature"}, "span": {"style"}},
        link_rel="nofollow noreferrer noopener",
    )


def add_group(desk: Desk, name: str) -> Group:
    """A group, made once."""
    group = desk.group_called(name)
    if group is None:
        group = Group(id=desk.new_id(Group), name=name, created_at=later())
        desk.put(group)
    return group
