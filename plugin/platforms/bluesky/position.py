"""How far the polls have come: what was seen at the edge of two lists, and the posts that are watched. Plain data, no calls.

Both lists are sorted by something their writers choose (a post's own time, a record's key), so a late post may appear below newer ones.
An edge therefore keeps the newest entries by name and everything at or above its floor counts as new until it is named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from plugin.platforms.bluesky.keys import PostUri
from plugin.platforms.bluesky.posts import Post

_KEPT = 200
_WATCHED = 250
_CID = 12
"""The end of a content hash is enough to see that it changed."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`seen` maps an entry's name to its place in the list's order; nothing below `floor` is new."""

    floor: str
    seen: Mapping[str, str]

    def is_new(self, post: Post, place: str) -> bool:
        """Whether this wording was not seen yet."""
        return place >= self.floor and _name(post) not in self.seen

    def with_seen(self, entries: Iterable[tuple[Post, str]]) -> Edge:
        """The edge after `entries`; the oldest names make room and raise the floor."""
        seen = {**self.seen, **{_name(post): place for post, place in entries}}
        if len(seen) <= _KEPT:
            return Edge(self.floor, seen)
        floor = max(self.floor, sorted(seen.values())[-_KEPT])
        return Edge(floor, {name: place for name, place in seen.items() if place >= floor})


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A post whose change, deletion or growth we look for. `customer` owns the conversation, `revision` counts later wordings."""

    uri: PostUri
    cid: str
    customer: str
    revision: int = 0
    replies: int = 0

    def has_changed(self, post: Post) -> bool:
        """Whether the post has another wording now."""
        return not post.cid.endswith(self.cid)

    def after(self, post: Post) -> Watched:
        """The same once `post` was taken in."""
        revision = self.revision + self.has_changed(post)
        return replace(self, cid=post.cid[-_CID:], revision=revision, replies=post.replies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the polls stand: the edge of the notifications, the edge of our own records, and the watched posts, oldest first."""

    notified: Edge
    own: Edge
    watched: Mapping[PostUri, Watched]
    apart: frozenset[PostUri] = frozenset()
    """Those of the watched posts that a block hides."""

    def watching(self, entries: Iterable[Watched], gone: Iterable[PostUri] = ()) -> Position:
        """With `entries` watched anew or as they are now, and without `gone`; the oldest make room."""
        watched = {**self.watched, **{entry.uri: entry for entry in entries}}
        for uri in gone:
            watched.pop(uri, None)
        kept = dict(list(watched.items())[-_WATCHED:])
        return replace(self, watched=kept, apart=self.apart & kept.keys())

    def parted(self, uri: PostUri) -> Position:
        """A block hides the post."""
        return replace(self, apart=self.apart | {uri})

    def together(self, uri: PostUri) -> Position:
        """It is shown again."""
        return replace(self, apart=self.apart - {uri})

    def dump(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "notified": {"floor": self.notified.floor, "seen": dict(self.notified.seen)},
            "own": {"floor": self.own.floor, "seen": dict(self.own.seen)},
            "watched": [
                [
                    entry.uri.did,
                    entry.uri.rkey,
                    entry.cid,
                    "" if entry.customer == entry.uri.did else entry.customer,
                    entry.revision,
                    entry.replies,
                ]
                for entry in self.watched.values()
            ],
            **({"apart": sorted([uri.did, uri.rkey] for uri in self.apart)} if self.apart else {}),
        }


def watch(post: Post, customer: str) -> Watched:
    """Begin to watch a post. Its replies count as unseen."""
    return Watched(uri=post.uri, cid=post.cid[-_CID:], customer=customer)


def begin(*, notified: str, own: str) -> Position:
    """A first position: nothing below the two floors is ever taken in."""
    return Position(notified=Edge(notified, {}), own=Edge(own, {}), watched={})


def load_position(data: Mapping[str, Any]) -> Position:
    """The reverse of `Position.dump`."""
    watched = (
        Watched(uri=PostUri(did, rkey), cid=cid, customer=customer or did, revision=revision, replies=replies)
        for did, rkey, cid, customer, revision, replies in data["watched"]
    )
    return Position(
        notified=Edge(data["notified"]["floor"], data["notified"]["seen"]),
        own=Edge(data["own"]["floor"], data["own"]["seen"]),
        watched={entry.uri: entry for entry in watched},
        apart=frozenset(PostUri(did, rkey) for did, rkey in data.get("apart", ())),
    )


def _name(post: Post) -> str:
    return hashlib.sha256(post.event_key.encode()).hexdigest()[:16]
