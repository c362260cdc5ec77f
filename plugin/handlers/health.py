"""What an admin must know before customers say it: a webhook that fell silent, messages that had been missed, and how each place stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, text

from plugin.domain.errors import CrossdeskError
from plugin.domain.ids import Place
from plugin.handlers.registrations import UNREGISTERED
from plugin.store import places
from plugin.store.cursors import PollLease

_log = structlog.get_logger("crossdesk.health")
_SILENT_POLLS = 3
"""So many polls in a row that found something while no webhook came, and the webhook counts as silent."""
_GAP_SECONDS = 60.0
_GAP_POLLS = 5
SILENT, UNASKED, GAP = "silent", "unasked", "gap"


def gap(lease: PollLease, again: float) -> float | None:
    """The seconds for which the place went unasked, when that is so much longer than usual that something may have been missed."""
    quiet = lease.quiet_for
    return quiet if quiet is not None and quiet > max(_GAP_SECONDS, _GAP_POLLS * again) else None


def watch_webhook(connection: Connection, place: Place, silence: int | None, *, said: str | None = None) -> None:
    """Tell of a webhook that fell silent, and that it speaks again. `said`: what the platform itself says of it (`Polled.silent`)."""
    name, told = place.partition(":")[2], ""
    if said:
        told = (
            f"The webhook of {place} is silent: {said} `crossdesk channel test {name}` shows how it stands, `crossdesk channel register {name}` makes our "
            "address known again, where the platform lets us. This closes by itself when it works."
        )
    elif silence is not None and silence >= _SILENT_POLLS:
        told = (
            f"The webhook of {place} is silent: {silence} polls in a row found what it had not told, and it told of nothing meanwhile. Nothing is lost, "
            f"the polls bring it later. See whether the platform still knows our address: `crossdesk channel test {name}`, then `crossdesk channel "
            f"register {name}` or set it by hand. This closes by itself with the next delivery."
        )
    if told:
        if places.raise_alert(connection, place, SILENT, told):
            _log.warning("webhook_silent", place=place, polls=silence)
    elif silence == 0 or said == "":
        places.close_alerts(connection, place, [SILENT])


def watch_polls(connection: Connection, place: Place, problem: Exception | None) -> None:
    """Tell of a place whose polls are refused for good, and, without a `problem`, that they are answered again. Outages and pauses pass by themselves."""
    if problem is None:
        places.close_alerts(connection, place, [UNASKED])
        return
    why = str(problem) if isinstance(problem, CrossdeskError) else f"A fault of ours ({type(problem).__name__}); the log has it."
    told = (
        f"{place} cannot be asked what is new: {why} It is tried again with growing pauses; what was said meanwhile comes then, as far as it is still told. "
        "`crossdesk doctor` tries each part. This closes by itself."
    )
    if places.raise_alert(connection, place, UNASKED, told):
        _log.warning("polls_refused", place=place, error=type(problem).__name__)


def tell_of_gap(connection: Connection, place: Place, missed: int, seconds: float) -> None:
    """Tell how much a catch-up poll brought; what is found on later pages is added."""
    statement = text(
        """
        INSERT INTO alert (place, code, text) VALUES (:place, :code, :told)
        ON CONFLICT (place, code) WHERE closed_at IS NULL DO UPDATE SET text = CASE
            WHEN alert.text ~ '^[0-9]+ messages? ' THEN CAST(split_part(alert.text, ' ', 1) AS integer) + :missed || ' messages ' || :rest
            ELSE excluded.text END
        """
    )
    rest = (
        f"had been missed at {place}, which could not be asked for {_span(seconds)}. They are all kept and are being filed now; this closes by itself "
        "when they are."
    )
    connection.execute(statement, {"place": place, "code": GAP, "told": f"{missed} {_noun(missed)} {rest}", "missed": missed, "rest": rest})


_GAPS = text(
    """
    SELECT a.id, a.place, a.text FROM alert a WHERE a.code = :code AND a.closed_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM inbound_event e WHERE e.state IN ('accepted', 'waiting', 'retry') AND e.kind <> 'TimerElapsed'
        AND e.place = a.place AND e.received_at <= a.opened_at)
    AND NOT EXISTS (SELECT 1 FROM inbound_event e WHERE e.state = 'routed' AND e.place = a.place AND e.received_at <= a.opened_at)
    """
)


def close_filled_gaps(connection: Connection) -> int:
    """Say of each gap that everything in it is filed, once that is so. Returns how many closed."""
    rows = connection.execute(_GAPS, {"code": GAP}).all()
    for row in rows:
        count = row.text.partition(" ")[0]
        words = f"{count} {_noun(int(count))} had been missed at {row.place}, all are filed now."
        places.settle_alert(connection, row.id, words)
        _log.info("gap_filled", place=row.place, missed=int(count))
    return len(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a place stands: green when it works, in words what is the matter when not."""

    place: Place
    status: str
    is_ok: bool
    says: str
    next_step: str = ""


_NEXT = {
    "reauth": "Renew the credential in crossdesk.toml and restart, or `crossdesk channel connect {name}`; then `crossdesk channel resume {name}`.",
    "billing": "Settle it with the platform, then `crossdesk channel resume {name}`.",
    "paused": "`crossdesk channel resume {name}` goes on where it stopped.",
}
_RED_ALERTS = frozenset({SILENT, UNASKED, UNREGISTERED})


def conditions(connection: Connection) -> list[Condition]:
    """How every place stands, by its status and by what was found out about it."""
    alerts: dict[str, list[Any]] = {}
    for row in places.open_alerts(connection):
        if row.code in _RED_ALERTS or row.code.startswith("search:"):
            alerts.setdefault(row.place, []).append(row)
    found = []
    for row in places.everyone(connection):
        name = row.key.partition(":")[2]
        bad = alerts.get(row.key, [])
        is_ok = row.status in {"active", "paused"} and not bad
        says = row.status_text or (bad[0].text if bad else "") or (f"waits: {row.blocked_reason}" if row.blocked_reason else "works")
        step = _NEXT.get(row.status, "").format(name=name) or ("Do what the sentence says." if bad else "")
        status = row.status if row.status != "active" or not bad else bad[0].code
        found.append(Condition(place=Place(row.key), status=status, is_ok=is_ok, says=says, next_step=step))
    return found


def _noun(count: int) -> str:
    return "message" if count == 1 else "messages"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
