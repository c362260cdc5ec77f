"""How facts arrive: each becomes one row, however often and by whatever way it was told, in its conversation's order. Knows no work on them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, text

from plugin.domain.codec import decode_event, encode, encode_event
from plugin.domain.events import Event, HelpdeskEvent, MemberUnreadable, MessageDeleted, MessageReceived, PlatformEvent, ReactionChanged
from plugin.domain.ids import Place
from plugin.domain.model import Origin
from plugin.store import aliases


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event with the way it came."""

    event: Event
    origin: Origin
    receipt_id: int | None = None


_CONTACTS = text(
    "SELECT id, ref, profile, seen_at > now() - interval '1 day' AS is_fresh FROM contact WHERE place = :place AND ref = ANY(:refs)"
)
_KNOWN_KEYS = text("SELECT event_key FROM inbound_event WHERE place = :place AND event_key = ANY(:keys)")
# What an event leaves unsaid stays as it was told before, be it by an event that said more or by the platform when it was asked.
_UPSERT_CONTACTS = text(
    """
    INSERT INTO contact (place, ref, profile, former_refs)
    SELECT :place, r.ref, r.profile, array_remove(ARRAY[CAST(r.profile->>'former_ref' AS varchar)], NULL)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(ref text, profile jsonb) ORDER BY r.ref
    ON CONFLICT (place, ref) DO UPDATE SET profile = contact.profile || excluded.profile, seen_at = now()
    RETURNING id, ref
    """
)
_UPSERT_CONVERSATIONS = text(
    """
    INSERT INTO conversation (place, thread_key, contact_id, visibility, helpdesk, former_keys)
    SELECT :place, r.thread_key, r.contact_id, r.visibility, :helpdesk, array_remove(ARRAY[r.former], NULL)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(thread_key text, contact_id bigint, visibility text, former varchar) ORDER BY r.thread_key
    ON CONFLICT (place, thread_key) DO UPDATE SET contact_id = COALESCE(conversation.contact_id, excluded.contact_id)
    RETURNING id, thread_key
    """
)
_BY_THREAD = text(
    "SELECT id, thread_key, contact_id FROM conversation WHERE place = :place AND thread_key = ANY(:keys) ORDER BY id FOR UPDATE"
)
_BY_TARGET = text(
    """
    SELECT m.conversation_id, r.ref FROM message_ref r JOIN message m ON m.id = r.message_id
    WHERE r.place = :place AND r.ref = ANY(:refs)
    """
)
_REACTIONS = text(
    "SELECT event_key, payload FROM inbound_event WHERE place = :place AND event_key = ANY(:keys) AND kind = 'ReactionChanged'"
)
_LOCK = text("SELECT id FROM conversation WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
_BY_TICKET = text(
    """
    SELECT DISTINCT ON (ticket_ref) id, ticket_ref FROM conversation
    WHERE helpdesk = :place AND ticket_ref = ANY(:refs)
    ORDER BY ticket_ref, continued_by IS NOT NULL, last_inbound_at DESC NULLS LAST, id DESC
    """
)
_INSERT = text(
    """
    INSERT INTO inbound_event
           (place, event_key, kind, conversation_id, receipt_id, origin, payload, target_ref, occurred_at, state, reason, due_at)
    SELECT :place, r.event_key, r.kind, r.conversation_id, r.receipt_id, r.origin, r.payload, r.target_ref, r.occurred_at,
           CASE WHEN r.kind = 'MemberUnreadable' THEN 'quarantined' WHEN r.conversation_id IS NOT NULL THEN 'accepted'
                WHEN r.target_ref IS NOT NULL THEN 'waiting' ELSE 'ignored' END,
           CASE WHEN r.kind = 'MemberUnreadable' THEN left(r.payload->>'reason', 1000)
                WHEN r.conversation_id IS NULL AND r.target_ref IS NULL THEN 'no_conversation' ELSE '' END,
           CASE WHEN r.conversation_id IS NULL AND r.target_ref IS NOT NULL THEN now() + make_interval(secs => :stray_seconds) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(n int, event_key text, kind text, conversation_id bigint, receipt_id bigint,
         origin text, payload jsonb, target_ref text, occurred_at timestamptz)
    ORDER BY r.n
    ON CONFLICT (place, event_key) DO NOTHING
    RETURNING id, conversation_id, event_key
    """
)
# The reply window counts by the platform's own time, so that what comes late does not seem fresh; our own words do not prolong it.
_MAKE_DUE = text(
    """
    UPDATE conversation SET due_at = LEAST(due_at, now()), last_inbound_at = GREATEST(last_inbound_at, told.at)
    FROM (SELECT t.id, max(CASE WHEN t.is_theirs THEN LEAST(COALESCE(t.at, now()), now()) END) AS at
          FROM unnest(CAST(:ids AS bigint[]), CAST(:theirs AS boolean[]), CAST(:ats AS timestamptz[])) AS t(id, is_theirs, at) GROUP BY t.id) told
    WHERE conversation.id = told.id
    """
)


def insert_platform_events(
    connection: Connection, place: Place, helpdesk: Place, arrivals: Sequence[Arrival], *, stray_seconds: float
) -> int:
    """Keep what a channel told, in the given order, under the row locks of the conversations concerned. Returns how many were new.

    An event about a message that is not known yet waits, unattached, for `stray_seconds`; one about a thread in which nobody has
    spoken is ignored by name.
    """
    arrivals = _with_reactions_taken_back(connection, place, arrivals)
    people, known = _known(connection, place, arrivals)
    events, has_renamed = aliases.follow(
        connection, place, [item.event for item in arrivals], threads=known, people={row.ref for row in people}
    )
    if has_renamed:
        arrivals = [replace(item, event=event) for item, event in zip(arrivals, events, strict=True)]
        people, known = _known(connection, place, arrivals)
    spoken = [item.event for item in arrivals if isinstance(item.event, MessageReceived)]
    again = _said_before_they_went(connection, place, spoken, people)
    if again:
        arrivals = [item for item in arrivals if item.event.event_key not in again]
        spoken = [event for event in spoken if event.event_key not in again]
    contacts = _upsert_contacts(connection, place, spoken, people)
    conversations = _upsert_conversations(connection, place, helpdesk, spoken, contacts, known)
    targets = _targets(connection, place, [item.event for item in arrivals])
    rows = [_row(item, _conversation_of(item.event, conversations, targets)) for item in arrivals]
    others = {event.event_key for event in spoken if not event.is_own}
    return _insert(connection, place, rows, stray_seconds=stray_seconds, counted=others)


def insert_helpdesk_events(connection: Connection, place: Place, arrivals: Sequence[Arrival]) -> int:
    """Keep what a helpdesk told of tickets that are ours; other tickets leave no trace. Returns how many were new."""
    refs = sorted({_ticket_ref(item.event) for item in arrivals})
    found = connection.execute(_BY_TICKET, {"place": place, "refs": refs})
    conversations = {row.ticket_ref: row.id for row in found}
    _lock(connection, conversations.values())
    rows = [
        _row(item, conversations.get(ref))
        for item in arrivals
        if (ref := _ticket_ref(item.event)) in conversations or isinstance(item.event, MemberUnreadable)
    ]
    return _insert(connection, place, rows, stray_seconds=0)


def insert_for_conversation(connection: Connection, place: Place, conversation_id: int, arrivals: Sequence[Arrival]) -> int:
    """Keep events that a look at this conversation's own ticket brought; the caller holds its row lock. Returns how many were new."""
    return _insert(connection, place, [_row(item, conversation_id) for item in arrivals], stray_seconds=0)


def _ticket_ref(event: Event) -> str:
    return event.ticket_ref if isinstance(event, HelpdeskEvent) else ""


def _with_reactions_taken_back(connection: Connection, place: Place, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
    """Where a platform names reactions like messages, one is taken back by the deletion of that name, which alone says neither of what nor whose."""
    gone = {item.event.message_ref for item in arrivals if isinstance(item.event, MessageDeleted)}
    if not gone:
        return arrivals
    given: dict[str, Event] = {item.event.event_key: item.event for item in arrivals if isinstance(item.event, ReactionChanged)}
    rows = connection.execute(_REACTIONS, {"place": place, "keys": sorted(gone)})
    given |= {row.event_key: decode_event(row.payload) for row in rows}
    return [_taken_back(item, given) for item in arrivals]


def _taken_back(arrival: Arrival, given: Mapping[str, Event]) -> Arrival:
    event = arrival.event
    reaction = given.get(event.message_ref) if isinstance(event, MessageDeleted) else None
    if not isinstance(reaction, ReactionChanged):
        return arrival
    return replace(arrival, event=replace(reaction, event_key=event.event_key, occurred_at=event.occurred_at, added=False))


def _known(connection: Connection, place: Place, arrivals: Sequence[Arrival]) -> tuple[Sequence[Row[Any]], dict[str, Row[Any]]]:
    """Who of those that speak is known, and which conversations there are already, with who opened them; these are locked from now on.

    Conversations are locked before contacts, as turns do it: the other way round the two would wait for each other.
    """
    events = [item.event for item in arrivals]
    return _read_contacts(connection, place, events), _lock_threads(
        connection, place, {key for event in events if (key := _thread_key(event))}
    )


def _read_contacts(connection: Connection, place: Place, events: Iterable[Event]) -> Sequence[Row[Any]]:
    refs = {event.author.ref for event in events if isinstance(event, MessageReceived) and not event.is_own}
    return connection.execute(_CONTACTS, {"place": place, "refs": sorted(refs)}).all() if refs else []


def _said_before_they_went(
    connection: Connection, place: Place, events: Iterable[MessageReceived], people: Sequence[Row[Any]]
) -> frozenset[str]:
    """The keys of what a platform tells once more of somebody who was erased: it brings nobody back. Asked only about people who are not known."""
    known = {row.ref for row in people}
    keys = sorted(event.event_key for event in events if not event.is_own and event.author.ref not in known)
    return known_keys(connection, place, keys) if keys else frozenset()


def known_keys(connection: Connection, place: Place, keys: Sequence[str]) -> frozenset[str]:
    """Those of the keys that were told before."""
    return frozenset(connection.execute(_KNOWN_KEYS, {"place": place, "keys": list(keys)}).scalars())


def _upsert_contacts(connection: Connection, place: Place, events: Iterable[MessageReceived], people: Sequence[Row[Any]]) -> dict[str, int]:
    latest: dict[str, Any] = {event.author.ref: encode(event.author) for event in events if not event.is_own}
    contacts: dict[str, int] = {}
    for row in people:
        if row.ref not in latest:
            continue
        contacts[row.ref] = row.id
        if row.is_fresh and {**row.profile, **latest[row.ref]} == row.profile:
            del latest[row.ref]  # Nothing new about them, so nothing is written, and no lock is taken that a turn may want.
    if latest:
        rows = json.dumps([{"ref": ref, "profile": profile} for ref, profile in latest.items()])
        contacts.update({row.ref: row.id for row in connection.execute(_UPSERT_CONTACTS, {"place": place, "rows": rows})})
    return contacts


def _lock_threads(connection: Connection, place: Place, keys: Iterable[str]) -> dict[str, Row[Any]]:
    wanted = sorted(keys)
    return {row.thread_key: row for row in connection.execute(_BY_THREAD, {"place": place, "keys": wanted})} if wanted else {}


def _upsert_conversations(
    connection: Connection,
    place: Place,
    helpdesk: Place,
    events: Sequence[MessageReceived],
    contacts: Mapping[str, int],
    known: Mapping[str, Row[Any]],
) -> dict[str, int]:
    """Every conversation's id by thread. Only what is new, or has no contact yet, is written."""
    conversations: dict[str, int] = {key: row.id for key, row in known.items()}
    wanted: dict[str, dict[str, Any]] = {}
    for event in events:
        row = wanted.setdefault(
            event.thread_key, {"thread_key": event.thread_key, "visibility": event.visibility, "contact_id": None, "former": None}
        )
        row["former"] = event.former_thread or row["former"]
        if row["contact_id"] is None and not event.is_own:
            row["contact_id"] = contacts[event.author.ref]
    rows = [row for key, row in wanted.items() if key not in known or (known[key].contact_id is None and row["contact_id"] is not None)]
    if rows:
        parameters = {"place": place, "helpdesk": helpdesk, "rows": json.dumps(rows)}
        conversations.update({row.thread_key: row.id for row in connection.execute(_UPSERT_CONVERSATIONS, parameters)})
    return conversations


def _targets(connection: Connection, place: Place, events: Iterable[Event]) -> dict[str, int]:
    """The conversations of the messages that events are about, locked."""
    refs = sorted({ref for event in events if (ref := target_ref(event))})
    if not refs:
        return {}
    targets: dict[str, int] = {row.ref: row.conversation_id for row in connection.execute(_BY_TARGET, {"place": place, "refs": refs})}
    _lock(connection, targets.values())
    return targets


def _lock(connection: Connection, ids: Iterable[int]) -> None:
    wanted = sorted(set(ids))
    if wanted:
        connection.execute(_LOCK, {"ids": wanted})


def _conversation_of(event: Event, conversations: Mapping[str, int], targets: Mapping[str, int]) -> int | None:
    found = targets.get(target_ref(event) or "")
    return found if found is not None else conversations.get(_thread_key(event) or "")


def _thread_key(event: Event) -> str | None:
    return getattr(event, "thread_key", None)


def target_ref(event: Event) -> str | None:
    """The message that an event is about, for events that say nothing new themselves."""
    if isinstance(event, PlatformEvent) and not isinstance(event, MessageReceived):
        return getattr(event, "message_ref", None) or None
    return None


def _row(arrival: Arrival, conversation_id: int | None) -> dict[str, Any]:
    event = arrival.event
    return {
        "event_key": event.event_key,
        "kind": type(event).__name__,
        "conversation_id": conversation_id,
        "receipt_id": arrival.receipt_id,
        "origin": arrival.origin,
        "payload": encode_event(event),
        "target_ref": target_ref(event),
        "occurred_at": encode(event.occurred_at),
    }


_TALLY = text(
    """
    INSERT INTO tally (place, hour, messages) VALUES (:place, date_trunc('hour', now()), :count)
    ON CONFLICT (place, hour) DO UPDATE SET messages = tally.messages + excluded.messages
    """
)


def _insert(
    connection: Connection,
    place: Place,
    rows: Sequence[Mapping[str, Any]],
    *,
    stray_seconds: float,
    counted: Collection[str] = (),
) -> int:
    """Insert what is new. `counted` are the keys of what others said: it goes into the channel's tally."""
    if not rows:
        return 0
    numbered = [{"n": number, **row} for number, row in enumerate(rows)]
    parameters = {"place": place, "rows": json.dumps(numbered), "stray_seconds": stray_seconds}
    inserted = connection.execute(_INSERT, parameters).all()
    touched = [row for row in inserted if row.conversation_id is not None]
    if touched:
        said_at = {row["event_key"]: row["occurred_at"] for row in rows}
        told = {
            "ids": [row.conversation_id for row in touched],
            "theirs": [row.event_key in counted for row in touched],
            "ats": [said_at[row.event_key] for row in touched],
        }
        connection.execute(_MAKE_DUE, told)
    if count := sum(row.event_key in counted for row in inserted):
        connection.execute(_TALLY, {"place": place, "count": count})
    return len(inserted)
