"""How far the polls have come: the newest entry seen in two lists, and the statuses that are watched. Plain data, no calls.

Lists are walked by `min_id` from an entry that was seen. Until one was, `floor` bounds the look back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from plugin.domain.model import Visibility
from plugin.platforms.mastodon.keys import Thread
from plugin.platforms.mastodon.statuses import Status

_WATCHED = 250


@dataclass(frozen=True, slots=True)
class Edge:
    """`id` is the newest entry that was taken; empty: none yet, and nothing that happened before `floor` (ISO, UTC) is wanted."""

    id: str
    floor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A status whose edits and deletion we look for. `revision` counts later wordings."""

    id: str
    thread: Thread
    stamp: str
    is_own: bool
    revision: int = 0

    def after(self, status: Status) -> Watched:
        """The same once the new wording was taken in."""
        return replace(self, stamp=status.stamp, revision=self.revision + (status.stamp != self.stamp))


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the polls stand: the edges of the notifications and of our own statuses, and the watched statuses, oldest first."""

    notified: Edge
    own: Edge
    watched: Mapping[str, Watched]

    def watching(self, entries: Iterable[Watched], gone: Iterable[str] = ()) -> Position:
        """With `entries` watched anew or as they are now, and without `gone`; the oldest make room."""
        watched = {**self.watched, **{entry.id: entry for entry in entries}}
        for one in gone:
            watched.pop(one, None)
        return replace(self, watched=dict(list(watched.items())[-_WATCHED:]))

    def dump(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "notified": [self.notified.id, self.notified.floor],
            "own": [self.own.id, self.own.floor],
            "watched": [
                [
                    entry.id,
                    entry.thread.root,
                    entry.thread.visibility.value,
                    entry.thread.customer,
                    entry.stamp,
                    entry.is_own,
                    entry.revision,
                ]
                for entry in self.watched.values()
            ],
        }


def watch(status: Status, thread: Thread) -> Watched:
    """Begin to watch a status."""
    return Watched(id=status.id, thread=thread, stamp=status.stamp, is_own=status.author != thread.customer)


def begin(floor: str) -> Position:
    """A first position: nothing before `floor` is ever taken in."""
    return Position(notified=Edge("", floor), own=Edge("", floor), watched={})


def load_position(data: Mapping[str, Any]) -> Position:
    """The reverse of `Position.dump`."""
    entries = (
        Watched(id=one, thread=Thread(root, Visibility(visibility), customer), stamp=stamp, is_own=is_own, revision=revision)
        for one, root, visibility, customer, stamp, is_own, revision in data["watched"]
    )
    return Position(notified=Edge(*data["notified"]), own=Edge(*data["own"]), watched={entry.id: entry for entry in entries})
