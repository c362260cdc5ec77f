"""Erasing a person everywhere in Crossdesk, in one transaction: what was said by, to and about them, under which name, and what it was judged on.

Events, messages and wishes stay as empty rows, so that every count adds up as before and a post that comes again is known. What stays elsewhere is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from plugin.domain.codec import decode_event, encode_event
from plugin.domain.errors import ConfigError
from plugin.domain.events import (
    ActionTaken,
    ArticleAdded,
    ArticleAuthor,
    ContactReachability,
    DeliveryUpdated,
    Event,
    MemberUnreadable,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
    TicketChanged,
)
from plugin.domain.ids import ContactRef, ThreadKey
from plugin.domain.model import Contact
from plugin.domain.text import Text
from plugin.store import erasure, ledger
from plugin.store.database import Database
from plugin.store.erasure import ERASED, Circle

_ACTION = "person erased"
_SOMEBODY = Contact(ref=ContactRef(ERASED))
_THREAD = ThreadKey(ERASED)
_STAYS = frozenset(
    [
        "kind",
        "lane",
        "op",
        "part",
        "author",
        "parent",
        "agent",
        "fence",
        "private",
        "released",
        "needs_ticket",
        "needs_linked",
        "let_pass",
        "reply_to",
        "message_ref",
        "article",
        "visibility",
    ]
)
"""What a wish may go on saying: how it was done, and which ids it had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What went, by kind, and what stays, in sentences."""

    conversations: tuple[int, ...]
    erased: Mapping[str, int]
    kept: tuple[str, ...]

    @property
    def total(self) -> int:
        """How many rows held something."""
        return sum(self.erased.values())


def erase(database: Database, conversation_id: int, *, actor: str, reason: str = "", spooled: int = 0) -> Erasure:
    """Erase the person who opened a conversation. A second time finds nothing, or what was said since. `spooled`: deliveries not in the store yet.

    Raises:
        ConfigError: there is no such person, or something of theirs is on its way; nothing was changed.
    """
    with database.begin() as connection:
        circle = erasure.circle(connection, conversation_id)
        if circle is None:
            raise ConfigError(
                f"There is no conversation {conversation_id} with a contact; nothing was erased. `crossdesk conversation list` shows them."
            )
        if busy := erasure.lock(connection, circle):
            raise ConfigError(
                f"Conversation {', '.join(map(str, busy))} is being worked on, or a call to the outside is unclear there; nothing was erased. Try again "
                "in a minute; `crossdesk ledger quarantine list` shows what waits for a decision."
            )
        elsewhere = _elsewhere(connection, circle)
        erased = erasure.empty(connection, circle) | {
            "events, emptied": _empty_events(connection, circle),
            "wishes, emptied": erasure.rewrite(connection, "intent", _changed(erasure.wishes(connection, circle), _emptied_wish)),
        }
        found = Erasure(
            conversations=circle.conversations,
            erased={kind: count for kind, count in erased.items() if count},
            kept=(*elsewhere, *_kept(connection, circle, spooled)),
        )
        if found.total:
            detail: dict[str, Any] = {"conversations": list(circle.conversations), "erased": dict(found.erased)}
            detail |= {"reason": reason} if reason else {}
            ledger.record(connection, actor=actor, action=_ACTION, subject=f"conversation {conversation_id}", detail=detail)
        return found


# What is left of an event and of a wish


def emptied(kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of an event without words, names and files; what cannot be read keeps its kind alone."""
    try:
        return encode_event(_emptied(decode_event(payload)))
    except (AttributeError, KeyError, TypeError, ValueError):
        return {"type": kind}


def _emptied(event: Event) -> Event:
    match event:
        case MessageReceived():
            return replace(
                event,
                thread_key=_THREAD,
                former_thread=None,
                author=_SOMEBODY,
                text=Text(""),
                attachments=(),
                url="",
                remarks=(),
                no_reply="",
                album="",
            )
        case MessageEdited():
            return replace(event, text=Text(""), attachments=(), thread_key=None, author_ref=None, remarks=())
        case MessageDeleted():
            return replace(event, thread_key=None)
        case ReactionChanged():
            return replace(event, author=_SOMEBODY, emoji="", added=False, thread_key=None)
        case DeliveryUpdated():
            return replace(event, detail="", thread_key=None)
        case ContactReachability():
            return replace(event, thread_key=_THREAD, detail="")
        case MemberUnreadable():
            return replace(event, reason=ERASED, excerpt="", thread_key=None)
        case ArticleAdded():
            name = event.agent_name if event.author is ArticleAuthor.AGENT else ""
            return replace(event, text=Text(""), agent_name=name, attachments=(), remarks=(), unsent="")
        case TicketChanged():
            return replace(event, fields=())
        case ActionTaken():
            return replace(event, reason="", arguments=tuple(item for item in event.arguments if item[0] == "ref"))
        case _:
            return event


def _emptied_wish(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if name in _STAYS else _blank(value) for name, value in payload.items()}


def _blank(value: Any) -> Any:
    """The same shape without words."""
    if isinstance(value, str):
        return ""
    if isinstance(value, Mapping):
        return {"plain": ""} if "plain" in value else {name: _blank(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_blank(item) for item in value]
    return value


def _empty_events(connection: Connection, circle: Circle) -> int:
    rows = list(erasure.payloads(connection, circle.events))
    changed = {row.id: new for row in rows if (new := emptied(row.kind, row.payload)) != row.payload}
    return erasure.rewrite(connection, "inbound_event", changed)


def _changed(rows: Sequence[Any], empty: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {row.id: new for row in rows if (new := empty(row.payload)) != row.payload}


# What stays


def _elsewhere(connection: Connection, circle: Circle) -> list[str]:
    """What others hold, as long as we still know it."""
    said = []
    for row in erasure.in_helpdesk(connection, circle):
        tickets, customers = ", ".join(row.tickets or ()), ", ".join(row.customers or ())
        known = f" of customer {customers}" if customers else ""
        said.append(f"{row.helpdesk}: ticket {tickets or 'without a number'}{known}. Erase it there, by the helpdesk's own means.")
    sent = erasure.on_platforms(connection, circle)
    return [*said, *(f"{row.place}: {row.total} messages that we sent stand on the platform. Delete there what must go." for row in sent)]


def _kept(connection: Connection, circle: Circle, spooled: int) -> list[str]:
    said = [
        "Empty rows of events, messages and wishes with the ids that others gave them, so that the ledger adds up and nothing is filed twice.",
        "Log files and backups: they end by their own time.",
    ]
    unread = erasure.unread(connection) + spooled
    if unread:
        said.append(
            f"{unread} deliveries that nobody has looked into yet. Erase once more when they are filed, should they be this person's."
        )
    found = erasure.named_still(connection, (*circle.names, *circle.shown)) if circle.names or circle.shown else {}
    said += [f"{total} rows of {column} still name the person{_why(column)}" for column, total in sorted(found.items())]
    return said


def _why(column: str) -> str:
    if column in {"inbound_event.event_key", "inbound_event.target_ref", "message_ref.ref", "intent.remote_ref"}:
        return ": ids of posts, which hold the account's own on this platform."
    return ": in others' words or your own settings." if column != "inbound_event.payload" else ": in others' words, or in ids of posts."
