"""What was said at the same moment: times cannot tell which came first, but a poll lists it as the platform has it. Knows no platform."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from plugin.domain.events import Event, MessageReceived
from plugin.domain.ids import Place, ThreadKey
from plugin.handlers import wording
from plugin.store import intake


def told(connection: Connection, place: Place, events: Sequence[Event]) -> Sequence[Event]:
    """The events of a poll, oldest first as the platform listed them; a new one says so that stands there before one that is known already.

    It will stand below it in the ticket. Where the times differ, routing sees that by itself.
    """
    moments = defaultdict[tuple[ThreadKey, datetime], list[int]](list)
    for at, event in enumerate(events):
        if isinstance(event, MessageReceived) and event.occurred_at is not None and not event.is_own:
            moments[event.thread_key, event.occurred_at].append(at)
    tied = [group for group in moments.values() if len(group) > 1]
    if not tied:
        return events
    known = intake.known_keys(connection, place, [events[at].event_key for group in tied for at in group])
    found = list(events)
    for group in tied:
        last_known = max((at for at in group if events[at].event_key in known), default=-1)
        for at in group:
            event = events[at]
            if at < last_known and event.event_key not in known and isinstance(event, MessageReceived):
                found[at] = replace(event, remarks=(*event.remarks, wording.OVERTAKEN))
    return found
