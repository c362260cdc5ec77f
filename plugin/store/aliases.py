"""Aliases: other ids of a contact, and other keys of a conversation, which the platform itself told. Whoever was known by one goes on under the new.

Only what is about to be taken for new is looked for here, so nobody who is known already costs anything. Nothing is inferred: two ids are one
where an event says so (`Contact.former_ref`, `MessageReceived.former_thread`), and two that were both known stay two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import IntegrityError

from plugin.domain.events import Event, MessageReceived
from plugin.domain.ids import ContactRef, Place

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class _Names:
    """How one kind of thing is looked up by what it was called, and renamed."""

    find: TextClause
    rename: TextClause


_THREADS = _Names(
    text(
        """
        SELECT thread_key AS name, former_keys AS formers FROM conversation WHERE place = :place AND thread_key = ANY(:olds)
        UNION ALL
        SELECT thread_key, former_keys FROM conversation
        WHERE place = :place AND former_keys <> '{}' AND former_keys && CAST(:strange AS varchar[])
        """
    ),
    text(
        "UPDATE conversation SET thread_key = :new, former_keys = former_keys || CAST(:old AS varchar) WHERE place = :place AND thread_key = :old"
    ),
)
_CONTACTS = _Names(
    text(
        """
        SELECT ref AS name, former_refs AS formers FROM contact WHERE place = :place AND ref = ANY(:olds)
        UNION ALL
        SELECT ref, former_refs FROM contact
        WHERE place = :place AND former_refs <> '{}' AND former_refs && CAST(:strange AS varchar[])
        """
    ),
    text("UPDATE contact SET ref = :new, former_refs = former_refs || CAST(:old AS varchar) WHERE place = :place AND ref = :old"),
)


def follow(
    connection: Connection, place: Place, events: Sequence[E], *, threads: Collection[str], people: Collection[str]
) -> tuple[Sequence[E], bool]:
    """The events by the names that count now, and whether anything of them or of what is kept was renamed. `threads` and `people` are known by name."""
    heard = [event for event in events if isinstance(event, MessageReceived)]
    authors = [event.author for event in heard if not event.is_own]
    strange = {key for event in events if (key := getattr(event, "thread_key", None))} - {*threads}
    strangers = {author.ref for author in authors} - {*people}
    # Conversations before contacts, as everywhere: the other way round two transactions would wait for each other.
    moved, has_moved = _follow(
        connection, place, _THREADS, strange, {event.thread_key: event.former_thread for event in heard if event.former_thread}
    )
    named, has_named = _follow(
        connection, place, _CONTACTS, strangers, {author.ref: author.former_ref for author in authors if author.former_ref}
    )
    if moved or named:
        events = [_present(event, moved, named) for event in events]
    return events, has_moved or has_named or bool(moved or named)


def _follow(
    connection: Connection, place: Place, names: _Names, strange: Collection[str], told: Mapping[str, str]
) -> tuple[Mapping[str, str], bool]:
    """By which name each of the strange ones goes now; and whether others were renamed, for it was told by what name they go from now on."""
    if not strange:
        return {}, False
    wanted = {new: old for new, old in told.items() if new in strange}
    found = connection.execute(names.find, {"place": place, "olds": sorted(wanted.values()), "strange": sorted(strange)}).all()
    present = {former: row.name for row in found for former in row.formers if former in strange}
    kept = {row.name for row in found}
    renamed = False
    for new, old in sorted(wanted.items()):
        if old in strange and old not in present:
            present[old] = new  # Both stand in one delivery, and neither is known.
        elif old in kept and new not in present:
            try:
                with connection.begin_nested():
                    connection.execute(names.rename, {"place": place, "new": new, "old": old})
                renamed = True
                present[old] = new  # For what the same delivery still tells by the old name.
            except IntegrityError:
                pass  # Somebody was filed under the new name in this very moment: then they are two, as if both had been known.
    return present, renamed


def _present(event: E, threads: Mapping[str, str], people: Mapping[str, str]) -> E:
    changes: dict[str, Any] = {}
    key = str(getattr(event, "thread_key", None) or "")
    if key in threads:
        changes["thread_key"] = threads[key]
    if isinstance(event, MessageReceived) and event.author.ref in people:
        changes["author"] = replace(event.author, ref=ContactRef(people[event.author.ref]))
    return replace(event, **changes) if changes else event
