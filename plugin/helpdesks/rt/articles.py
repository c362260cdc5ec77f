"""Reads RT's transactions as articles: who wrote, whether the customer shall read it, the text and the files.

A transaction of type Correspond is what RT sends to the customer, a Comment is a note. Bodies and files are attachments of the
transaction: a list of parts in which containers (`multipart/*`) stand before what they contain.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from plugin.domain.events import ArticleAdded, ArticleAuthor
from plugin.domain.html import from_html
from plugin.domain.ids import ArticleRef, Marker, MediaRef, TicketRef
from plugin.domain.model import Attachment
from plugin.domain.text import Text, join
from plugin.domain.trimming import trim_reply
from plugin.helpdesks.rt.client import RtClient, field_values, quoted, read_object, segment
from plugin.helpdesks.rt.wording import MARKER_FIELD, MESSAGE_FIELD, marker_in

_TYPES = frozenset({"Create", "Correspond", "Comment"})
_NOT_PEOPLE = frozenset({"RT_System", "Nobody"})
_FIELDS: Mapping[str, str | int] = {
    "fields": "Type,Creator,Created,Data,ObjectId,CustomFields",
    "fields[Creator]": "Name,RealName",
}


class ArticleReader:
    """One RT's articles, as the bridge's user `own_name` sees them."""

    def __init__(self, client: RtClient, *, own_name: str) -> None:
        self._client = client
        self._own = own_name.casefold()

    def rows_since(self, ticket_ref: TicketRef, since: int) -> tuple[list[dict[str, Any]], bool]:
        """The transactions that are articles after `since`, oldest first, and whether the ticket has any transaction at all."""
        rows, is_there = [], False
        for row in self._client.walk(f"/ticket/{segment(ticket_ref)}/history", _FIELDS):
            is_there = True
            if int(row["id"]) <= since:
                break
            if row.get("Type") in _TYPES:
                rows.append(row)
        return sorted(rows, key=lambda row: int(row["id"])), is_there

    def find_own(self, ticket_ref: TicketRef, marker: Marker) -> ArticleRef | None:
        """The bridge's own article with this marker: by its field if RT came to store it, else by its subject, which is always there."""
        staff: dict[str, bool] = {}
        sql = f"ObjectType='RT::Ticket' AND CF.{{{MESSAGE_FIELD}}}={quoted(marker)}"
        candidates: Iterator[dict[str, Any]] = iter(self._client.search("/transactions", {**_FIELDS, "query": sql}))
        for rows in (candidates, self._client.walk(f"/ticket/{segment(ticket_ref)}/history", _FIELDS)):
            for row in rows:
                if self._marker(row) == marker and self._is_ours(row, staff):
                    return ArticleRef(row["id"])
        return None

    def read(self, ticket_ref: TicketRef, rows: list[dict[str, Any]]) -> list[ArticleAdded]:
        """The articles of `rows`, with their texts."""
        staff: dict[str, bool] = {}
        opened = self._opening_markers([row["ObjectId"] for row in rows if row["Type"] == "Create" and self._is_own(row)])
        articles = []
        for row in rows:
            author, remarks = self._author(row, staff)
            is_reply = row["Type"] == "Correspond" and author is ArticleAuthor.AGENT
            text, files = self._content(row["id"])
            marker = (self._marker(row) or opened.get(row["ObjectId"])) if author is ArticleAuthor.BRIDGE else None
            articles.append(
                ArticleAdded(
                    event_key=f"article:{row['id']}:{'reply' if is_reply else 'note'}",
                    occurred_at=datetime.fromisoformat(row["Created"]) if row.get("Created") else None,
                    ticket_ref=ticket_ref,
                    article_ref=ArticleRef(row["id"]),
                    author=author,
                    agent_name=row["Creator"].get("RealName") or _name(row),
                    agent_ref=_name(row) if author is ArticleAuthor.AGENT else "",
                    is_reply=is_reply,
                    text=trim_reply(text) if is_reply else text,
                    attachments=files,
                    marker=marker,
                    remarks=remarks,
                )
            )
        return articles

    def _is_ours(self, row: Mapping[str, Any], staff: dict[str, bool]) -> bool:
        """Written by the bridge, in its own name or by the extension in a customer's: nobody but the bridge may fill the field."""
        return self._is_own(row) or (bool(field_values(row, MESSAGE_FIELD)) and self._author(row, staff)[0] is ArticleAuthor.BRIDGE)

    def _is_own(self, row: Mapping[str, Any]) -> bool:
        return _name(row).casefold() == self._own

    @staticmethod
    def _marker(row: Mapping[str, Any]) -> Marker | None:
        stored = field_values(row, MESSAGE_FIELD)
        return Marker(stored[0]) if stored else marker_in(str(row.get("Data") or ""))

    def _opening_markers(self, ticket_ids: list[str]) -> dict[str, Marker]:
        """The markers of tickets the bridge opened, each from the ticket it was then, wherever that is merged now."""
        if not ticket_ids:
            return {}
        sql = f"({' OR '.join(f'id={int(ticket)}' for ticket in ticket_ids)}) AND EffectiveId > 0"
        found = self._client.search("/tickets", {"query": sql, "fields": "CustomFields"})
        marks = {ticket["id"]: field_values(ticket, MARKER_FIELD) for ticket in found}
        return {ticket: Marker(values[0]) for ticket, values in marks.items() if values}

    def _author(self, row: Mapping[str, Any], staff: dict[str, bool]) -> tuple[ArticleAuthor, tuple[str, ...]]:
        name = _name(row)
        if self._is_own(row):
            return ArticleAuthor.BRIDGE, ()
        if name in _NOT_PEOPLE:
            return ArticleAuthor.SYSTEM, ()
        if name not in staff:
            user = self._client.find(f"/user/{segment(name)}")
            if user is None:
                return ArticleAuthor.CUSTOMER, (f"RT does not tell whether {name} is an agent; this was not taken for a reply.",)
            staff[name] = str(user.get("Privileged")) == "1"
        if staff[name]:
            return ArticleAuthor.AGENT, ()
        return (ArticleAuthor.BRIDGE if field_values(row, MESSAGE_FIELD) else ArticleAuthor.CUSTOMER), ()

    def _content(self, transaction: str) -> tuple[Text, tuple[Attachment, ...]]:
        parts = self._client.search(f"/transaction/{transaction}/attachments", {"fields": "ContentType,Filename,Headers"})
        bodies: list[Mapping[str, Any]] = []
        files = []
        for part in parts:
            content_type = str(part.get("ContentType") or "").lower()
            if content_type.startswith("multipart/"):
                continue
            if not part.get("Filename") and content_type in ("text/plain", "text/html", ""):
                bodies.append(part)
            else:
                files.append(_attachment(transaction, part, content_type))
        # Plain text before HTML is the same message for programs that show no HTML; what follows is further text of its own.
        first_html = next((at for at, part in enumerate(bodies) if part["ContentType"] == "text/html"), 0)
        return join([text for part in bodies[first_html:] if (text := self._text(part))], "\n\n"), tuple(files)

    def _text(self, part: Mapping[str, Any]) -> Text:
        stored = read_object(self._client.get(f"/attachment/{part['id']}"))
        try:
            words = base64.b64decode(stored.get("Content") or "").decode("utf-8", "replace").replace("\r\n", "\n").replace("\0", "")
        except binascii.Error:
            words = str(stored["Content"])
        return from_html(words) if part["ContentType"] == "text/html" else Text(words).strip()


def _name(row: Mapping[str, Any]) -> str:
    creator = row.get("Creator") or {}
    return str(creator.get("Name") or creator.get("id") or "")


def _attachment(transaction: str, part: Mapping[str, Any], content_type: str) -> Attachment:
    size = re.search(r"^Content-Length: ([0-9]+)$", str(part.get("Headers") or ""), re.MULTILINE)
    ending = mimetypes.guess_extension(content_type) or ""
    return Attachment(
        media_ref=MediaRef(f"{transaction}/{part['id']}"),
        filename=part.get("Filename") or f"file-{part['id']}{ending}",
        content_type=content_type or "application/octet-stream",
        size=int(size[1]) if size else None,
    )
