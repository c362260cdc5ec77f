"""Our own posts: echoes of what this bridge posted, and what staff answered in an app. Read from our own repository, which is never late.

Sources: lexicons `com.atproto.repo.listRecords`, `app.bsky.feed.getPostThread`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from plugin.contracts.batches import unreadable_key
from plugin.contracts.platform import Skipped
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import MessageReceived
from plugin.platforms.bluesky.client import Client, Refused
from plugin.platforms.bluesky.keys import POST, PostUri, names_other
from plugin.platforms.bluesky.position import Position, Watched, watch
from plugin.platforms.bluesky.posts import MARKER_FIELD, Post, read_post, received
from plugin.platforms.bluesky.values import listed, read_string

_PAGE = "100"
_HIGHEST = 40
_FIRST = datetime.min.replace(tzinfo=UTC)


class OwnPosts:
    """What our account posted since `position`."""

    def __init__(self, client: Client, position: Position) -> None:
        self._client = client
        self._own = client.session
        self._position = position
        self._skipped: list[Skipped] = []
        self._new = {post.uri: post for post in self._listed()}

    def take(self) -> tuple[Position, list[MessageReceived], list[Skipped]]:
        """The position after them, those that belong to a conversation, and those that do not or cannot be read."""
        events: list[MessageReceived] = []
        watched: list[Watched] = []
        skipped = self._skipped
        for post in sorted(self._new.values(), key=lambda post: post.occurred_at or _FIRST):
            if post.uri in self._position.watched:
                continue
            answered, is_bridged = self._answered_by(post)
            if answered is None:
                continue
            customer = self._customer_of(answered, is_bridged=is_bridged)
            if customer is None:
                reason = UnsupportedEvent("Our own account answered somebody who had not written to it; that belongs to no ticket.")
                skipped.append(Skipped(event_key=post.event_key, reason=reason, payload=dict(post.record)))
            else:
                events.append(received(post, own_did=self._own.did, customer=customer))
                watched.append(watch(post, customer))
        edge = self._position.own.with_seen((post, post.uri.rkey) for post in self._new.values())
        return replace(self._position, own=edge).watching(watched), events, skipped

    def _listed(self) -> Iterator[Post]:
        author = {"did": self._own.did, "handle": self._own.handle}
        edge, cursor = self._position.own, ""
        while True:
            params = [("repo", self._own.did), ("collection", POST), ("limit", _PAGE), *([("cursor", cursor)] if cursor else [])]
            page = self._client.query("com.atproto.repo.listRecords", params)
            posts = [post for item in listed(page.get("records")) if (post := self._read(item, author)) is not None]
            yield from (post for post in posts if edge.is_new(post, post.uri.rkey))
            cursor = str(page.get("cursor") or "")
            if not cursor or not posts or posts[-1].uri.rkey < edge.floor:
                return

    def _read(self, item: Mapping[str, Any], author: Mapping[str, Any]) -> Post | None:
        post = read_post(item, author)
        if post is not None and post.is_readable:
            return post
        self._skipped.append(skipped(item))
        return None

    def _answered_by(self, post: Post) -> tuple[PostUri | None, bool]:
        """The post that ours answers, past our own unwatched ones in between (None: nobody's), and whether the bridge posted one of them."""
        answered, is_bridged = post.parent, MARKER_FIELD in post.record
        for _ in range(_HIGHEST):
            if answered is None or answered.did != self._own.did or answered in self._position.watched:
                return answered, is_bridged
            above = self._new.get(answered) or self._stored(answered)
            answered = above.parent if above else None
            is_bridged |= above is not None and MARKER_FIELD in above.record
        return None, False

    def _customer_of(self, answered: PostUri, *, is_bridged: bool) -> str | None:
        """Whose conversation a post of ours belongs to; None when that person never addressed us in this thread."""
        if answered in self._position.watched:
            return self._position.watched[answered].customer
        if is_bridged or any(above.addresses(self._own.did) for above in self._above(answered)):
            return answered.did
        return None

    def _above(self, uri: PostUri) -> Iterator[Post]:
        """The post and those above it that are its author's."""
        params = [("uri", str(uri)), ("depth", "0"), ("parentHeight", str(_HIGHEST))]
        node: Any = None
        try:
            node = self._client.query("app.bsky.feed.getPostThread", params).get("thread")
        except Refused:
            return
        while isinstance(node, Mapping):
            view = node.get("post")
            post = read_post(view) if isinstance(view, Mapping) else None
            if post is not None and post.uri.did == uri.did:
                yield post
            node = node.get("parent")

    def _stored(self, uri: PostUri) -> Post | None:
        try:
            return read_post(
                self._client.query("com.atproto.repo.getRecord", [("repo", uri.did), ("collection", POST), ("rkey", uri.rkey)])
            )
        except Refused:
            return None


def skipped(item: Mapping[str, Any]) -> Skipped:
    """An entry of a list that is not a post, or one that cannot be read."""
    uri, cid = read_string(item.get("uri")), read_string(item.get("cid"))
    key = f"{uri} {cid}" if uri and cid else unreadable_key(item)
    if names_other(uri):
        kind = UnsupportedEvent("Bluesky tells of something that is not a post; see the notifications in its app.")
        return Skipped(event_key=key, reason=kind, payload=dict(item))
    lost = MalformedPayload("Bluesky tells of a post that cannot be read; see the notifications in its app.")
    return Skipped(event_key=key, reason=lost, payload=dict(item))
