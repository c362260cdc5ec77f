"""One poll: mentions and quotes, our own statuses, and a second look at the newest statuses for edits and deletions.

Mastodon tells nobody that a mention was edited or deleted, so the newest statuses are read again; `looking` sees to those of all open tickets.
Sources: Mastodon documentation, "notifications API methods", "accounts API methods", "statuses API methods".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from plugin.contracts.batches import unreadable_key
from plugin.contracts.platform import Polled, Skipped
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import MessageRef
from plugin.platforms.mastodon.client import Client
from plugin.platforms.mastodon.lists import walk
from plugin.platforms.mastodon.looking import AT_ONCE
from plugin.platforms.mastodon.position import Position, Watched, begin, load_position, watch
from plugin.platforms.mastodon.server import Server
from plugin.platforms.mastodon.statuses import Status, edited, read_status, received
from plugin.platforms.mastodon.threads import Threads
from plugin.platforms.mastodon.values import read_id

LOOK_BACK = timedelta(minutes=15)
_ONE_BY_ONE = 4
Event = MessageReceived | MessageEdited | MessageDeleted


class Intake:
    """One poll of one account at one moment."""

    def __init__(self, client: Client, server: Server, *, now: datetime) -> None:
        self._client = client
        self._now = now
        self._own = server.own().id
        self._domain = server.instance().domain
        self._has_quotes = server.instance().has_quotes
        self._skipped: list[Skipped] = []
        self._events: list[Event] = []

    def poll(self, data: Mapping[str, Any] | None) -> Polled:
        """What happened since the position in `data`, oldest first, and the new position where it moved.

        Raises:
            RemoteError: any of its kinds; nothing is lost, the position stays.
        """
        start = begin((self._now - LOOK_BACK).isoformat(timespec="seconds")) if data is None else load_position(data)
        threads = Threads(self._client, start.watched, own=self._own)
        position, has_more = self._take_notified(start, threads)
        if not has_more:
            position, has_more = self._take_own(position, threads)
        if not has_more:
            position = self._look_again(position, fresh={event.message_ref for event in self._events})
        return Polled(
            events=tuple(sorted(self._events, key=lambda event: event.occurred_at or self._now)),
            position=position.dump() if data is None or position != start else None,
            has_more=has_more,
            skipped=tuple(self._skipped),
        )

    def _take_notified(self, position: Position, threads: Threads) -> tuple[Position, bool]:
        kinds = ("mention", "quote") if self._has_quotes else ("mention",)
        entries, edge, has_more = walk(partial(self._client.page, "notifications", types=list(kinds)), position.notified)
        for entry in entries:
            kind = entry.get("type")
            if isinstance(kind, str) and kind not in kinds:
                continue
            status = read_status(entry.get("status"))
            if status is None or not isinstance(kind, str):
                self._skipped.append(
                    unread(entry, "notification", "A mention came without a readable post; see the notifications of the account.")
                )
            elif status.author != self._own and status.id not in threads.watched:
                thread = threads.of_customer(status)
                self._events.append(received(status, thread, own=self._own, domain=self._domain))
                threads.watched[status.id] = watch(status, thread)
        return replace(position, notified=edge).watching(threads.watched.values()), has_more

    def _take_own(self, position: Position, threads: Threads) -> tuple[Position, bool]:
        """Our own statuses: echoes of what the bridge posted, and what staff answered in an app."""
        ask = partial(self._client.page, "account_statuses", self._own, exclude_reblogs="true")
        entries, edge, has_more = walk(ask, position.own)
        for entry in entries:
            status = read_status(entry)
            if status is None:
                self._skipped.append(unread(entry, "own status", "A post of our own account cannot be read; look at the account."))
                continue
            if status.author != self._own or not status.parent or status.raw.get("reblog") or status.id in threads.watched:
                continue
            thread = threads.of_own(status)
            if thread is None:
                reason = UnsupportedEvent("Our own account answered somebody who had not written to it; that belongs to no ticket.")
                self._skipped.append(Skipped(event_key=status.id, reason=reason, payload=dict(status.raw)))
            else:
                self._events.append(received(status, thread, own=self._own, domain=self._domain))
                threads.watched[status.id] = watch(status, thread)
        return replace(position, own=edge).watching(threads.watched.values()), has_more

    def _look_again(self, position: Position, *, fresh: set[MessageRef]) -> Position:
        """Read the newest watched statuses again: one call, or a few where there is no batch."""
        batch = [entry for entry in position.watched.values() if entry.id not in fresh][-AT_ONCE:]
        page = self._client.find_page("statuses", ids=[entry.id for entry in batch]) if batch else []
        if page is None:
            for entry in batch[-_ONE_BY_ONE:]:
                position = self._seen_again(position, entry, self._single(entry.id))
            return position
        shown = {status.id: status for raw in page if (status := read_status(raw)) is not None}
        for entry in batch:
            position = self._seen_again(position, entry, shown.get(entry.id) or self._single(entry.id))
        return position

    def _single(self, one: str) -> Status | None:
        """A status that a batch left out: gone, or not shown in lists."""
        raw = self._client.find("status", one)
        return None if raw is None else read_status(raw) or _unreadable(one)

    def _seen_again(self, position: Position, entry: Watched, status: Status | None) -> Position:
        if status is None:
            self._events.append(
                MessageDeleted(
                    event_key=f"{entry.id} deleted",
                    occurred_at=None,
                    message_ref=MessageRef(entry.id),
                    thread_key=entry.thread.key,
                    is_own=entry.is_own,
                )
            )
            return position.watching((), gone=(entry.id,))
        now = entry.after(status) if status.raw else entry
        if now == entry:
            return position
        self._events.append(edited(status, entry.thread, own=self._own, revision=now.revision))
        return position.watching((now,))


def unread(entry: Mapping[str, Any], what: str, why: str) -> Skipped:
    """An entry of a list that cannot be read, under its id there."""
    one = read_id(entry.get("id"))
    return Skipped(event_key=f"{what} {one}" if one else unreadable_key(entry), reason=MalformedPayload(why), payload=dict(entry))


def _unreadable(one: str) -> Status:
    """Something is there and cannot be read: surely not deleted, and nothing to tell of."""
    return Status(id=one, author="", parent="", visibility="", created_at=None, stamp="", raw={})
