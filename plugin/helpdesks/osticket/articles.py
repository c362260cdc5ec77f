"""Reads osTicket's thread entries as articles: who wrote, whether the customer shall read it, the text and the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from plugin.domain.errors import RemoteUnavailable
from plugin.domain.events import ArticleAdded, ArticleAuthor
from plugin.domain.ids import ArticleRef, Marker, MediaRef, TicketRef
from plugin.domain.model import Attachment
from plugin.domain.text import Text
from plugin.domain.trimming import trim_reply
from plugin.helpdesks.osticket.client import PluginClient
from plugin.helpdesks.osticket.schema import EntriesSchema
from plugin.helpdesks.osticket.wording import stored_text

_MOST_PAGES = 100
_EDITED = "An agent changed a reply after it was written; what the customer was sent before stays as it was."
_AUTHORS = {
    "agent": ArticleAuthor.AGENT,
    "customer": ArticleAuthor.CUSTOMER,
    "bridge": ArticleAuthor.BRIDGE,
    "system": ArticleAuthor.SYSTEM,
}


def list_since(client: PluginClient, ticket_ref: TicketRef, since: ArticleRef | None) -> list[ArticleAdded]:
    """The entries after `since`, oldest first."""
    entries = _entries(client, ticket_ref, since or "")
    edits = {entry["parent"]: entry for entry in entries if entry["is_edit"]}
    return [_article(entry, _as_shown(entry, edits), ticket_ref) for entry in entries]


def _entries(client: PluginClient, ticket_ref: TicketRef, since: str) -> Sequence[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for _page in range(_MOST_PAGES):
        told = client.read("list_entries", {"ticket": ticket_ref, "after": since}, EntriesSchema())
        entries += told["entries"]
        newest = told["entries"][-1]["entry"] if told["entries"] else since
        if not told["has_more"] or newest == since:
            return entries
        since = newest
    raise RemoteUnavailable("osTicket tells of more entries without end; everything is kept.")


def _as_shown(entry: Mapping[str, Any], edits: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The newest wording of a reply that was edited: if it was not sent yet, that is what the customer must get."""
    shown, seen = entry, set[str]()
    while shown["is_hidden"] and shown["entry"] in edits and shown["entry"] not in seen:
        seen.add(shown["entry"])
        shown = edits[shown["entry"]]
    return shown


def _article(entry: Mapping[str, Any], shown: Mapping[str, Any], ticket_ref: TicketRef) -> ArticleAdded:
    author = _AUTHORS[entry["author"]]
    is_reply = entry["kind"] == "reply" and author is ArticleAuthor.AGENT and not entry["is_edit"]
    files = tuple(_attachment(file) for file in shown["files"])
    text = stored_text(shown["body"], is_html=shown["format"] == "html")
    if text.plain == "-" and files:
        text = Text("")  # osTicket's sign for no words.
    return ArticleAdded(
        event_key=f"article:{entry['entry']}:{'reply' if is_reply else 'note'}",
        occurred_at=datetime.fromtimestamp(entry["at"], UTC) if entry["at"] else None,
        ticket_ref=ticket_ref,
        article_ref=ArticleRef(entry["entry"]),
        author=author,
        agent_name=entry["poster"],
        agent_ref=entry["agent"] if author is ArticleAuthor.AGENT else "",
        is_reply=is_reply,
        text=trim_reply(text) if is_reply else text,
        attachments=files,
        marker=Marker(entry["marker"]) if entry["marker"] and author is ArticleAuthor.BRIDGE else None,
        remarks=(_EDITED,) if entry["is_edit"] else (),
    )


def _attachment(file: Mapping[str, Any]) -> Attachment:
    return Attachment(
        media_ref=MediaRef(file["file"]),
        filename=file["name"] or f"file-{file['file']}",
        content_type=file["type"] or "application/octet-stream",
        size=file["size"],
    )
