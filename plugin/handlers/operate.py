"""What an admin does to places: look, pause, resume. Every act is written down."""

from __future__ import annotations

from typing import Any

from plugin.contracts.platform import RegistersWebhook
from plugin.domain.errors import Unsupported
from plugin.domain.ids import Place
from plugin.handlers.installation import Installation
from plugin.handlers.registrations import UNREGISTERED
from plugin.store import conversations, cursors, holds, ledger, places
from plugin.store.database import Database


def list_places(database: Database) -> list[dict[str, Any]]:
    """Every place with its state and how many conversations wait for it."""
    with database.begin() as connection:
        return [dict(row._mapping) for row in places.everyone(connection)]  # noqa: SLF001 - SQLAlchemy's public way to a mapping


def list_searches(database: Database, installation: Installation) -> list[dict[str, Any]]:
    """Every saved search: what it read of today's budget, what it found in all, when it last went well."""
    with database.begin() as connection:
        rows = {(row.place, row.task): row for row in cursors.searches(connection)}
    found = []
    for channel in installation.channels.values():
        for name, search in channel.searches.items():
            row = rows.get((channel.place, cursors.search_task(name)))
            read = 0 if row is None else row.spent
            found.append(
                {
                    "place": channel.place,
                    "search": name,
                    "query": search.query,
                    "read": read,
                    "a_day": search.a_day,
                    "is_used_up": read >= search.a_day,
                    "found": 0 if row is None else row.found,
                    "last_ok_at": None if row is None else row.last_ok_at,
                }
            )
    return found


def pause(database: Database, place: Place, *, reason: str, actor: str) -> None:
    """Call nobody at a place until it is resumed."""
    with database.begin() as connection:
        places.set_status(connection, place, "paused", reason)
        ledger.record(connection, actor=actor, action="pause", subject=place, detail={"reason": reason})


def resume(database: Database, place: Place, *, actor: str, reason: str = "") -> int:
    """Go on where it stopped; returns how many held wishes were freed."""
    with database.begin() as connection:
        places.set_status(connection, place, "active", "")
        places.close_alerts(connection, place, ["reauth", "billing"])
        freed = holds.release_held(connection, place, ["auth", "paused"])
        cursors.ask_now(connection, place)
        ledger.record(connection, actor=actor, action="resume", subject=place, detail=_detail(reason, freed=freed))
        return freed


def release(database: Database, conversation_id: int, *, actor: str, reason: str = "") -> int:
    """Let a conversation that was stopped speak again; returns how many held wishes were freed."""
    with database.begin() as connection:
        freed = holds.release_conversation(connection, conversation_id)
        place = conversations.lift_hold(connection, conversation_id)
        if place is not None:
            places.close_alerts(connection, place, [f"loop:{conversation_id}"])
        ledger.record(
            connection, actor=actor, action="release", subject=f"conversation {conversation_id}", detail=_detail(reason, freed=freed)
        )
        return freed


def list_alerts(database: Database) -> list[dict[str, Any]]:
    """What an admin was told and is not settled yet."""
    with database.begin() as connection:
        return [dict(row._mapping) for row in places.open_alerts(connection)]  # noqa: SLF001 - SQLAlchemy's public way to a mapping


def close_alert(database: Database, alert_id: int, *, actor: str, reason: str = "") -> bool:
    """A person has seen to it; False when it is not open. It is raised again when its cause comes again."""
    with database.begin() as connection:
        is_done = places.close_alert(connection, alert_id)
        if is_done:
            ledger.record(connection, actor=actor, action="close alert", subject=f"alert {alert_id}", detail=_detail(reason))
        return is_done


def register(installation: Installation, database: Database, place: Place, *, actor: str) -> None:
    """Tell the platform where our webhook is.

    Raises:
        Unsupported: this platform's webhook is set by hand.
        RemoteError: any of its kinds.
    """
    adapter = installation.adapter(place)
    if not isinstance(adapter, RegistersWebhook):
        raise Unsupported(f"{place.partition(':')[2]}: this platform's webhook is set by hand; its README says how.")
    adapter.register_webhook()
    with database.begin() as connection:
        places.close_alerts(connection, place, [UNREGISTERED])
        ledger.record(connection, actor=actor, action="register", subject=place, detail={})


def _detail(reason: str, **more: Any) -> dict[str, Any]:
    return {**more, **({"reason": reason} if reason else {})}
