"""The conversation as it is drawn: each message with who spoke, its revisions, files, reactions, and how far it came. Plain data out of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from plugin.domain.codec import decode, decode_event
from plugin.domain.events import ActionTaken, ArticleAdded, MessageEdited, MessageReceived, ReactionChanged
from plugin.domain.model import Attachment, Contact
from plugin.domain.text import MarkKind, Text
from plugin.policy.safety import thread_guard
from plugin.policy.safety.thread_guard import OurSide

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_STATES = ("held", "quarantined", "failed", "unknown", "sending", "pending", "dropped", "sent")
"""Of a message's parts the worst counts."""
_STATUS = {"quarantined": "unclear", "unknown": "checking", "pending": "sending", "dropped": "discarded"}
Row_ = Row[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What was read of a thread: see `plugin.store.panels`. Messages come newest first."""

    conversations: Mapping[int, Row_]
    messages: Sequence[Row_]
    changes: Sequence[Row_]
    sendings: Sequence[Row_]
    refused: Mapping[tuple[int, int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """What drawing needs besides: whom we know as ours, and where browsers get pictures of events and contacts from."""

    ours: OurSide
    now: datetime
    file_address: Callable[[int, int], str]
    avatar_address: Callable[[int], str]
    hidable: frozenset[int] = frozenset()
    """Conversations on platforms that let us hide what others say."""
    hidden: frozenset[str] = frozenset()
    """Ids of messages that we have hidden there."""


def messages(rows: Rows, eyes: Eyes) -> list[dict[str, Any]]:
    """The messages, oldest first."""
    ids = {ref: row.id for row in rows.messages for ref in row.refs or ()}
    edits, reactions = _changes(rows.changes, ids)
    sent: dict[int, list[Row_]] = defaultdict(list)
    for item in rows.sendings:
        sent[item.event_id].append(item)
    return [_message(row, rows, eyes, ids, edits[row.id], reactions[row.id], sent[row.event_id]) for row in reversed(rows.messages)]


def deliveries(rows: Rows) -> list[dict[str, Any]]:
    """How far each message of ours came, oldest first."""
    sent: dict[int, list[Row_]] = defaultdict(list)
    for item in rows.sendings:
        sent[item.event_id].append(item)
    return [_delivery(row, _own(row, sent[row.event_id])) for row in reversed(rows.messages) if row.direction in {"outbound", "notice"}]


def _own(row: Row_, sendings: Sequence[Row_]) -> list[Row_]:
    """One event may have brought a reply and a notice."""
    is_notice = row.direction == "notice"
    return [item for item in sendings if (item.lane == "notices") is is_notice]


def _delivery(row: Row_, sendings: Sequence[Row_]) -> dict[str, Any]:
    worst = min(sendings, key=lambda item: _STATES.index(item.state) if item.state in _STATES else 0, default=None)
    state = worst.state if worst is not None else "sent"
    status = row.delivery if state == "sent" and row.delivery else _STATUS.get(state, state)
    said = worst is not None and state != "sent"
    return {
        "message": row.id,
        "article": (row.articles or [None])[0],
        "status": status,
        "at": in_json(worst.ended_at or worst.created_at if worst is not None else row.created_at),
        "error_code": worst.reason if said and worst is not None else "",
        "error_text": worst.reason_text if said and worst is not None else "",
        "parts": len(sendings),
        "parts_sent": sum(item.state == "sent" for item in sendings),
        "can_retry": state == "quarantined",
    }


def _changes(changes: Sequence[Row_], ids: Mapping[str, int]) -> tuple[Mapping[int, list[Any]], Mapping[int, dict[str, set[str]]]]:
    edits: dict[int, list[Any]] = defaultdict(list)
    reactions: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in changes:
        event = decode_event(row.payload)
        if not isinstance(event, MessageEdited | ReactionChanged) or event.message_ref not in ids:
            continue
        message = ids[event.message_ref]
        if isinstance(event, MessageEdited):
            edits[message].append({"at": in_json(row.occurred_at or row.received_at), "text": text(event.text)})
        elif event.added:
            reactions[message][event.emoji].add(event.author.ref)
        else:
            reactions[message][event.emoji].discard(event.author.ref)
    return edits, reactions


def _message(
    row: Row_,
    rows: Rows,
    eyes: Eyes,
    ids: Mapping[str, int],
    edits: list[Any],
    reactions: Mapping[str, set[str]],
    sendings: Sequence[Row_],
) -> dict[str, Any]:
    event = decode_event(row.payload)
    conversation = rows.conversations[row.conversation_id]
    said = _said(event, _own(row, sendings), is_notice=row.direction == "notice")
    first = text(said)
    received = event if isinstance(event, MessageReceived) else None
    parent = received.parent_ref if received is not None else _answered(sendings)
    return {
        "id": row.id,
        "direction": row.direction,
        "author": _author(row, event, conversation, eyes),
        "text": edits[-1]["text"] if edits else first,
        "versions": [{"at": in_json(row.occurred_at or row.created_at), "text": first}, *edits] if edits else [],
        "at": in_json(row.occurred_at or row.created_at),
        "deleted_at": in_json(row.deleted_at),
        "parent": ids.get(parent) if parent else None,
        "parent_missing": bool(parent) and parent not in ids,
        "visibility": received.visibility.value if received is not None else conversation.visibility,
        "conversation": row.conversation_id,
        "url": _web(received.url) if received is not None else "",
        "files": _files(row, event, rows.refused, eyes),
        "reactions": [{"emoji": emoji, "count": len(who)} for emoji, who in reactions.items() if who],
        "remarks": [*getattr(event, "remarks", ())],
        "found_by": received.found_by if received is not None else "",
        "no_reply": received.no_reply if received is not None else "",
        "hide": _hiding(row, eyes),
    }


def _hiding(row: Row_, eyes: Eyes) -> str:
    """What may be pressed about a message being seen: hide, show again, or nothing."""
    if row.direction != "inbound" or row.deleted_at is not None or row.conversation_id not in eyes.hidable or not row.refs:
        return ""
    return "show" if eyes.hidden & set(row.refs) else "hide"


def _said(event: object, sendings: Sequence[Row_], *, is_notice: bool) -> Text:
    match event:
        case MessageReceived() | MessageEdited() | ArticleAdded() if not is_notice:
            return event.text
        case ActionTaken() if not is_notice:
            return Text(dict(event.arguments).get("text", ""))
    parts = [decode(Text, item.payload["text"]) for item in sendings if item.payload.get("text")]
    return Text("\n".join(part.plain for part in parts))


def _answered(sendings: Sequence[Row_]) -> str | None:
    return next((item.payload.get("reply_to") for item in sendings if item.payload.get("reply_to")), None)


def _author(row: Row_, event: object, conversation: Row_, eyes: Eyes) -> dict[str, Any]:
    if row.direction == "notice":
        return {"role": "crossdesk", "name": "Crossdesk", "handle": "", "avatar": None, "likeness": "", "label": ""}
    if row.direction == "outbound":
        name = event.agent_name if isinstance(event, ArticleAdded) else event.actor if isinstance(event, ActionTaken) else ""
        return {"role": "agent", "name": name, "handle": "", "avatar": None, "likeness": "", "label": ""}
    if row.direction == "native":
        return {"role": "staff", "name": "", "handle": "", "avatar": None, "likeness": "", "label": ""}
    contact = event.author if isinstance(event, MessageReceived) else decode(Contact, row.profile) if row.profile else None
    if contact is None:
        return {"role": "customer", "name": "", "handle": "", "avatar": None, "likeness": "", "label": ""}
    avatar = eyes.avatar_address(row.contact_id) if contact.avatar_url and row.contact_id is not None else None
    told = {"name": contact.display_name or contact.handle, "handle": contact.handle, "avatar": avatar}
    if conversation.contact_id is None or row.contact_id == conversation.contact_id:
        return {"role": "customer", **told, "likeness": "", "label": ""}
    said = event.text if isinstance(event, MessageReceived) else Text("")
    channel = str(conversation.place).partition(":")[2]
    found = thread_guard.judge(contact, said, ours=eyes.ours, now=eyes.now, channel=channel)
    return {"role": "bystander", **told, "likeness": found.likeness.value, "label": thread_guard.sentence(found)}


def _files(row: Row_, event: object, refused: Mapping[tuple[int, int], str], eyes: Eyes) -> list[dict[str, Any]]:
    attachments: Sequence[Attachment] = getattr(event, "attachments", ())
    is_theirs = row.direction == "inbound"
    return [
        {
            "name": item.filename,
            "content_type": item.content_type,
            "size": item.size,
            "description": item.description,
            "refusal": refused.get((row.event_id, part), "") if is_theirs else "",
            "src": eyes.file_address(row.event_id, part) if is_theirs and _is_picture(item) and row.deleted_at is None else None,
        }
        for part, item in enumerate(attachments)
    ]


def _is_picture(item: Attachment) -> bool:
    return item.content_type.partition(";")[0].strip().lower() in PICTURES


def text(said: Text) -> dict[str, Any]:
    """Words with the marks that a reader needs; links lead to the web or nowhere."""
    shown = {MarkKind.BOLD, MarkKind.ITALIC, MarkKind.STRIKE, MarkKind.CODE, MarkKind.PRE, MarkKind.QUOTE, MarkKind.LINK}
    marks = [
        {"start": mark.start, "end": mark.end, "kind": mark.kind.value, **({"url": mark.target} if mark.kind is MarkKind.LINK else {})}
        for mark in said.marks
        if mark.kind in shown and mark.start < mark.end and (mark.kind is not MarkKind.LINK or _web(mark.target))
    ]
    return {"plain": said.plain, "marks": marks}


def _web(address: str) -> str:
    return address if address.lower().startswith(("https://", "http://")) else ""


def in_json(moment: datetime | None) -> str | None:
    """A time as the snapshot has it."""
    return None if moment is None else moment.isoformat()
