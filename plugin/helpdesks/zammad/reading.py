"""Zammad's rows as the bridge's events and states. Pure; knows which articles are replies and which are our own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from plugin.domain.events import ArticleAdded, ArticleAuthor, TicketTouched
from plugin.domain.html import from_html
from plugin.domain.ids import ArticleRef, Marker, MediaRef, TicketRef
from plugin.domain.model import Attachment, TicketState
from plugin.domain.text import Text

PREFIX = "crossdesk:"
"""Before the marker in an article's message id, where all searches can find it."""
MERGED = "merged"
_SIGNATURE_LINE = "\n-- \n"
_LEFT_OUT = {
    "signature": "The e-mail signature was left out.",
    "mention": "The colleague who was mentioned was left out: that is between you.",
    "quote": "The quoted message was left out: the customer sees it on the platform.",
}
_AUTHORS = {"Agent": ArticleAuthor.AGENT, "Customer": ArticleAuthor.CUSTOMER}


def message_id(marker: Marker) -> str:
    """The message id of the article that carries a marker."""
    return f"{PREFIX}{marker}"


def marker_of(article: Mapping[str, Any]) -> Marker | None:
    """Our marker on an article."""
    value = str(article.get("message_id") or "")
    return Marker(value.removeprefix(PREFIX)) if value.startswith(PREFIX) else None


def moment(value: Any) -> datetime | None:
    """A time of Zammad's, aware; None for anything else."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None


def article_added(article: Mapping[str, Any], *, bridge: str, reply_types: tuple[str, ...]) -> ArticleAdded:
    """An article of a listing. `bridge` is the login of our own account."""
    marker = marker_of(article)
    is_ours = marker is not None or str(article.get("created_by", "")).lower() == bridge
    is_reply = not is_ours and is_said_by_agent(article) and article.get("type") in reply_types
    text, remarks = _text(article)
    key = f"{'article' if is_reply else 'note'}:{article['id']}"
    if is_reply and was_changed(article):
        key += f":{article.get('updated_at')}"  # Made public again: a fact of its own.
    return ArticleAdded(
        event_key=key,
        occurred_at=moment(article.get("created_at")),
        ticket_ref=TicketRef(str(article["ticket_id"])),
        article_ref=ArticleRef(str(article["id"])),
        author=ArticleAuthor.BRIDGE if is_ours else _AUTHORS.get(str(article.get("sender")), ArticleAuthor.SYSTEM),
        agent_ref=str(article.get("created_by") or "") if not is_ours and article.get("sender") == "Agent" else "",
        agent_name=str(article.get("from") or article.get("created_by") or "").partition(" <")[0],
        is_reply=is_reply,
        text=text,
        attachments=tuple(_attachment(article, file) for file in article.get("attachments") or ()),
        marker=marker,
        remarks=remarks,
        unsent="" if is_ours or is_reply or not is_said_by_agent(article) else _unsent(str(article.get("type")), reply_types),
    )


def _unsent(kind: str, reply_types: tuple[str, ...]) -> str:
    return f"A public article of type {kind} is not sent to the customer. To answer them, choose {' or '.join(reply_types)} as its type."


def is_said_by_agent(article: Mapping[str, Any]) -> bool:
    """Whether it is public and staff's own. The note `merged` that a merge leaves behind is Zammad's, though it bears an agent's name."""
    is_trace = article.get("type") == "note" and str(article.get("body", "")).strip() == MERGED
    return article.get("sender") == "Agent" and article.get("internal") is False and not is_trace


def counts_as_response(article: Mapping[str, Any]) -> bool:
    """Whether Zammad counts it, when public, as an answer to the customer. Notes are none."""
    return article.get("sender") == "Agent" and article.get("type") not in (None, "note")


def was_changed(article: Mapping[str, Any]) -> bool:
    """Whether something was changed since it was written: all that can be is its visibility."""
    return bool(article.get("updated_at") != article.get("created_at"))


def ticket_touched(ticket: Mapping[str, Any], article: Mapping[str, Any] | None = None) -> TicketTouched:
    """A look-now signal. Several triggers tell of one article and one change: they share a key."""
    ticket_id = str(ticket["id"])
    if article and article.get("id"):
        key, at = f"ticket:{ticket_id}:article:{article['id']}", article.get("created_at")
    else:
        key, at = f"ticket:{ticket_id}:{ticket.get('updated_at')}", ticket.get("updated_at")
    return TicketTouched(event_key=key, occurred_at=moment(at), ticket_ref=TicketRef(ticket_id))


def ticket_state(
    ticket: Mapping[str, Any],
    *,
    live_ref: TicketRef | None,
    closed_states: tuple[str, ...],
    web_url: str,
    fields: tuple[tuple[str, str], ...] = (),
) -> TicketState:
    """A ticket of an expanded answer."""
    owner = str(ticket.get("owner") or "")
    return TicketState(
        ticket_ref=TicketRef(str(ticket["id"])),
        number=str(ticket.get("number", "")),
        title=str(ticket.get("title", "")),
        state=str(ticket.get("state", "")),
        is_closed=ticket.get("state") in (*closed_states, MERGED, "removed"),
        owner="" if owner == "-" else owner,
        group=str(ticket.get("group") or ""),
        live_ref=live_ref,
        url=ticket_url(web_url, ticket["id"]),
        fields=fields,
    )


def ticket_url(web_url: str, ticket_id: Any) -> str:
    """Where an agent opens the ticket."""
    return f"{web_url}/#ticket/zoom/{ticket_id}"


def _text(article: Mapping[str, Any]) -> tuple[Text, tuple[str, ...]]:
    """An article's words as a customer may read them: without signature, quoted mail and names of colleagues who were called."""
    body = str(article.get("body") or "")
    if article.get("content_type") != "text/html":
        words, mark, _signature = body.partition(_SIGNATURE_LINE)
        return Text(words).strip(), (_LEFT_OUT["signature"],) if mark else ()
    left_out: dict[str, None] = {}

    def is_internal(name: str, attributes: Mapping[str, str]) -> bool:
        kind = _kind_of(name, attributes)
        if kind:
            left_out[_LEFT_OUT[kind]] = None
        return bool(kind)

    return from_html(body, skip=is_internal), tuple(left_out)


def _kind_of(name: str, attributes: Mapping[str, str]) -> str:
    if attributes.get("data-signature") == "true":
        return "signature"
    if "data-mention-user-id" in attributes:
        return "mention"
    return "quote" if name == "blockquote" and attributes.get("type") == "cite" else ""


def _attachment(article: Mapping[str, Any], file: Mapping[str, Any]) -> Attachment:
    preferences = file.get("preferences") or {}
    size = str(file.get("size") or "")
    return Attachment(
        media_ref=MediaRef(f"{article['ticket_id']}/{article['id']}/{file['id']}"),
        filename=str(file.get("filename") or "file"),
        content_type=str(preferences.get("Mime-Type") or preferences.get("Content-Type") or "application/octet-stream"),
        size=int(size) if size.isdigit() else None,
    )
