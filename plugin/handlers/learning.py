"""Learning: a conversation leaves what solved it, and agents see that again when somebody writes something similar. Nothing is sent by itself.

A lesson comes by the command line, by the panel, or as an internal note that begins with `/solved`. What may stand in one is
`plugin.policy.safety.lessons`' affair.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from plugin.domain.errors import ConfigError
from plugin.domain.events import ActionTaken, ArticleAdded, MessageReceived
from plugin.domain.ids import Place
from plugin.domain.model import Lane, Origin
from plugin.handlers import wording
from plugin.handlers.installation import Installation, PolicyAtWork
from plugin.handlers.routing import Desktop, Routed, Verdict
from plugin.policy.safety import lessons, solutions
from plugin.policy.safety.lessons import Lesson
from plugin.policy.safety.personal_data import Lookout
from plugin.policy.safety.solutions import SolutionNote, Suggestion
from plugin.store import conversations, events, intake, leads, ledger
from plugin.store import solutions as kept
from plugin.store.database import Database, now
from plugin.store.decisions import NewDecision
from plugin.store.intake import Arrival
from plugin.store.solutions import NewSolution

SOLVED, WITHDRAWN = "solved", "unsolved"
SUGGESTION = "suggestion"
"""The kind of decision that names what was suggested."""
_FIRST_MESSAGES = 3
_OTHERS = 50
"""As if so many notes about other things stood there, so that the first ones of an installation are not taken for commonplaces."""


# From outside of a turn


def keep(database: Database, installation: Installation, conversation_id: int, lesson: Lesson, *, actor: str) -> int:
    """Keep what solved a conversation; the ticket says so with the conversation's next turn. Returns the event's id.

    Raises:
        ConfigError: there is no such conversation or ticket, or the lesson has somebody's data in it.
    """
    with database.begin() as connection:
        lead = _lead(connection, conversation_id)
        why = _keep(connection, installation.policy, lead.id, lesson, actor=actor)
        if why:
            raise ConfigError(f"What solved it was not kept: {why}")
        return _press(connection, lead, SOLVED, actor)


def withdraw(database: Database, conversation_id: int, *, actor: str) -> bool:
    """Forget what solved a conversation; False when nothing was kept.

    Raises:
        ConfigError: there is no such conversation.
    """
    with database.begin() as connection:
        lead = _lead(connection, conversation_id)
        if not kept.forget(connection, lead.id):
            return False
        _press(connection, lead, WITHDRAWN, actor)
        return True


def find(database: Database, conversation_id: int) -> list[dict[str, Any]]:
    """What solved earlier conversations that resemble this one, now, the best first.

    Raises:
        ConfigError: there is no such conversation.
    """
    with database.begin() as connection:
        lead = _lead(connection, conversation_id)
        said = " ".join(kept.said(connection, lead.id))
        found = _rank(connection, said, helpdesk=lead.helpdesk, conversation_id=lead.id)
    return [
        {
            "ticket": row.ticket_number,
            "url": row.ticket_url,
            "conversation": row.conversation_id,
            "note": row.note,
            "tags": row.tags,
            "link": row.link,
            "score": round(item.score, 2),
            "words": list(item.words),
        }
        for item, row in found
    ]


def _lead(connection: Connection, conversation_id: int) -> Row[Any]:
    row = leads.lead_of(connection, conversation_id)
    if row is None:
        raise ConfigError(f"There is no conversation {conversation_id}; nothing was done. `crossdesk conversation list` shows them.")
    return row


def _press(connection: Connection, lead: Row[Any], action: str, actor: str) -> int:
    """The press names nobody's words: they stand in the note alone, which can be forgotten."""
    key = f"crossdesk:action:{lead.id}:{uuid.uuid4().hex}"
    event = ActionTaken(event_key=key, occurred_at=now(connection), action=action, actor=actor)
    intake.insert_for_conversation(connection, lead.place, lead.id, [Arrival(event=event, origin=Origin.ACTION)])
    ledger.record(connection, actor=actor, action=action, subject=f"conversation {lead.id}", detail={})
    return events.id_of(connection, lead.place, key)


# In a turn


def pressed(desktop: Desktop, event: ActionTaken) -> Verdict:
    """What was kept or taken back is told in the ticket, in the order of things."""
    _decide(desktop, "action", event.action, by=event.actor)
    row = kept.of_conversation(desktop.connection, desktop.held.id)
    if event.action == WITHDRAWN:
        _tell(desktop, "unlearned", f"{event.actor} took back what was kept as having solved this. Nobody is shown it any more.")
    elif row is not None:
        _tell(desktop, "learned", wording.lesson_kept(_shown(row)))
    return Routed()


