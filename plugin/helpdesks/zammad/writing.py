"""The bridge's articles in Zammad's words. Pure; knows which article type has which side effect there.

A contact's words are `chat` from the customer with `origin_by`: the contact's name shows, the contact counts for the service level, no mail
is sent. `note` is for what stays inside. Staff's native posts are public `chat` articles of the bridge without `origin_by`, which would
turn them into the customer's.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from plugin.domain.html import to_html
from plugin.domain.ids import CustomerRef, Marker
from plugin.domain.model import Contact, File, NewArticle, NewTicket, TicketChange
from plugin.domain.text import MarkKind, Text, fold
from plugin.helpdesks.zammad import fields
from plugin.helpdesks.zammad.logins import names_of
from plugin.helpdesks.zammad.reading import message_id

MARKS = frozenset((MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.CODE, MarkKind.PRE, MarkKind.QUOTE, MarkKind.LINK))
_PLAIN_ENOUGH = frozenset((MarkKind.LINK, MarkKind.MENTION))
_LONGEST_TITLE = 250
_PRIORITIES = {"low": "1 low", "normal": "2 normal", "high": "3 high"}
"""A policy's words, and the names that Zammad comes with; priorities of other names are written as they are."""


def ticket_data(
    ticket: NewTicket, *, login: str, marker: Marker, group: str, max_file_bytes: int
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A new ticket with its first article, and sentences on what could not be carried."""
    author = ticket.article.author
    is_customers = author is not None and author.ref == ticket.contact.ref
    origin = ticket.article.customer_ref or (CustomerRef(login) if is_customers else None)
    article, losses = article_data(ticket.article, origin=origin, marker=marker, max_file_bytes=max_file_bytes)
    data: dict[str, Any] = {
        "title": (" ".join(ticket.title.split()) or "Message without words")[:_LONGEST_TITLE],
        "group": ticket.group or group,
        "customer": customer_data(ticket.contact, login),
        "preferences": {
            "crossdesk": {"channel": ticket.channel, "platform": ticket.platform, "visibility": ticket.visibility.value},
            "crossdesk_stage": ticket.stage.value,
        },
        "article": article,
        **fields.of_new(ticket),
    }
    data["preferences"] |= fields.remembered({}, data)
    if ticket.owner:
        data["owner"] = ticket.owner
    if ticket.tags:
        data["tags"] = ",".join(tag.replace(",", " ") for tag in ticket.tags)
    if ticket.priority:
        data["priority"] = _priority(ticket.priority)
    return data, losses


def changed_data(ticket: Mapping[str, Any], change: TicketChange, *, closed_states: tuple[str, ...]) -> dict[str, Any]:
    """What a change writes into a ticket that is now as shown. Attributes that the server does not have are left out."""
    named = {"title": change.title, "group": change.group, "priority": change.priority and _priority(change.priority)}
    data: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    is_closed = ticket.get("state") in closed_states
    if change.state is not None:
        data["state"] = change.state
    elif change.is_closed is not None and change.is_closed != is_closed:
        data["state"] = closed_states[0] if change.is_closed else "open"
    if change.owner is not None:
        data |= {"owner": change.owner} if change.owner else {"owner_id": 1}
    stage = (("stage", change.stage.value),) if change.stage is not None else ()
    custom = fields.columns((*change.fields, *stage))
    data |= {name: value for name, value in custom.items() if name in ticket}
    preferences = fields.remembered(ticket, custom)
    if change.stage is not None:
        preferences["crossdesk_stage"] = change.stage.value
    return {**data, "preferences": preferences} if preferences else data


def customer_data(contact: Contact, login: str) -> dict[str, Any]:
    """A customer by our own login alone. No e-mail address: with one, Zammad's own triggers would write to it."""
    first, last = names_of(contact.display_name, contact.handle, contact.ref)
    data = {"login": login, "firstname": first, "lastname": last}
    return {**data, "web": contact.url[:250]} if _is_web(contact.url) else data


def article_data(
    article: NewArticle, *, origin: CustomerRef | None, marker: Marker, max_file_bytes: int
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """An article, and sentences on what could not be carried."""
    files, losses = _attachments(article.files, max_file_bytes)
    text = _labelled(article, origin)
    words = Text("\n".join((text.plain or _placeholder(len(files)), *losses)), text.marks)
    content_type, body = ("text/plain", fold(words, frozenset())[0].plain) if _is_card(article) else _body(words)
    data: dict[str, Any] = {
        **_kind(article, origin),
        "content_type": content_type,
        "body": body,
        "internal": article.internal,
        "message_id": message_id(marker),
    }
    if article.subject:
        data["subject"] = article.subject[:_LONGEST_TITLE]
    if files:
        data["attachments"] = files
    preferences = _preferences(article)
    return ({**data, "preferences": preferences} if preferences else data), losses


def _kind(article: NewArticle, origin: CustomerRef | None) -> dict[str, Any]:
    if _is_card(article):
        return {"type": "note", "sender": "System"}
    if article.author is None or article.by_staff:
        return {"type": "chat" if article.by_staff and not article.internal else "note", "sender": "Agent"}
    kind = {"type": "note" if article.internal else "chat", "sender": "Customer"}
    return {**kind, "origin_by": origin} if origin else kind


def _is_card(article: NewArticle) -> bool:
    """Whether Zammad shall draw it as its yellow card `Delivery failed: "..."`: plain text, without author, and never to be changed."""
    return article.is_warning and article.internal and article.author is None and not article.by_staff


def _labelled(article: NewArticle, origin: CustomerRef | None) -> Text:
    """The words, with their author's name before them where Zammad would show the bridge's."""
    if article.author is None or article.by_staff or origin:
        return article.text
    first, last = names_of(article.author.display_name, article.author.handle, article.author.ref)
    return Text(f"{first} {last}".strip() + ":\n") + article.text


def _body(text: Text) -> tuple[str, str]:
    if {mark.kind for mark in text.marks} <= _PLAIN_ENOUGH:
        return "text/plain", fold(text, frozenset())[0].plain
    return "text/html", to_html(fold(text, MARKS)[0])


def _placeholder(count: int) -> str:
    """Zammad refuses an article without words."""
    if count == 0:
        return "(a message without words)"
    return "(a file without words)" if count == 1 else f"({count} files without words)"


def _attachments(files: Sequence[File], max_bytes: int) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    fitting = [file for file in files if len(file.content) <= max_bytes]
    losses = tuple(
        f"[The file {_filename(file)} was not filed: it has {len(file.content):,} bytes, the limit is {max_bytes:,}.]"
        for file in files
        if len(file.content) > max_bytes
    )
    entries = [
        {
            "filename": _filename(file),
            "data": base64.b64encode(file.content).decode("ascii"),
            "mime-type": file.content_type or "application/octet-stream",
        }
        for file in fitting
        if file.content
    ]
    empty = tuple(f"[The file {_filename(file)} is empty and was not filed.]" for file in fitting if not file.content)
    return entries, losses + empty


def _filename(file: File) -> str:
    name = "".join(letter if letter.isprintable() and letter not in '/\\:"<>|' else "_" for letter in file.filename).strip(". ")
    return name[-200:] or "file"


def _preferences(article: NewArticle) -> Mapping[str, Any]:
    """What is frozen with the article: the link to the original message, the platform's time, what it answers."""
    preferences: dict[str, Any] = {}
    if _is_card(article):
        preferences = {"delivery_message": True, "notification": False}
        if article.in_reply_to is not None and article.in_reply_to.isdigit():
            preferences["delivery_article_id_related"] = int(article.in_reply_to)
        return preferences
    if _is_web(article.source_url):
        host = urlsplit(article.source_url).hostname
        preferences["links"] = [{"url": article.source_url, "target": "_blank", "name": f"on {host}"}]
    ours = {}
    if article.occurred_at is not None:
        ours["occurred_at"] = article.occurred_at.isoformat()
    if article.in_reply_to is not None:
        ours["in_reply_to"] = str(article.in_reply_to)
    return {**preferences, "crossdesk": ours} if ours else preferences


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))


def _priority(word: str) -> str:
    return _PRIORITIES.get(word.casefold(), word)
