"""What Zammad does to articles: types and `from`, origins, the clocks that they move, and what can never be changed afterwards.

Every function here runs inside `desk.writing()`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import nh3

from ui_extensions.rehearsal.desk.refusals import Refused, contact_administrator
from ui_extensions.rehearsal.desk.rows import AGENT, CUSTOMER, NEW, NOTE, OPEN, PHONE, SYSTEM, TYPES, WEB, Article, StoredFile, Ticket, User
from ui_extensions.rehearsal.desk.state import Desk, later

_KEEPS_FROM = re.compile(r"email|sms|twitter.*|facebook feed.*")


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
    desk.log(ticket, by, type="created", object="Ticket::Article", o_id=article.id, related_o_id=ticket.id, related_object="Ticket")
    return article


def set_internal(desk: Desk, article: Article, data: Mapping[str, Any], by: User) -> None:
    """All that can be changed on an article: whether it is internal, and the highlight. The rest is ignored with a 200."""
    ticket = desk.get(Ticket, article.ticket_id)
    assert ticket is not None
    if "internal" in data and bool(data["internal"]) != article.internal:
        facts = {"value_from": str(article.internal).lower(), "value_to": str(bool(data["internal"])).lower()}
        desk.log(ticket, by, type="updated", object="Ticket::Article", o_id=article.id, attribute="internal", **facts)
        article.internal = bool(data["internal"])
    highlight = (data.get("preferences") or {}).get("highlight")
    if highlight is not None:
        article.preferences = {**article.preferences, "highlight": highlight}
    article.updated_by_id, article.updated_at = by.id, later(article.updated_at)
    desk.put(article)
    ticket.updated_by_id, ticket.updated_at = by.id, later(ticket.updated_at)
    desk.put(ticket)


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


def _sanitised(html: str) -> str:
    return nh3.clean(
        html,
        tags={"a", "b", "blockquote", "br", "code", "del", "div", "em", "i", "li", "ol", "p", "pre", "s", "span", "strong", "u", "ul"},
        attributes={
            "blockquote": {"type"},
            "a": {"href", "title", "data-mention-user-id", "target"},
            "div": {"data-signature"},
            "span": {"style"},
        },
        link_rel="nofollow noreferrer noopener",
    )
