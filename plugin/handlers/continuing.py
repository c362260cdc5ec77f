"""The private page in the engine: whose words they are that came by it, and when the ticket's replies go there.

Everybody who sees a public thread can open the link in it. So what comes by the page is a stranger's word, filed as such, until the customer has said in
the thread, from their own account, the one-time word that this very browser was shown. From then on the page is the customer's private conversation.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from sqlalchemy import Connection

from plugin.contracts.platform import ContinuesConversations
from plugin.domain.errors import ConfigError
from plugin.domain.events import ActionTaken, MessageReceived
from plugin.domain.ids import Place
from plugin.domain.model import Lane, Origin, Visibility
from plugin.handlers import crossing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.routing import Desktop, Ignored, Routed, Verdict
from plugin.policy.safety import proofs
from plugin.store import conversations, intake, leads, ledger, pages, persons, timers
from plugin.store.database import Database, now
from plugin.store.decisions import NewDecision
from plugin.store.intake import Arrival

PROVED = "page_proved"
STRANGER = (
    "This came by the private page whose link stands in the thread. Whoever wrote it has not proved to be the customer: tell them nothing of the ticket. "
    "It is proved when the customer says in the thread the word that the page shows."
)


def is_stranger(desktop: Desktop, policy: PolicyAtWork | None) -> bool:
    """Something was written on the page: whether by somebody who is not proved to be the customer. The first words find their ticket here."""
    adapter = desktop.channel.adapter
    if not isinstance(adapter, ContinuesConversations):
        return False
    origin, visit = adapter.continues(desktop.held.thread_key)
    is_proved = pages.is_proved(desktop.connection, visit)
    if not desktop.course.has_ticket:
        if is_proved and policy is not None:
            _take_over(desktop, policy, origin)
        elif leads.point(desktop.connection, desktop.held.id, origin):
            desktop.course.has_ticket = True
    return not is_proved


def hear(desktop: Desktop, event: MessageReceived) -> None:
    """The customer said something in the thread: perhaps the word that their page shows."""
    policy, held = desktop.policy, desktop.held
    if policy is None or policy.page is None or policy.contract.page_open_for is None or event.visibility is not Visibility.PUBLIC:
        return
    said = proofs.words_in(event.text.plain)
    if not said:
        return
    proved = pages.prove(desktop.connection, held.id, said, seconds=policy.contract.page_open_for.total_seconds())
    if not proved:
        return
    reason = "The customer said the page's one-time word in the thread."
    crossing.record(desktop, policy, NewDecision(event_id=desktop.row.id, kind="person", rule=PROVED, reason=reason))
    told = f"{reason} What they write on the private page is theirs from now on, and replies in this ticket go there. "
    desktop.commit(
        desktop.wish(
            Lane.TO_HELPDESK,
            "note:page",
            {"kind": "note", "text": f"{told}If that is wrong: `crossdesk conversation close-page {held.id}`."},
        )
    )
    for row in pages.conversations_of(desktop.connection, held.helpdesk, held.id, proved):
        _press(desktop.connection, Place(row.place), row.id, actor="the customer")


def pressed(desktop: Desktop, _: ActionTaken) -> Verdict:
    """The holder of this page is the customer: it takes the ticket over."""
    adapter, policy = desktop.channel.adapter, desktop.policy
    if not isinstance(adapter, ContinuesConversations) or policy is None:
        return Ignored(reason="no_page")
    origin, visit = adapter.continues(desktop.held.thread_key)
    if not pages.is_proved(desktop.connection, visit):
        return Ignored(reason="not_proved")
    _take_over(desktop, policy, origin)
    return Routed()


def close(database: Database, conversation_id: int, *, actor: str, reason: str = "") -> int:
    """End every pass to a conversation's private page, and let the ticket's replies go to where they went before. Returns how many passes there were.

    Raises:
        ConfigError: there is no such conversation.
    """
    with database.begin() as connection:
        row = pages.conversation(connection, conversation_id)
        if row is None:
            raise ConfigError(f"There is no conversation {conversation_id}; nothing was done. `crossdesk conversation list` shows them.")
        ended = pages.revoke(connection, conversation_id)
        state = leads.give_back(connection, conversation_id)
        if state is not None:
            timers.replace(connection, row.place, conversation_id, [(timer.name, timer.at) for timer in state.timers])
        told = {"passes": ended, "reason": reason}
        ledger.record(connection, actor=actor, action="close page", subject=f"conversation {conversation_id}", detail=told)
        return ended


def _take_over(desktop: Desktop, policy: PolicyAtWork, origin: int) -> None:
    """The page is the customer's own private conversation about this ticket."""
    connection, held, course = desktop.connection, desktop.held, desktop.course
    taken = leads.take_over(connection, held.id, origin)
    if taken is None:
        return
    course.state, course.has_ticket = taken.state, True
    course.progress = replace(course.progress, unanswered_since=taken.unanswered_since)
    if held.contact_id is not None and taken.contact_id is not None:
        persons.join(connection, [taken.contact_id, held.contact_id])
        if taken.customer_ref is not None:
            conversations.set_customer_ref(connection, held.contact_id, taken.customer_ref)
    told = "The customer goes on by the private page. Replies go there now; in public nothing more is posted."
    desktop.commit(crossing.note(desktop, "followed", told))
    reason = "The holder of the page proved to be the customer."
    crossing.record(desktop, policy, NewDecision(event_id=desktop.row.id, kind="person", rule="page took the ticket over", reason=reason))


def _press(connection: Connection, place: Place, conversation_id: int, *, actor: str) -> None:
    event = ActionTaken(
        event_key=f"crossdesk:action:{conversation_id}:{uuid.uuid4().hex}", occurred_at=now(connection), action=PROVED, actor=actor
    )
    intake.insert_for_conversation(connection, place, conversation_id, [Arrival(event=event, origin=Origin.ACTION)])