def noted(desktop: Desktop, event: ArticleAdded) -> bool:
    """An internal note: False unless it says what solved it."""
    lesson = lessons.read_command(event.text.plain)
    if lesson is None:
        return False
    why = _keep(desktop.connection, desktop.policy, desktop.held.id, lesson, actor=event.agent_name)
    if why:
        _tell(desktop, "unlearned", wording.lesson_refused(why))
        return True
    ledger.record(desktop.connection, actor=event.agent_name, action=SOLVED, subject=f"conversation {desktop.held.id}", detail={})
    _decide(desktop, "action", SOLVED, by=event.agent_name)
    row = kept.of_conversation(desktop.connection, desktop.held.id)
    _tell(desktop, "learned", wording.lesson_kept(_shown(row)))
    return True


def suggest(desktop: Desktop, event: MessageReceived) -> None:
    """Show the agents what solved something similar, each note once in a conversation, for what a customer says first."""
    wants = desktop.policy.book.follow_up.suggest if desktop.policy is not None else True
    held = desktop.held
    if not wants or desktop.course.progress.customer_messages > _FIRST_MESSAGES:
        return
    found = _rank(desktop.connection, event.text.plain, helpdesk=held.helpdesk, conversation_id=held.id)
    if found:
        before = {row.id for row in kept.suggested(desktop.connection, [held.id], limit=100)}
        found = [(item, row) for item, row in found if row.id not in before]
    if not found:
        return
    outcome = {"solutions": [[row.id, round(item.score, 3)] for item, row in found]}
    _decide(desktop, SUGGESTION, "learning", **outcome)
    lines = [
        wording.suggestion(row.ticket_number or "-", row.ticket_url, row.note, tags=row.tags, link=row.link, words=item.words)
        for item, row in found
    ]
    _tell(desktop, "suggestion", "\n".join(["What solved similar conversations (a suggestion; nothing is sent by itself):", *lines]))


def unlearn(desktop: Desktop) -> None:
    """The customer took words back: what was kept of them is made of those that still stand."""
    row = kept.of_conversation(desktop.connection, desktop.held.id)
    if row is not None:
        lesson = Lesson(note=row.note, tags=tuple(row.tags), link=row.link)
        _keep(desktop.connection, desktop.policy, desktop.held.id, lesson, actor=row.actor)


def _keep(connection: Connection, policy: PolicyAtWork | None, conversation_id: int, lesson: Lesson, *, actor: str) -> str:
    """Why it was not kept; empty when it was."""
    lookout = policy.watch.lookout if policy is not None else Lookout()
    names = conversations.names_in(connection, conversation_id)
    why = lessons.why_refused(lesson, lookout=lookout, names=names)
    if why:
        return why
    problem = lessons.telling_words(kept.said(connection, conversation_id), lookout=lookout, names=names)
    note = " ".join(lesson.note.split())
    found_by = solutions.keys(" ".join((*problem, note, *lesson.tags)))
    kept.keep(
        connection,
        NewSolution(
            conversation_id=conversation_id, note=note, tags=lesson.tags, link=lesson.link, problem=problem, keys=found_by, actor=actor
        ),
    )
    return ""


def _rank(connection: Connection, said: str, *, helpdesk: Place, conversation_id: int) -> list[tuple[Suggestion, Row[Any]]]:
    rows = kept.candidates(connection, solutions.keys(said), helpdesk=helpdesk, other_than=conversation_id)
    if not rows:
        return []
    by_ref = {str(row.id): row for row in rows}
    notes = [SolutionNote(ref=ref, text=row.note, problem=" ".join(row.problem), tags=tuple(row.tags)) for ref, row in by_ref.items()]
    return [(item, by_ref[item.note.ref]) for item in solutions.rank(said, notes, notes_in_all=rows[0].in_all + _OTHERS)]


def _shown(row: Row[Any] | None) -> str:
    if row is None:
        return ""
    return f"{row.note}" + (f" [{', '.join(row.tags)}]" if row.tags else "") + (f" {row.link}" if row.link else "")


def _decide(desktop: Desktop, kind: str, rule: str, **outcome: str | Sequence[Any]) -> None:
    digest = desktop.policy.judge.digest if desktop.policy is not None else "none"
    desktop.course.decisions.append(NewDecision(event_id=desktop.row.id, kind=kind, rule=rule, outcome=outcome, policy=digest))


def _tell(desktop: Desktop, name: str, words: str) -> None:
    desktop.commit(desktop.wish(Lane.TO_HELPDESK, f"note:{name}", {"kind": "note", "text": words}))
