"""Commits what came of calls: endings, references, tickets, notes. Runs inside a turn's transaction, under the conversation's row lock."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from plugin.domain.events import TicketTouched
from plugin.domain.ids import Place
from plugin.domain.model import Lane, Origin
from plugin.handlers import wording
from plugin.handlers.results import (
    ContactDescribed,
    CustomerKnown,
    DeskLocked,
    Effect,
    Fetched,
    FetchRefused,
    FieldsShown,
    Known,
    Looked,
    Noted,
    PlaceAnswered,
    PlaceBlocked,
    PlaceStopped,
    Result,
    SlotEmptied,
    ThreadOpened,
    TicketLost,
    TicketMoved,
    TicketOpened,
    TicketShut,
)
from plugin.store import conversations, events, intake, intents, leads, media, messages, places
from plugin.store.conversations import Held
from plugin.store.intake import Arrival
from plugin.store.intents import NewIntent, marker_for
from plugin.store.messages import NewRef

RESET = "crossdesk:reset:"
"""Begins the key of the look that follows when the ticket's command slot was emptied."""
_WARNING = frozenset({"failed", "held", "unknown", "withdrawn"})
"""Notes that no agent shall overlook: the customer did not get what was written."""


def commit(connection: Connection, held: Held, results: Sequence[Result]) -> None:
    """Record results in their order."""
    intents.settle(connection, [result.ending for result in results])
    for result in results:
        for effect in result.effects:
            _apply(connection, held, result, effect)
    _keep_refs(connection, held, [effect for result in results for effect in result.effects if isinstance(effect, Known)])
    ended = [result.event_id for result in results if result.ending.state in {"sent", "failed"}]
    intents.finish_events(connection, ended)
    filed = [result.event_id for result in results if result.had_files and result.ending.state == "sent"]
    media.forget_bytes(connection, filed)


def tell_of_late(connection: Connection, results: Sequence[Result]) -> None:
    """The lease was lost before these came back, so none of them counts. What was applied all the same may stand twice: the admin is told."""
    for result in results:
        if result.ending.outcome == "applied" and result.lane in {Lane.TO_HELPDESK, Lane.TO_SOCIAL, Lane.NOTICES}:
            wish = intents.read_other(connection, result.intent_id, remote_ref=result.ending.remote_ref)
            if wish is not None:
                place = wish.helpdesk if result.lane == Lane.TO_HELPDESK else wish.place
                places.raise_alert(connection, place, f"twin:{result.intent_id}", wording.twin(wish.remote_ref, result.ending.remote_ref))


def note(connection: Connection, held: Held, *, event_id: int, event_place: Place, event_key: str, part: int, name: str, text: str) -> None:
    """Have the agent told, once for each event, part and name."""
    op = f"note:{name}"
    intents.insert(
        connection,
        held.id,
        [
            NewIntent(
                event_id=event_id,
                lane=Lane.TO_HELPDESK,
                op=op,
                part=part,
                marker=marker_for(event_place, event_key, op, part),
                payload={"kind": "note", "text": text, **({"warns": True} if name.partition(":")[0] in _WARNING else {})},
            )
        ],
    )


def _apply(connection: Connection, held: Held, result: Result, effect: Effect) -> None:
    match effect:
        case TicketOpened():
            _ticket_opened(connection, held, result, effect)
        case TicketMoved():
            conversations.update(connection, held.id, {"ticket_ref": effect.ticket_ref, "article_cursor": None, "ticket_closed": False})
        case TicketLost():
            lost = {"former_ticket_ref": held.ticket_ref, "ticket_ref": None, "article_cursor": None, "ticket_closed": False}
            conversations.update(connection, held.id, lost)
        case TicketShut():
            conversations.update(connection, held.id, {"ticket_closed": effect.is_closed})
        case SlotEmptied():
            touched = TicketTouched(event_key=f"{RESET}{result.intent_id}", occurred_at=None, ticket_ref=effect.ticket_ref)
            intake.insert_for_conversation(connection, held.helpdesk, held.id, [Arrival(event=touched, origin=Origin.ACTION)])
        case CustomerKnown():
            conversations.set_customer_ref(connection, effect.contact_id, effect.customer_ref)
        case ContactDescribed():
            conversations.describe_contact(connection, effect.contact_id, effect.contact)
        case Known() | DeskLocked() | FieldsShown():
            pass  # Kept together with all the others, or by `deskside`.
        case ThreadOpened():
            leads.keep_opened(connection, held.place, effect.thread_key, effect.message_id)
        case Looked():
            arrivals = [Arrival(event=event, origin=Origin.POLL) for event in effect.events]
            intake.insert_for_conversation(connection, held.helpdesk, held.id, arrivals)
            if effect.article_cursor is not None:
                conversations.update(connection, held.id, {"article_cursor": effect.article_cursor})
        case Fetched():
            media.keep(connection, result.event_id, effect.part, effect.file)
        case FetchRefused():
            media.refuse(
                connection,
                result.event_id,
                effect.part,
                filename=effect.filename,
                content_type=effect.content_type,
                refusal=effect.refusal,
            )
        case Noted():
            place, key = _event_of(connection, result.event_id)
            note(
                connection,
                held,
                event_id=result.event_id,
                event_place=place,
                event_key=key,
                part=result.part,
                name=effect.name,
                text=effect.text,
            )
        case PlaceBlocked():
            places.block(connection, effect.place, reason=effect.reason, seconds=effect.seconds)
        case PlaceStopped():
            if places.set_status(connection, effect.place, effect.status, effect.text):
                places.raise_alert(connection, effect.place, effect.status, effect.text)
        case PlaceAnswered():
            places.recovered(connection, effect.place)


def _keep_refs(connection: Connection, held: Held, known: Sequence[Known]) -> None:
    """Record new ids, and wake what waited for those of the platform: nothing ever waits for an article."""
    refs = [
        NewRef(place=item.place, ref=item.ref, message_id=item.message_id, part=item.part) for item in known if item.message_id is not None
    ]
    messages.add_refs(connection, refs)
    if said := [item.ref for item in refs if item.place == held.place]:
        events.wake_waiting(connection, held.place, held.id, said)


def _ticket_opened(connection: Connection, held: Held, result: Result, effect: TicketOpened) -> None:
    opened = {
        "ticket_ref": effect.ticket_ref,
        "ticket_number": effect.number,
        "ticket_url": effect.url,
        "ticket_closed": False,
        "article_cursor": None,
        **({"looked_at": held.now} if effect.is_rechecked else {}),
    }
    conversations.update(connection, held.id, opened)
    if held.contact_id is not None:
        conversations.set_customer_ref(connection, held.contact_id, effect.customer_ref)
    if effect.was_found:
        # While we did not know of the ticket, news of it was not ours to keep: look once now.
        look = TicketTouched(event_key=f"adopted:{result.intent_id}", occurred_at=None, ticket_ref=effect.ticket_ref)
        intake.insert_for_conversation(connection, held.helpdesk, held.id, [Arrival(event=look, origin=Origin.BACKFILL)])


def _event_of(connection: Connection, event_id: int) -> tuple[Place, str]:
    row = events.read(connection, event_id)
    return Place(row.place), row.event_key
