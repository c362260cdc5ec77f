"""Parked replies: what cannot leave because the platform's reply window is shut waits for the customer, and is withdrawn in the end.

Runs inside a turn's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from plugin.contracts.platform import SendsTemplates, Template
from plugin.domain.codec import encode
from plugin.domain.ids import Place
from plugin.domain.model import Lane
from plugin.domain.text import Text
from plugin.handlers.installation import Installation
from plugin.policy.sections import Parked
from plugin.store import intents, messages
from plugin.store.conversations import Held
from plugin.store.intents import NewIntent, marker_for

OUTLASTED = (
    "The customer did not write again in time, so this reply, for which the platform's reply window was shut, is withdrawn. It stays in the ticket. Reach "
    "the customer another way, or send it again when they write."
)
RELEASED = "The reply window is open again: the reply that waited for it leaves now."


def rules(installation: Installation) -> Parked:
    """How long replies wait, and which template may go out meanwhile."""
    return installation.policy.book.parked if installation.policy is not None else Parked()


def withdrawn_at(installation: Installation, row: Row[Any]) -> datetime:
    """When a reply that waits is withdrawn."""
    moment: datetime = row.created_at + rules(installation).withdraw_after
    return moment


def is_shut(held: Held, row: Row[Any]) -> bool:
    """Whether the platform itself said that it takes no reply, and nobody wrote since: both by our clock."""
    wrote_at = held.progress.last_customer_at
    return row.reason == "window" and row.sent_at is not None and (wrote_at is None or wrote_at <= row.sent_at)


def shut_text(held: Held, row: Row[Any]) -> str:
    """The platform's own words, right after it said them; once the reply is held, its row has the words for the agent instead."""
    return str(row.reason_text) if row.state == "pending" and is_shut(held, row) else ""


def invite(connection: Connection, installation: Installation, held: Held, row: Row[Any]) -> bool:
    """Have the template sent that the policy names for this channel, once for each reply that waits; False where there is none."""
    channel = installation.channels[held.place]
    name = dict(rules(installation).template).get(channel.key, "")
    if not name or not isinstance(channel.adapter, SendsTemplates) or row.part > 0:
        return False
    policy = installation.policy
    language = held.state.language or (policy.language if policy is not None else "en")
    text = Text(f"[The template {name}]")
    payload = {
        "kind": "template",
        "template": encode(Template(name=name, language=language)),
        "text": encode(text),
        "files": [],
        "reply_to": row.payload.get("reply_to"),
        "actor": "The policy",
    }
    wish = NewIntent(
        event_id=row.event_id,
        lane=Lane.TO_SOCIAL,
        op="template",
        marker=marker_for(Place(row.event_place), row.event_key, "template", 0),
        payload=payload,
        message_id=messages.create_notice(connection, held.id, row.event_id, text.plain),
    )
    intents.insert(connection, held.id, [wish])
    return True
