"""One poll: notifications, our own answers, and a second look at recent posts for edits, deletions and continued threads.

Sources: lexicons `app.bsky.notification.listNotifications`, `com.atproto.repo.listRecords`, `app.bsky.feed.getPosts`,
`app.bsky.feed.getPostThread`. `updateSeen` is never called: it may switch the account to priority notifications, which hide strangers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.platform import Polled
from plugin.domain.errors import RemoteError
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.platforms.bluesky.client import Client, Refused
from plugin.platforms.bluesky.keys import POST, PostUri, earliest_key
from plugin.platforms.bluesky.position import Edge, Position, Watched, begin, load_position, watch
from plugin.platforms.bluesky.posts import Post, edited, read_post, read_time, received

LOOK_BACK = timedelta(minutes=15)
_PAGE = 100
_PAGES = 400
_AT_ONCE = 500
_LOOKED_UP = 25
_DEPTH = 6
_SELF_REPLIES = 20
_REASONS = ("mention", "reply", "quote")
_FIRST = datetime.min.replace(tzinfo=UTC)
Event = MessageReceived | MessageEdited | MessageDeleted


class Intake:
    """One poll of one account at one moment. `turn` rotates which of the older posts are looked at again."""

    def __init__(self, client: Client, *, now: datetime, turn: int) -> None:
        self._client = client
        self._now = now
        self._turn = turn
        self._own = client.session

    def poll(self, data: Mapping[str, Any] | None) -> Polled:
        """What happened since the position in `data`, oldest first, and the new position where it moved.

        Raises:
            RemoteError: any of its kinds; nothing is lost, the position stays.
        """
        start = (
            begin(notified=_place(self._now - LOOK_BACK), own=earliest_key(self._now - LOOK_BACK)) if data is None else load_position(data)
        )
        position, events, has_more = self._take_notified(start)
        position, native = self._take_own(position)
        position, changes = self._look_again(position, {event.message_ref for event in (*events, *native)})
        fresh = {event.event_key: event for event in (*events, *native, *changes)}
        ordered = sorted(fresh.values(), key=lambda event: event.occurred_at or self._now)
        moved = data is None or position != start
        return Polled(events=tuple(ordered), position=position.dump() if moved else None, has_more=has_more)

    def _take_notified(self, position: Position) -> tuple[Position, list[Event], bool]:
        """Mentions, replies and quotes. A backlog is taken from its old end, so that order holds."""
        found: dict[str, Post] = {}
        for post in self._notifications(position.notified):
            if position.notified.is_new(post, _place(post.indexed_at)):
                found[post.event_key] = post
        posts = sorted(found.values(), key=lambda post: (_place(post.indexed_at), post.event_key))
        taken = posts[:_AT_ONCE]
        events: list[Event] = []
        watched: list[Watched] = []
        for post in taken:
            event, entry = self._heard(position, post)
            events.append(event)
            watched.append(entry)
        edge = position.notified.with_seen((post, _place(post.indexed_at)) for post in taken)
        return replace(position, notified=edge).watching(watched), events, len(posts) > len(taken)

    def _notifications(self, edge: Edge) -> Iterator[Post]:
        cursor = ""
        for _ in range(_PAGES):
            params = [("reasons", reason) for reason in _REASONS]
            params += [("limit", str(_PAGE)), ("priority", "false"), *([("cursor", cursor)] if cursor else [])]
            page = self._client.query("app.bsky.notification.listNotifications", params)
            posts = [post for item in page.get("notifications", ()) if (post := read_post(item)) is not None]
            yield from (post for post in posts if post.uri.did != self._own.did)
            before, cursor = cursor, str(page.get("cursor") or "")
            # The cursor is the time of the last entry that was looked at, of whatever kind: it ends the walk where nobody wrote to us.
            reached = read_time(cursor) or (posts[-1].indexed_at if posts else None)
            if not cursor or cursor == before or (reached is not None and _place(reached) < edge.floor):
                return

    def _heard(self, position: Position, post: Post) -> tuple[Event, Watched]:
        known = position.watched.get(post.uri)
        if known is None:
            return received(post, own_did=self._own.did, customer=post.uri.did), watch(post, post.uri.did)
        return self._changed(known, post)

    def _changed(self, known: Watched, post: Post) -> tuple[Event, Watched]:
        now = known.after(post)
        if not known.has_changed(post):
            return received(post, own_did=self._own.did, customer=known.customer), known
        return edited(post, own_did=self._own.did, customer=known.customer, revision=now.revision), now

    def _take_own(self, position: Position) -> tuple[Position, list[Event]]:
        """Our own answers: those of this bridge carry its marker, the others were written by staff in an app."""
        author = {"did": self._own.did, "handle": self._own.handle}
        new: list[Post] = []
        cursor = ""
        for _ in range(_PAGES):
            params = [("repo", self._own.did), ("collection", POST), ("limit", str(_PAGE)), *([("cursor", cursor)] if cursor else [])]
            page = self._client.query("com.atproto.repo.listRecords", params)
            posts = [post for item in page.get("records", ()) if (post := read_post(item, author)) is not None]
            new += (post for post in posts if position.own.is_new(post, post.uri.rkey))
            cursor = str(page.get("cursor") or "")
            if not cursor or not posts or posts[-1].uri.rkey < position.own.floor:
                break
        events: list[Event] = []
        watched: list[Watched] = []
        known = {post.uri: post for post in new}
        for post in sorted(new, key=lambda post: post.occurred_at or _FIRST):
            customer = self._customer_of(post, known, position)
            if customer is not None and post.uri not in position.watched:
                events.append(received(post, own_did=self._own.did, customer=customer))
                watched.append(watch(post, customer))
        edge = position.own.with_seen((post, post.uri.rkey) for post in new)
        return replace(position, own=edge).watching(watched), events

    def _customer_of(self, post: Post, known: Mapping[PostUri, Post], position: Position) -> str | None:
        """Whom our post answers, past our own posts in between; None when it answers nobody."""
        parent = post.parent
        for _ in range(_SELF_REPLIES):
            if parent is None or parent.did != self._own.did:
                return parent.did if parent else None
            if parent in position.watched:
                return position.watched[parent].customer
            above = known.get(parent) or self._own_post(parent)
            parent = above.parent if above else None
        return None

    def _own_post(self, uri: PostUri) -> Post | None:
        try:
            return read_post(
                self._client.query("com.atproto.repo.getRecord", [("repo", uri.did), ("collection", POST), ("rkey", uri.rkey)])
            )
        except Refused:
            return None

    def _look_again(self, position: Position, fresh: set[str]) -> tuple[Position, list[Event]]:
        """Look up the newest watched posts and a rotating share of the older ones: 50 posts, two calls."""
        entries = [entry for entry in position.watched.values() if entry.uri.ref not in fresh]
        newest, older = entries[-_LOOKED_UP:], entries[:-_LOOKED_UP]
        at = self._turn * _LOOKED_UP % len(older) if older else 0
        events: list[Event] = []
        for batch in (newest, [*older[at:], *older[:at]][:_LOOKED_UP]):
            if not batch:
                continue
            page = self._client.query("app.bsky.feed.getPosts", [("uris", str(entry.uri)) for entry in batch])
            shown = {post.uri: post for item in page.get("posts", ()) if (post := read_post(item)) is not None}
            for entry in batch:
                post = shown.get(entry.uri)
                if post is None:
                    position, more = self._missed(position, entry)
                else:
                    position, more = self._seen_again(position, entry, post)
                events += more
        return position, events

    def _seen_again(self, position: Position, entry: Watched, post: Post) -> tuple[Position, list[Event]]:
        events: list[Event] = []
        watched = [entry.after(post)]
        if entry.has_changed(post):
            events.append(self._changed(entry, post)[0])
        if post.replies > entry.replies and post.uri.did != self._own.did:
            for more in self._continued(post):
                if more.uri not in position.watched:
                    events.append(received(more, own_did=self._own.did, customer=post.uri.did))
                    watched.append(watch(more, post.uri.did))
        return position.watching(watched), events

    def _continued(self, post: Post) -> Iterable[Post]:
        """What the customer wrote below their own post: the network tells us of it only when it answers us."""
        params = [("uri", str(post.uri)), ("depth", str(_DEPTH)), ("parentHeight", "0")]
        try:
            thread = self._client.query("app.bsky.feed.getPostThread", params).get("thread")
        except Refused:
            return ()
        return [found for found in _below(thread) if found.uri.did == post.uri.did and found.uri != post.uri]

    def _missed(self, position: Position, entry: Watched) -> tuple[Position, list[Event]]:
        """A post that is not shown: gone, or only hidden from us by a block. Only what is surely gone counts as deleted."""
        try:
            self._client.query("com.atproto.repo.getRecord", [("repo", entry.uri.did), ("collection", POST), ("rkey", entry.uri.rkey)])
        except Refused as refused:
            if not refused.says_gone:
                return position, []
        except RemoteError:
            return position, []
        else:
            return position, []
        gone = MessageDeleted(
            event_key=f"{entry.uri} deleted", occurred_at=None, message_ref=entry.uri.ref, is_own=entry.uri.did == self._own.did
        )
        return position.watching((), gone=(entry.uri,)), [gone]


def _below(node: Any) -> Iterator[Post]:
    """Every post of a thread view, from the top down."""
    if not isinstance(node, dict):
        return
    post = read_post(node["post"]) if isinstance(node.get("post"), dict) else None
    if post is not None:
        yield post
    for reply in node.get("replies") or ():
        yield from _below(reply)


def _place(moment: datetime | None) -> str:
    """A time as it sorts."""
    return (moment or _FIRST).isoformat(timespec="milliseconds")
