"""What the homeserver has to tell when asked: the net below its pushes, and the way into rooms the bot is invited to.

`/sync` says what is new in every room. A room of which it cut the time line is read back by pages. What that reading owes is kept in the
position, so that nothing is forgotten when a call fails. Events have the same keys as when they are pushed.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.platform import Polled, Skipped
from plugin.domain.clock import Clock
from plugin.domain.errors import CredentialsRejected, MalformedPayload, RateLimited, RemoteError, RemoteRejected
from plugin.domain.events import PlatformEvent
from plugin.platforms.matrix.client import CLIENT, Homeserver, room_path
from plugin.platforms.matrix.notices import Notices
from plugin.platforms.matrix.schema import MatrixSettings
from plugin.platforms.matrix.timeline import KINDS, Timeline, moment

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_LOOK_BACK = timedelta(hours=1)
_TIMELINE = 50
_PAGES_AT_ONCE = 50
_LARGEST_SYNC = 64 * 1024 * 1024
_NOTHING: dict[str, Any] = {"types": [], "not_types": ["*"]}
_FILTER = {
    "presence": _NOTHING,
    "account_data": _NOTHING,
    "room": {
        "account_data": _NOTHING,
        "ephemeral": _NOTHING,
        "state": {**_NOTHING, "lazy_load_members": True},
        "timeline": {"types": list(KINDS), "limit": _TIMELINE},
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Debt:
    """A room that must still be joined or read back: from `start` (None: its end) to `until` (empty: the bot's invitation).

    After a failure it is tried again at the first, second, fourth, eighth ... poll.
    """

    room_id: str
    is_invite: bool = False
    start: str | None = None
    until: str = ""
    tries: int = 0

    @property
    def is_due(self) -> bool:
        return self.tries & (self.tries - 1) == 0


class CatchUp:
    """Asks what happened since a position: `{"since": token, "asked_at": ISO time, "debts": [...]}`, and `notices`, as `Notices.tell` returns them."""

    def __init__(self, homeserver: Homeserver, settings: MatrixSettings, clock: Clock) -> None:
        self._homeserver = homeserver
        self._settings = settings
        self._timeline = Timeline(settings)
        self._clock = clock
        self._notices = Notices(homeserver, user_id=settings.user_id, words=settings.encrypted_notice)

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """As `PollsEvents.poll`. The first time it also makes the bot's account and joins what it is invited to already."""
        now = self._clock.now()
        if position is None:
            self._homeserver.settle_in()
        since = position["since"] if position is not None else None
        # Servers' clocks differ, and an event may be older than its arrival: a wide margin costs only keys that are known already.
        until = (datetime.fromisoformat(position["asked_at"]) if position is not None else now) - _LOOK_BACK
        debts = {debt.room_id: debt for debt in (_Debt(**item) for item in (position or {}).get("debts", ()))}
        news = self._sync(since)
        rooms = _mapping(news.get("rooms"))
        if self._settings.accept_invites:
            for room_id in _mapping(rooms.get("invite")):
                debts.setdefault(room_id, _Debt(room_id=room_id, is_invite=True))
        read: dict[str, list[dict[str, Any]]] = {}
        for room_id, room in {**_mapping(rooms.get("leave")), **_mapping(rooms.get("join"))}.items():
            timeline = _mapping(_mapping(room).get("timeline"))
            timed = timeline.get("events")
            events = [event for event in timed if isinstance(event, dict)] if isinstance(timed, list) else []
            debt = debts.get(room_id)
            if since is None:
                read[room_id] = [event for event in self._heard(events) if (moment(event) or now) >= until]
            elif timeline.get("limited") or (debt is not None and debt.start is None):
                # It is read back from its end; what is new is among that.
                debts[room_id] = _Debt(room_id=room_id, until=until.isoformat()) if debt is None else replace(debt, start=None)
            else:
                read[room_id] = self._heard(events)
        owed, has_more = self._settle(debts.values(), read)
        told = self._notices.tell((position or {}).get("notices", {}), read)
        reached: dict[str, Any] = {"since": news["next_batch"], "asked_at": now.isoformat(), "debts": [asdict(debt) for debt in owed]}
        if told:
            reached["notices"] = told
        facts, skipped = self._in_order(read)
        return Polled(events=facts, position=reached, has_more=has_more, skipped=skipped)

    def _sync(self, since: str | None) -> dict[str, Any]:
        asked: dict[str, str | int] = {"timeout": 0, "set_presence": "offline", "filter": json.dumps(_FILTER)}
        if since is not None:
            asked["since"] = since
        try:
            news = self._homeserver.ask("GET", f"{CLIENT}/sync", params=asked, max_bytes=_LARGEST_SYNC)
        except RemoteRejected as refusal:
            if "M_FORBIDDEN" not in refusal.detail:
                raise
            raise CredentialsRejected(
                "The homeserver does not let the application service act as the bot. Everything is kept; compare user_id with the "
                "registration's namespace and sender_localpart, restart the homeserver, then resume the channel.",
                detail=refusal.detail,
            ) from refusal
        if not isinstance(news.get("next_batch"), str):
            raise RemoteRejected("The homeserver's answer to /sync has no next_batch. Nothing was read; look at what stands before it.")
        return news

    def _settle(self, debts: Iterable[_Debt], read: dict[str, list[dict[str, Any]]]) -> tuple[list[_Debt], bool]:
        """Join and read back what is owed, adding to `read`. Returns what is still owed, and whether going on at once helps."""
        owed: list[_Debt] = []
        pages, is_stopped, has_more = _PAGES_AT_ONCE, False, False
        for debt in debts:
            if is_stopped or pages <= 0 or not debt.is_due:
                has_more = has_more or (pages <= 0 and debt.is_due)
                owed.append(debt if debt.is_due else replace(debt, tries=debt.tries + 1))
                continue
            try:
                rest, taken = self._settle_one(debt, read, pages)
            except RemoteRejected:
                # The invitation was withdrawn, or the room is closed to us; or our place in its history is no longer one.
                if debt.start is not None:
                    owed.append(replace(debt, start=None, tries=debt.tries + 1))
            except RemoteError as problem:
                is_stopped = isinstance(problem, RateLimited | CredentialsRejected)
                owed.append(replace(debt, tries=debt.tries + 1))
            else:
                pages -= taken
                if rest is not None:
                    owed.append(rest)
                    has_more = True
        return owed, has_more

    def _settle_one(self, debt: _Debt, read: dict[str, list[dict[str, Any]]], most_pages: int) -> tuple[_Debt | None, int]:
        if debt.is_invite:
            self._homeserver.ask("POST", room_path(debt.room_id, "join"), body={}, timeout=60.0)
            debt = replace(debt, is_invite=False, tries=0)
        until = datetime.fromisoformat(debt.until) if debt.until else None
        newest_first: list[dict[str, Any]] = []
        rest: _Debt | None = None
        taken = 0
        for page in self._homeserver.pages_back(debt.room_id, {"types": list(KINDS)}, start=debt.start):
            newest_first += page.events
            taken += 1
            times = [time for event in page.events if (time := moment(event)) is not None]
            is_reached = any(map(self._is_way_in, page.events)) if until is None else bool(times) and max(times) < until
            if is_reached:
                break
            if taken == most_pages and page.next_token is not None:
                rest = replace(debt, start=page.next_token, tries=0)
                break
        read[debt.room_id] = self._heard(newest_first[::-1]) + read.get(debt.room_id, [])
        return rest, taken

    def _heard(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """`events`, oldest first, without what was said while the bot was neither invited nor in the room."""
        first = next((event for event in events if self._own_membership(event)), None)
        is_here = first is None or not self._is_way_in(first)
        heard = []
        for event in events:
            membership = self._own_membership(event)
            is_here = membership in ("invite", "join") if membership else is_here
            if is_here or membership:
                heard.append(event)
        return heard

    def _own_membership(self, event: dict[str, Any]) -> str:
        if event.get("type") != "m.room.member" or event.get("state_key") != self._settings.user_id:
            return ""
        return str(_mapping(event.get("content")).get("membership"))

    def _is_way_in(self, event: dict[str, Any]) -> bool:
        """Whether the bot was invited here, or came in without an invitation."""
        before = _mapping(_mapping(event.get("unsigned")).get("prev_content")).get("membership")
        membership = self._own_membership(event)
        return membership == "invite" or (membership == "join" and before not in ("invite", "join"))

    def _in_order(self, read: Mapping[str, list[dict[str, Any]]]) -> tuple[tuple[PlatformEvent, ...], tuple[Skipped, ...]]:
        """All rooms' events by time, each room's own order untouched; and what could not be read."""
        by_room: list[list[PlatformEvent]] = []
        skipped = []
        for room_id, events in read.items():
            by_room.append([])
            for event in events:
                try:
                    fact = self._timeline.read({**event, "room_id": room_id})
                except MalformedPayload as problem:
                    skipped.append(Skipped(event_key=_name(event), reason=problem, payload=event))
                else:
                    by_room[-1] += [fact] if fact is not None else []
        merged = heapq.merge(*by_room, key=lambda event: event.occurred_at or _LONG_AGO)
        return tuple(merged), tuple(skipped)


def _name(event: Mapping[str, Any]) -> str:
    """The event's id, or else a name that is the same whenever the same event is seen."""
    event_id = event.get("event_id")
    digest = hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
    return event_id if isinstance(event_id, str) and event_id else f"malformed:{digest[:32]}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
