"""What places are asked again and again: their poll, each saved search, and second looks at messages whose changes nobody tells.

An asking is without state: what it needs is read and committed before the call, what came of it is committed with the events. `Poller` does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sqlalchemy import Connection

from plugin.config import SearchConfig
from plugin.contracts.platform import Listens, Polled, PollsEvents, RechecksMessages
from plugin.domain.errors import CrossdeskError, RateLimited
from plugin.domain.events import MessageReceived
from plugin.domain.ids import Place
from plugin.handlers.installation import Channel, Installation
from plugin.store import cursors, looks, places
from plugin.store.cursors import POLL, RECHECK, PollLease, Reserved, search_task
from plugin.store.database import Database
from plugin.store.looks import Look

_PAGE = 25
"""Posts of one page of a search at most: so many of a day's budget are lost with a process that dies while it asks."""
_REFUSED_SECONDS = 3600.0
"""A search that was refused is asked again so much later: only a person can mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rests:
    """Nothing may be asked now; again in `seconds`. `why` is a word for the log, empty when it is nothing to speak of."""

    seconds: float
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What happened? Its faults are the place's own; the faults of the other askings stay with themselves (`is_intake`)."""

    place: Place
    adapter: PollsEvents
    task: ClassVar[str] = POLL
    kind: ClassVar[str] = "poll"
    is_intake: ClassVar[bool] = True

    @property
    def seconds(self) -> float:
        """As the adapter wants it."""
        return self.adapter.poll_seconds

    def prepare(self, _database: Database, _lease: PollLease) -> tuple[()]:
        """Nothing is needed."""
        return ()

    def ask(self, _prepared: Any, position: Mapping[str, Any] | None) -> Polled:
        """Poll."""
        return self.adapter.poll(position)

    def keep(self, connection: Connection, _lease: PollLease, _prepared: Any, _polled: Polled) -> None:
        """The place answered well."""
        places.recovered(connection, self.place)

    def fail(self, _connection: Connection, _lease: PollLease, _prepared: Any, _error: Exception) -> float | None:
        """The poller knows what a place's own faults mean."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """What is said about us? Each post that is read counts against the day's budget, before it is read."""

    place: Place
    name: str
    search: SearchConfig
    adapter: Listens
    kind: ClassVar[str] = "search"
    is_intake: ClassVar[bool] = False

    @property
    def task(self) -> str:
        """Its cursor's."""
        return search_task(self.name)

    @property
    def seconds(self) -> float:
        """As the adapter wants it."""
        return self.adapter.search_seconds

    def prepare(self, database: Database, lease: PollLease) -> Reserved | Rests | None:
        """Reserve posts of the day's budget."""
        reserved = database.run(lambda connection: cursors.reserve(connection, lease, a_day=self.search.a_day, most=_PAGE))
        if reserved is None or reserved.most > 0:
            return reserved
        return Rests(seconds=reserved.renews_in + 1.0, why="search_budget_used_up")

    def ask(self, prepared: Any, position: Mapping[str, Any] | None) -> Polled:
        """Search. What was found says so, whoever wrote the adapter."""
        polled = self.adapter.search(self.name, self.search.query, position, most=prepared.most)
        events = tuple(replace(event, found_by=self.name) if isinstance(event, MessageReceived) else event for event in polled.events)
        return replace(polled, events=events)

    def keep(self, connection: Connection, lease: PollLease, prepared: Any, polled: Polled) -> None:
        """Give back what was not read."""
        cursors.give_back(connection, lease, prepared, prepared.most - len(polled.events) - len(polled.skipped))
        places.close_alerts(connection, self.place, [self.task])

    def fail(self, connection: Connection, lease: PollLease, prepared: Any, error: Exception) -> float | None:
        """A search never stops its channel: what only a person can mend is told, and tried again an hour later."""
        cursors.give_back(connection, lease, prepared, prepared.most)
        if isinstance(error, RateLimited):
            return error.retry_after
        if not isinstance(error, CrossdeskError) or error.retryable:
            return None
        told = (
            f"The saved search {self.name} of {self.place} ({self.search.query}) finds nothing any more: {error} Everything else on this channel "
            f"goes on. Correct [channel.{self.place.partition(':')[2]}.search.{self.name}] in crossdesk.toml and restart; it is tried again every hour."
        )
        places.raise_alert(connection, self.place, self.task, told)
        return _REFUSED_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """What became of the messages whose tickets are open? A batch at a time, the longest not looked at first."""

    place: Place
    adapter: RechecksMessages
    task: ClassVar[str] = RECHECK
    kind: ClassVar[str] = "recheck"
    is_intake: ClassVar[bool] = False

    @property
    def seconds(self) -> float:
        """Often enough that a message is not looked at much later than the adapter wants it."""
        return self.adapter.recheck_seconds / 10

    def prepare(self, database: Database, _lease: PollLease) -> Look | Rests:
        """Choose the messages."""
        look = database.run(self._choose)
        return look if look.refs else Rests(seconds=self.seconds)

    def _choose(self, connection: Connection) -> Look:
        look = looks.next_look(connection, self.place, seconds=self.adapter.recheck_seconds, batch=self.adapter.recheck_batch)
        if look.upto and not look.refs:
            looks.looked(connection, look)  # Nothing in them can be asked about.
        return look

    def ask(self, prepared: Any, _position: Mapping[str, Any] | None) -> Polled:
        """Look. A full batch says that there may be more."""
        events = tuple(self.adapter.recheck(prepared.refs))
        return Polled(events=events, position=None, has_more=len(prepared.refs) >= self.adapter.recheck_batch)

    def keep(self, connection: Connection, _lease: PollLease, prepared: Any, _polled: Polled) -> None:
        """These were looked at."""
        looks.looked(connection, prepared)

    def fail(self, connection: Connection, _lease: PollLease, prepared: Any, error: Exception) -> float | None:
        """What is refused for good must not keep the others from their turn."""
        if isinstance(error, RateLimited):
            return error.retry_after
        if not isinstance(error, CrossdeskError) or not error.retryable:
            looks.looked(connection, prepared)
        return None


Asking = Poll | SavedSearch | SecondLook
"""One thing that one place is asked. `kind` stands in logs and fault points, `task` names the cursor, `seconds` is how often.

`prepare` reads and commits what the next call needs: `Rests` when it must not be made, None when the lease was lost. `ask` makes the call. `keep` and
`fail` commit what came of it; `fail` returns the seconds until the next try where that is not the usual pause.
"""


def askings(installation: Installation) -> list[Asking]:
    """Everything that the places of an installation are asked."""
    found: list[Asking] = [
        Poll(place=place, adapter=adapter)
        for place in installation.adapters
        if isinstance(adapter := installation.adapter(place), PollsEvents)
    ]
    for channel in installation.channels.values():
        found += _of_channel(channel)
    return found


def _of_channel(channel: Channel) -> list[Asking]:
    found: list[Asking] = []
    if isinstance(channel.adapter, Listens):
        for name, search in channel.searches.items():
            found.append(SavedSearch(place=channel.place, name=name, search=search, adapter=channel.adapter))
    if isinstance(channel.adapter, RechecksMessages):
        found.append(SecondLook(place=channel.place, adapter=channel.adapter))
    return found
