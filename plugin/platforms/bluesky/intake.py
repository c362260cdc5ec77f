"""One poll: notifications, our own posts, and a second look at recent posts for edits, deletions and continued threads.

Sources: lexicons `app.bsky.notification.listNotifications`, `app.bsky.feed.getPosts`, `app.bsky.feed.getPostThread`.
`updateSeen` is never called: it may switch the account to priority notifications, which hide strangers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.platform import Polled, Skipped
from plugin.domain.errors import RemoteError
from plugin.domain.events import ContactReachability, MessageDeleted, MessageEdited, MessageReceived
from plugin.platforms.bluesky.client import Client, Refused
from plugin.platforms.bluesky.keys import POST, earliest_key, thread_key
from plugin.platforms.bluesky.own import OwnPosts, skipped
from plugin.platforms.bluesky.people import why_apart
from plugin.platforms.bluesky.position import Edge, Position, Watched, begin, load_position, watch
from plugin.platforms.bluesky.posts import Post, edited, read_post, read_text, received
from plugin.platforms.bluesky.values import listed, read_object, read_string, read_time

LOOK_BACK = timedelta(minutes=15)
_PAGE = 100
_AT_ONCE = 500
_LOOKED_UP = 25
_DEPTH = 6
_UNSHOWN = frozenset({"notFoundPost", "blockedPost"})
"""What stands in a thread for a post that is not for us."""
_REASONS = ("mention", "reply", "quote")
_FIRST = datetime.min.replace(tzinfo=UTC)
Event = MessageReceived | MessageEdited | MessageDeleted | ContactReachability


class Intake:
    """One poll of one account at one moment. `turn` rotates which of the older posts are looked at again."""

    def __init__(self, client: Client, *, now: datetime, turn: int) -> None:
        self._client = client
        self._now = now
        self._turn = turn
        self._own = client.session
        self._skipped: list[Skipped] = []

    def poll(self, data: Mapping[str, Any] | None) -> Polled:
        """What happened since the position in `data`, oldest first, and the new position where it moved.

        Raises:
            RemoteError: any of its kinds; nothing is lost, the position stays.
        """
        start = (
            begin(notified=_place(self._now - LOOK_BACK), own=earliest_key(self._now - LOOK_BACK)) if data is None else load_position(data)
        )
        position, events, has_more = self._take_notified(start)
        position, native, passed = OwnPosts(self._client, position).take()
        position, changes = self._look_again(
            position, {event.message_ref for event in (*events, *native) if not isinstance(event, ContactReachability)}
        )
        fresh = {event.event_key: event for event in (*events, *native, *changes)}
        ordered = sorted(fresh.values(), key=lambda event: event.occurred_at or self._now)
        moved = data is None or position != start
        return Polled(
            events=tuple(ordered),
            position=position.dump() if moved else None,
            has_more=has_more,
            skipped=(*self._skipped, *passed),
        )

    def _take_notified(self, position: Position) -> tuple[Position, list[Event], bool]:
        """Mentions, replies and quotes. A backlog is taken from its old end, so that order holds."""
        found: dict[str, Post] = {}
        for post in self._notifications(position.notified):
            if position.notified.is_new(post, _place(post.indexed_at)):
                found[post.event_key] = post
        posts = sorted(found.values(), key=lambda post: (_place(post.indexed_at), post.event_key))
        taken = self._with_people(self._with_quotes(posts[:_AT_ONCE]))
        events: list[Event] = []
        watched: list[Watched] = []
        for post in taken:
            event, entry = self._heard(position, post)
            events.append(event)
            watched.append(entry)
        edge = position.notified.with_seen((post, _place(post.indexed_at)) for post in taken)
        return replace(position, notified=edge).watching(watched), events, len(posts) > len(taken)

    def _with_quotes(self, posts: list[Post]) -> list[Post]:
        """The posts with the words of those that they quote; a quoted post that is not shown to us has none."""
        wanted = list(dict.fromkeys(str(post.quoted) for post in posts if post.quoted is not None))
        words: dict[str, str] = {}
        for start in range(0, len(wanted), _LOOKED_UP):
            page = self._client.query("app.bsky.feed.getPosts", [("uris", uri) for uri in wanted[start : start + _LOOKED_UP]])
            shown = [post for item in listed(page.get("posts")) if (post := read_post(item)) is not None]
            words |= {str(post.uri): " ".join(read_text(post.record).plain.split()) for post in shown}
        return [replace(post, quoted_words=words.get(str(post.quoted), "")) for post in posts]

    def _with_people(self, posts: list[Post]) -> list[Post]:
        """The posts with all that the network tells of their authors: a notification does not say how many follow them."""
        wanted = list(dict.fromkeys(post.uri.did for post in posts))
        people = self._profiles(wanted)
        return [replace(post, author={**post.author, **people.get(post.uri.did, {})}) for post in posts]

    def _profiles(self, dids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        people: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(dids), _LOOKED_UP):
            page = self._client.query("app.bsky.actor.getProfiles", [("actors", did) for did in dids[start : start + _LOOKED_UP]])
            people |= {read_string(one.get("did")): one for one in listed(page.get("profiles"))}
        return people

    def _notifications(self, edge: Edge) -> Iterator[Post]:
        cursor = ""
        while True:
            params = [("reasons", reason) for reason in _REASONS]
            params += [("limit", str(_PAGE)), ("priority", "false"), *([("cursor", cursor)] if cursor else [])]
            page = self._client.query("app.bsky.notification.listNotifications", params)
            posts = [post for item in listed(page.get("notifications")) if (post := self._read(item)) is not None]
            yield from (post for post in posts if post.uri.did != self._own.did)
            before, cursor = cursor, str(page.get("cursor") or "")
            # The cursor is the time of the last entry that was looked at, of whatever kind: it ends the walk where nobody wrote to us.
            reached = read_time(cursor) or (posts[-1].indexed_at if posts else None)
            if not cursor or cursor == before or (reached is not None and _place(reached) < edge.floor):
                return

    def _read(self, item: Mapping[str, Any]) -> Post | None:
        post, told = read_post(item), item.get("reason")
        if post is not None and post.is_readable:
            return post
        if told in _REASONS or not isinstance(told, str):
            self._skipped.append(skipped(item))
        return None

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
            shown = {post.uri: post for item in listed(page.get("posts")) if (post := read_post(item)) is not None}
            for entry in batch:
                post = shown.get(entry.uri)
                if post is None:
                    position, more = self._missed(position, entry)
                elif post.is_readable:
                    position, more = self._seen_again(position, entry, post)
                else:
                    continue  # Something is there and cannot be read: surely not deleted, and nothing to tell of.
                events += more
        return position, events

    def _seen_again(self, position: Position, entry: Watched, post: Post) -> tuple[Position, list[Event]]:
        events: list[Event] = []
        watched = [entry.after(post)]
        if entry.uri in position.apart:
            position = position.together(entry.uri)
            events.append(self._reach(entry, post))
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
        below = list(_below(thread))
        self._skipped += [skipped(one) for one in below if not isinstance(one, Post)]
        return [found for found in below if isinstance(found, Post) and found.uri.did == post.uri.did and found.uri != post.uri]

    def _missed(self, position: Position, entry: Watched) -> tuple[Position, list[Event]]:
        """A post that is not shown: gone, or only hidden from us by a block. Only what is surely gone counts as deleted."""
        try:
            params = [("repo", entry.uri.did), ("collection", POST), ("rkey", entry.uri.rkey)]
            post = read_post(self._client.query("com.atproto.repo.getRecord", params))
        except Refused as refused:
            if not refused.says_gone:
                return position, []
        except RemoteError:
            return position, []
        else:
            return (position, []) if post is None or entry.uri in position.apart else self._parted(position, entry, post)
        gone = MessageDeleted(
            event_key=f"{entry.uri} deleted", occurred_at=None, message_ref=entry.uri.ref, is_own=entry.uri.did == self._own.did
        )
        return position.watching((), gone=(entry.uri,)), [gone]

    def _parted(self, position: Position, entry: Watched, post: Post) -> tuple[Position, list[Event]]:
        """A post that exists and is not shown to us: whether its author and we block each other."""
        why = why_apart(self._profiles([entry.uri.did]).get(entry.uri.did, {}))
        if not why or entry.uri.did == self._own.did:
            return position, []
        return position.parted(entry.uri), [self._reach(entry, post, why)]

    def _reach(self, entry: Watched, post: Post, why: str = "") -> ContactReachability:
        """That the customer cannot be answered any more, or can again. A block and its end may come more than once."""
        word = "apart" if why else "together"
        return ContactReachability(
            event_key=f"{entry.uri} {word} {self._now:%Y-%m-%dT%H:%M:%S}",
            occurred_at=None,
            thread_key=thread_key(post.root, entry.customer),
            is_reachable=not why,
            detail=why,
        )


def _below(node: Any) -> Iterator[Post | Mapping[str, Any]]:
    """Every post of a thread view, from the top down; what should be one and cannot be read, as it came."""
    if not isinstance(node, dict) or read_string(node.get("$type")).rpartition("#")[2] in _UNSHOWN:
        return
    post = read_post(read_object(node.get("post")))
    yield post if post is not None and post.is_readable else read_object(node.get("post")) or node
    for reply in listed(node.get("replies")):
        yield from _below(reply)


def _place(moment: datetime | None) -> str:
    """A time as it sorts."""
    return (moment or _FIRST).isoformat(timespec="milliseconds")
