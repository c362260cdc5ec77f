"""Notes and tags about a person: agents keep them by an internal note in the ticket or by the command line. Nothing of them is sent to the customer.

What may be kept is `plugin.policy.safety.person_notes`' affair. The audit says who did what, never the words: they stand in one place, where they
can be erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from plugin.domain.errors import ConfigError
from plugin.domain.events import ArticleAdded
from plugin.domain.model import Lane
from plugin.handlers.installation import Installation, PolicyAtWork
from plugin.handlers.routing import Desktop
from plugin.policy.safety import person_notes as rules
from plugin.policy.safety.person_notes import Deed, Wish
from plugin.policy.safety.personal_data import Lookout
from plugin.store import ledger, persons
from plugin.store import person_notes as kept
from plugin.store.database import Database

_TAG = "tag"
_NOBODY = "nobody has written in this conversation yet, so there is no person to keep it about."


# From outside of a turn


def keep(database: Database, installation: Installation, conversation_id: int, wished: Wish, *, actor: str) -> str:
    """Keep a note or a tag about the person of a conversation, or take a tag away. Returns what was done, in a sentence.

    Raises:
        ConfigError: there is no such person, or it may not be kept; nothing was changed.
    """
    with database.begin() as connection:
        contact = _contact(connection, conversation_id)
        done, why = _do(connection, installation.policy, contact, wished, actor=actor, conversation_id=conversation_id)
    if why:
        raise ConfigError(f"Nothing was kept about this person: {why}")
    return done


def listed(database: Database, conversation_id: int) -> list[dict[str, Any]]:
    """Everything that is kept about the person of a conversation, the newest first.

    Raises:
        ConfigError: there is no such person.
    """
    with database.begin() as connection:
        rows = kept.of_contacts(connection, _members(connection, _contact(connection, conversation_id)))
    return [{"id": row.id, "kind": row.kind, "words": row.words, "by": row.actor, "at": row.created_at} for row in rows]


def erase(database: Database, conversation_id: int, *, actor: str, only: Sequence[int] | None = None) -> int:
    """Erase notes and tags about the person of a conversation, all or these ids. Returns how many went.

    Raises:
        ConfigError: there is no such person.
    """
    with database.begin() as connection:
        contact = _contact(connection, conversation_id)
        gone = kept.erase(connection, _members(connection, contact), only=only)
        if gone:
            _record(connection, actor, "person notes erased", conversation_id, erased=gone)
        return gone


def _contact(connection: Connection, conversation_id: int) -> int:
    chat = persons.chat(connection, conversation_id)
    if chat is None:
        raise ConfigError(
            f"There is no conversation {conversation_id} with a contact; nothing was done. `crossdesk conversation list` shows them."
        )
    return int(chat.contact_id)


def _members(connection: Connection, contact_id: int) -> list[int]:
    return [row.id for row in persons.members(connection, [contact_id])]


# In a turn


def noted(desktop: Desktop, event: ArticleAdded) -> bool:
    """An internal note: False unless it is a command about the person."""
    wished = rules.read_command(event.text.plain)
    if wished is None:
        return False
    held = desktop.held
    if held.contact_id is None:
        done, why = "", _NOBODY
    else:
        done, why = _do(desktop.connection, desktop.policy, held.contact_id, wished, actor=event.agent_name, conversation_id=held.id)
    words = f"Nothing was kept about this person: {why} This note stays in the ticket; delete it there if it must not." if why else done
    desktop.commit(desktop.wish(Lane.TO_HELPDESK, "note:person", {"kind": "note", "text": words}))
    return True


def _do(
    connection: Connection, policy: PolicyAtWork | None, contact_id: int, wished: Wish, *, actor: str, conversation_id: int
) -> tuple[str, str]:
    """What was done, or why not."""
    why = rules.why_refused(wished, policy.watch.lookout if policy is not None else Lookout())
    if why:
        return "", why
    members = _members(connection, contact_id)
    rows = kept.of_contacts(connection, members)
    same = [row.id for row in rows if wished.deed is not Deed.NOTE and row.kind == _TAG and row.words == wished.words]
    if wished.deed is Deed.UNTAG:
        if not same:
            return "", f"it has no tag {wished.words}."
        kept.erase(connection, members, only=same)
        _record(connection, actor, "person untag", conversation_id, contact=contact_id)
        return f"The tag {wished.words} was taken from this person.", ""
    if same:
        return f"This person has the tag {wished.words} already.", ""
    if len(rows) >= rules.MOST:
        return (
            "",
            f"there are {len(rows)} notes and tags about this person; {rules.MOST} are the most. Erase some with `crossdesk person erase`.",
        )
    number = kept.add(connection, contact_id, kind=wished.deed.value, words=wished.words, actor=actor)
    _record(connection, actor, f"person {wished.deed}", conversation_id, contact=contact_id, number=number)
    what = "note" if wished.deed is Deed.NOTE else f"tag {wished.words}"
    back = f"`crossdesk person erase {conversation_id} {number}` takes it back."
    return f"Kept the {what} about this person, for agents alone. It shows beside every ticket of this person. {back}", ""


def _record(connection: Connection, actor: str, action: str, conversation_id: int, **detail: int) -> None:
    ledger.record(connection, actor=actor, action=action, subject=f"conversation {conversation_id}", detail=detail)
