"""The net below the events: what was said while nobody listened, read from the channels themselves. Same events, same keys.

One poll looks into at most `_ROOMS` rooms, so that a workspace with hundreds of direct conversations is walked in rounds and the limit of fifty
calls a minute holds ("Rate limits", tier 3). An answer in an old thread shows in its first message only, as `latest_reply`: threads of
the last days are looked at, too. Deletions and reactions leave no trace that could be found. Source: Slack API, "conversations.history".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from plugin.contracts.batches import unreadable_key
from plugin.contracts.platform import Polled, Skipped
from plugin.contracts.reading import read_string
from plugin.domain.errors import MalformedPayload, RemoteError, TargetGone, UnsupportedEvent
from plugin.domain.events import PlatformEvent
from plugin.platforms.slack.client import PER_PAGE, SlackApi
from plugin.platforms.slack.keys import is_channel
from plugin.platforms.slack.messages import Reading, Room, edited_at, room
from plugin.platforms.slack.values import read_ts, time_ts, ts_time

_FIRST_LOOK = timedelta(hours=1)
_OVERLAP = timedelta(minutes=5)
_THREADS = timedelta(days=3)
_ROOMS = 20
_PAGES = 5


class CatchUp:
    """Asks what happened since a position: `{"since": ts, "round": ts, "rooms": [[channel, kind], ...]}`."""

    def __init__(self, api: SlackApi, reading: Reading, *, now: datetime) -> None:
        self._api = api
        self._reading = reading
        self._now = now
        self._events: list[PlatformEvent] = []
        self._skipped: list[Skipped] = []

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """As `PollsEvents.poll`."""
        given = position or {}
        since = read_ts(given.get("since")) or time_ts(self._now - _FIRST_LOOK)
        begun, rooms = read_ts(given.get("round")), _rooms(given.get("rooms"))
        if not (begun and rooms):
            begun, rooms = time_ts(self._now), self._list()
        for one in rooms[:_ROOMS]:
            self._look(one, since)
        left = rooms[_ROOMS:]
        following = {"since": since, "round": begun, "rooms": [[one.channel, one.kind] for one in left]}
        if not left:
            moment = ts_time(begun) or self._now
            following = {"since": time_ts(moment - _OVERLAP), "round": "", "rooms": []}
        self._events.sort(key=lambda event: event.occurred_at or self._now)
        return Polled(events=tuple(self._events), position=following, skipped=tuple(self._skipped))

    def _list(self) -> list[Room]:
        found: list[Room] = []
        for page in self._api.rooms():
            for one in page:
                kind = (
                    "im"
                    if one.get("is_im") is True
                    else "mpim"
                    if one.get("is_mpim") is True
                    else "group"
                    if one.get("is_private") is True
                    else "channel"
                )
                if is_channel(read_string(one.get("id"))) and (kind != "channel" or self._reading.settings.channels != "ignore"):
                    found.append(room(one.get("id"), kind))
        return found

    def _look(self, where: Room, since: str) -> None:
        begun = ts_time(since) or self._now
        self._read(where, "", since, oldest=time_ts(begun - _THREADS))

    def _read(self, where: Room, root: str, since: str, *, oldest: str) -> None:
        """The room, or the thread of `root` in it. Where the bot was removed meanwhile, or it is archived or gone, nothing more is read."""
        count = 0
        page: Sequence[Mapping[str, Any]] = ()
        with suppress(TargetGone):
            for page in self._api.messages(where.channel, root, oldest=oldest, most=_PAGES):
                count += 1
                for message in page:
                    self._see(message, where, since)
                    begun = read_ts(message.get("thread_ts"))
                    if begun and not root and read_ts(message.get("latest_reply")) >= since:
                        self._read(where, begun, since, oldest=since)
        if count == _PAGES and len(page) >= PER_PAGE:
            reason = UnsupportedEvent(
                f"More was said in {where.channel} since {since} than a catch-up reads; the older of it was not read. Look at it on Slack."
            )
            self._skipped.append(Skipped(event_key=f"gap:{where.channel}:{since}", reason=reason))

    def _see(self, message: Mapping[str, Any], where: Room, since: str) -> None:
        if not read_ts(message.get("ts")):
            lost = MalformedPayload("A Slack message without its time, which is its name, was seen; look at the channel.")
            self._skipped.append(Skipped(event_key=unreadable_key(message), reason=lost, payload=message))
        elif read_ts(message.get("ts")) >= since or edited_at(message) >= since:
            self._take(message, where, since)

    def _take(self, message: Mapping[str, Any], where: Room, since: str) -> None:
        known = {event.event_key for event in self._events}
        try:
            found: list[PlatformEvent] = []
            if read_ts(message.get("ts")) >= since:
                found.append(self._reading.received(message, where))
            if edited_at(message) >= since:
                found.append(self._reading.edited(message, where, told_at=""))
            self._events += [event for event in found if event.event_key not in known]
        except RemoteError:
            raise
        except (UnsupportedEvent, MalformedPayload) as problem:
            key = f"skipped:{where.channel}:{read_string(message.get('ts'))}"
            self._skipped.append(Skipped(event_key=key, reason=problem, payload=message))


def _rooms(value: object) -> list[Room]:
    listed = value if isinstance(value, list) else []
    return [Room(channel=one[0], kind=one[1]) for one in listed if isinstance(one, list) and len(one) == 2]
