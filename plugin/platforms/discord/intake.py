"""Asking the channels what was said, and open conversations what became of it.

Discord tells of messages only over a connection that is kept open all day (the Gateway); asking needs none, and finds after a downtime what
was said meanwhile. Sources: Discord documentation, "Get Channel Messages", "List Active Guild Threads", "Get Channel Message".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from plugin.contracts.batches import unreadable_key
from plugin.contracts.platform import Polled, Skipped
from plugin.contracts.reading import read_count, read_object, read_objects
from plugin.domain.errors import MalformedPayload, RemoteRejected, TargetGone, UnsupportedEvent
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import MessageRef
from plugin.domain.model import Visibility
from plugin.platforms.discord.client import UNKNOWN_MESSAGE, DiscordApi
from plugin.platforms.discord.keys import split_message
from plugin.platforms.discord.messages import Room, deleted, edited, received
from plugin.platforms.discord.reactions import Reactions
from plugin.platforms.discord.schema import Settings
from plugin.platforms.discord.values import id_order, read_id, time_id

_FIRST_LOOK = timedelta(hours=1)
_PER_PAGE = 100
_PAGES = 5
_MOST_THREADS = 25
_KEPT = 1000
_THREADS = frozenset({10, 11, 12})
_FORUMS = frozenset({15, 16})


class Intake:
    """One poll. Position: `{"since": snowflake, "seen": {channel: newest message}}`; what is not yet in `seen` is read from `since` on."""

    def __init__(self, api: DiscordApi, settings: Settings, *, now: datetime) -> None:
        self._api = api
        self._settings = settings
        self._now = now
        self._events: list[PlatformEvent] = []
        self._skipped: list[Skipped] = []
        self._has_more = False
        self._reactions = Reactions(api)

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """As `PollsEvents.poll`."""
        given = position or {}
        since = read_id(given.get("since")) or time_id(self._now - _FIRST_LOOK)
        seen = {channel: newest for channel, newest in read_object(given.get("seen")).items() if read_id(newest)}
        own = read_id(self._api.read("/users/@me").get("id"))
        guilds: dict[str, list[Room]] = {}
        for channel in self._settings.channels:
            self._channel(channel, own, since, seen, guilds)
        for guild in guilds:
            self._threads(guild, own, since, seen)
        known = {one.event_key for one in self._skipped}
        once = {event.event_key: event for event in self._events if event.event_key not in known}
        events = sorted(once.values(), key=lambda event: (event.occurred_at or self._now, event.event_key))
        newest = sorted(seen, key=lambda channel: id_order(seen[channel]))[-_KEPT:]
        following = {"since": since, "seen": {channel: seen[channel] for channel in newest}}
        return Polled(events=tuple(events), position=following, has_more=self._has_more, skipped=tuple(self._skipped))

    def _channel(self, channel: str, own: str, since: str, seen: dict[str, str], guilds: dict[str, list[Room]]) -> None:
        try:
            about = self._api.read(f"/channels/{channel}")
        except (TargetGone, RemoteRejected) as problem:
            key = f"unreadable:{channel}:{self._now:%Y-%m-%d}"
            reason = UnsupportedEvent(f"The channel {channel} cannot be read: {problem}", detail=problem.detail)
            self._skipped.append(Skipped(event_key=key, reason=reason))
            return
        guild, kind = read_id(about.get("guild_id")), read_count(about.get("type"))
        if guild and kind not in _THREADS:
            guilds.setdefault(guild, [])
        if kind not in _FORUMS:
            self._read(self._room(channel, channel, guild, is_thread=kind in _THREADS), own, since, seen)

    def _threads(self, guild: str, own: str, since: str, seen: dict[str, str]) -> None:
        listed = self._api.read(f"/guilds/{guild}/threads/active").get("threads")
        changed = []
        for one in read_objects(listed):
            thread, parent, newest = read_id(one.get("id")), read_id(one.get("parent_id")), read_id(one.get("last_message_id"))
            is_ours = parent in self._settings.channels and thread not in self._settings.channels
            if thread and is_ours and id_order(newest) > id_order(seen.get(thread) or since):
                changed.append((id_order(newest), self._room(thread, parent, guild, is_thread=True)))
        changed.sort(key=lambda pair: pair[0])
        self._has_more = self._has_more or len(changed) > _MOST_THREADS
        for _, room in changed[:_MOST_THREADS]:
            self._read(room, own, since, seen)

    def _room(self, channel: str, parent: str, guild: str, *, is_thread: bool) -> Room:
        is_private = parent in self._settings.private_channels or channel in self._settings.private_channels
        return Room(channel=channel, guild=guild, is_thread=is_thread, visibility=Visibility.PRIVATE if is_private else Visibility.PUBLIC)

    def _read(self, room: Room, own: str, since: str, seen: dict[str, str]) -> None:
        for _ in range(_PAGES):
            after = seen.get(room.channel) or since
            try:
                page = self._api.page(f"/channels/{room.channel}/messages", {"after": after, "limit": str(_PER_PAGE)})
            except TargetGone:
                return
            found = sorted(
                (one for one in page if id_order(read_id(one.get("id"))) > id_order(after)),
                key=lambda one: id_order(read_id(one.get("id"))),
            )
            for message in (*(one for one in page if not read_id(one.get("id"))), *found):
                self._take(message, room, own)
            if found:
                seen[room.channel] = read_id(found[-1].get("id"))
            if len(page) < _PER_PAGE or not found:
                return
        self._has_more = True

    def _take(self, message: Mapping[str, Any], room: Room, own: str) -> None:
        try:
            said = received(message, room, own)
        except (UnsupportedEvent, MalformedPayload) as problem:
            one = read_id(message.get("id"))
            key = f"skipped:{room.channel}:{one}" if one else unreadable_key(message)
            self._skipped.append(Skipped(event_key=key, reason=problem, payload=message))
            return
        self._events.append(said)
        self._events += self._reactions.of(message, said.message_ref)
        if said.parent_ref is not None and "referenced_message" in message:
            # An answer shows what it answers as that is now: nothing at all once it is deleted.
            answered = message["referenced_message"]
            told = deleted(said.parent_ref) if answered is None else edited(read_object(answered), said.parent_ref)
            self._events += [told] if told is not None else []
        change = edited(message, said.message_ref)
        if change is not None:
            reason = UnsupportedEvent("It was edited before it was read; the ticket has its newest words already.")
            self._skipped.append(Skipped(event_key=change.event_key, reason=reason))


def recheck(api: DiscordApi, refs: Sequence[MessageRef]) -> list[PlatformEvent]:
    """Edits and deletions of the given messages, and reactions to them. One that we may not see any more is not taken for deleted."""
    found: list[PlatformEvent] = []
    reactions = Reactions(api)
    for ref in refs:
        try:
            channel, message = split_message(ref)
            shown = api.read(f"/channels/{channel}/messages/{message}")
        except TargetGone as gone:
            if gone.detail.startswith(UNKNOWN_MESSAGE):
                found.append(deleted(ref))
            continue
        change = edited(shown, ref)
        found += [change] if change is not None else []
        found += reactions.of(shown, ref)
    return found
