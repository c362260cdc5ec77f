"""Replies that wait for a second person: what will be posted, who asked, until when, and the buttons. Decides nothing that the policy does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Flask, g, render_template
from markupsafe import Markup
from sqlalchemy import Connection

from plugin.bootstrap import Bridge
from plugin.domain.codec import decode
from plugin.domain.text import Text
from plugin.handlers.admission import Person
from plugin.policy import approvals
from plugin.policy.approvals import Candidate, Candidates
from plugin.policy.locks import Agent
from plugin.store import panels, waiting_replies
from ui_extensions.console.differences import marked

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One reply as the page shows it. `parts` are the messages that will stand on the platform; `refusal`: why this person may not decide."""

    conversation: int
    place: str
    network: str
    ticket: str
    handle: str
    candidate: Candidate
    asked_at: datetime | None
    written: str
    parts: Sequence[str]
    difference: Markup
    siblings: int
    """How many others answer the same message."""
    refusal: str
    recall_refusal: str

    @property
    def subject(self) -> str:
        """What the acts are pressed on."""
        return f"{self.conversation}:{self.candidate.number}"


def add_approval_pages(app: Flask, bridge: Bridge) -> None:
    """`/approvals`."""

    @app.get("/approvals")
    def approvals_page() -> str:
        with bridge.database.begin() as connection:
            found = waiting(bridge, connection, g.person)
        return render_template("approvals.html", waiting=found)


def waiting(bridge: Bridge, connection: Connection, person: Person) -> list[Waiting]:
    """Every reply that waits, the soonest deadline first."""
    rows = waiting_replies.conversations(connection)
    listed = [
        (row, candidate, candidates) for row in rows for candidates in [decode(Candidates, row.candidates)] for candidate in candidates
    ]
    numbers = [candidate.number for _, candidate, _ in listed]
    written = waiting_replies.written(connection, numbers)
    sendings = [item for item in panels.sendings(connection, numbers) if item.op == "reply" and item.state in {"pending", "held"}]
    found = []
    for row, candidate, candidates in listed:
        parts = [decode(Text, item.payload["text"]).plain for item in sendings if item.event_id == candidate.number]
        if parts:
            found.append(_waiting(bridge, row, candidate, candidates, written.get(candidate.number), parts, person))
    return sorted(found, key=lambda item: (item.candidate.deadline or _NEVER, item.conversation, item.candidate.number))


def _waiting(
    bridge: Bridge, row: Any, candidate: Candidate, candidates: Candidates, written: Any, parts: Sequence[str], person: Person
) -> Waiting:
    channel = bridge.installation.channels.get(row.place)
    proposed = "\n\n".join(parts)
    original = decode(Text, written.payload["text"]).plain if written is not None and "text" in written.payload else proposed
    return Waiting(
        conversation=row.id,
        place=row.place,
        network=channel.platform_name if channel is not None else row.place,
        ticket=row.ticket_number or "",
        handle=row.handle or "unknown",
        candidate=candidate,
        asked_at=None if written is None else written.received_at,
        written=original,
        parts=parts,
        difference=marked(original, proposed),
        siblings=sum(other.answers == candidate.answers for other in candidates) - 1 if candidate.answers else 0,
        refusal=refusal(candidates, person, "approve", candidate.number, reason="-"),
        recall_refusal=""
        if approvals.may_recall(candidate.author, as_agent(person), role=person.role.value)
        else "only its author or a supervisor",
    )


def as_agent(person: Person) -> Agent:
    """The person as approvals and locks know agents."""
    return Agent(ref=person.login, name=person.name)


def refusal(candidates: Candidates, person: Person, action: str, number: int, *, reason: str) -> str:
    """What stands against a press, by the very rules that will judge it; and nobody decides whom the helpdesk does not know."""
    if not person.is_known:
        return "you came in by a link, so nobody can tell whether the reply is your own; sign in with your helpdesk login."
    return approvals.press(candidates, action, as_agent(person), role=person.role.value, groups=(), reason=reason, number=number).refused
