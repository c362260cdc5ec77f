"""Saved searches: what Bluesky's own search finds, newest first, read back to where the last one ended. What addresses us is left to the poll.

Source: lexicon `app.bsky.feed.searchPosts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.platform import Polled, Skipped
from plugin.domain.errors import RemoteRejected
from plugin.platforms.bluesky.client import Client
from plugin.platforms.bluesky.own import skipped
from plugin.platforms.bluesky.position import Edge
from plugin.platforms.bluesky.posts import Post, read_post, received
from plugin.platforms.bluesky.values import listed

LOOK_BACK = timedelta(minutes=15)
_LATE = timedelta(minutes=5)
"""The index takes a while, and a post's place in it is its own time: the end of the last search is read again."""
_PAGE = 100
_PAGES = 5


class Search:
    """One saved search of one account at one moment."""

    def __init__(self, client: Client, *, now: datetime) -> None:
        self._client = client
        self._now = now
        self._skipped: list[Skipped] = []

    def ask(self, name: str, query: str, data: Mapping[str, Any] | None, *, most: int) -> Polled:
        """What was posted since the position in `data`, oldest first, and the new position.

        Raises:
            RemoteRejected: the query is empty, or the server refuses it.
            RemoteError: any other of its kinds.
        """
        if not query.strip():
            raise RemoteRejected("The query is empty. Write words, a hashtag, or what else Bluesky's search takes.")
        own = self._client.session.did
        edge = Edge(_place(self._now - LOOK_BACK), {}) if data is None else Edge(data["floor"], data["seen"])
        found: dict[str, tuple[str, Post]] = {}
        for post in self._posts(query, edge):
            place = _place(post.indexed_at)
            if edge.is_new(post, place):
                found[post.event_key] = (place, post)
        ordered = sorted(found.values(), key=lambda item: (item[0], item[1].event_key))
        taken = ordered[:most]
        edge = edge.with_seen((post, place) for place, post in taken)
        if taken:
            # Nothing is below the floor that will still be wanted: later than the index may tell of it.
            at = datetime.fromisoformat(taken[-1][0]) - _LATE
            edge = Edge(max(edge.floor, _place(at)), edge.seen)
        events = tuple(
            received(post, own_did=own, customer=post.uri.did, found_by=name)
            for _, post in taken
            if post.uri.did != own and not post.addresses(own)
        )
        return Polled(
            events=events,
            position={"floor": edge.floor, "seen": dict(edge.seen)},
            has_more=len(ordered) > len(taken),
            skipped=tuple(self._skipped),
        )

    def _read(self, item: Mapping[str, Any]) -> Post | None:
        post = read_post(item)
        if post is not None and post.is_readable:
            return post
        self._skipped.append(skipped(item))
        return None

    def _posts(self, query: str, edge: Edge) -> Iterator[Post]:
        cursor = ""
        for _ in range(_PAGES):
            params = [("q", query), ("sort", "latest"), ("since", edge.floor), ("limit", str(_PAGE))]
            page = self._client.query("app.bsky.feed.searchPosts", [*params, *([("cursor", cursor)] if cursor else [])])
            posts = [post for item in listed(page.get("posts")) if (post := self._read(item)) is not None]
            yield from posts
            before, cursor = cursor, str(page.get("cursor") or "")
            if not posts or not cursor or cursor == before or _place(posts[-1].indexed_at) < edge.floor:
                return


def _place(moment: datetime | None) -> str:
    """A moment in the list's order, as the server writes it."""
    at = (moment or datetime.min.replace(tzinfo=UTC)).astimezone(UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
