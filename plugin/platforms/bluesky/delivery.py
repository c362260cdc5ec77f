"""One delivery: the parent is looked up, pictures are handed over, and one record is put under the key that its marker gives it.

Putting is create-if-absent (`swapRecord: null`): the same record twice is one record, and nothing is ever written over.
Sources: lexicons `com.atproto.repo.putRecord`, `app.bsky.feed.getPostThread`, `app.bsky.feed.threadgate`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from plugin.contracts.platform import Connection
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable, TargetGone, WindowClosed
from plugin.domain.ids import Marker
from plugin.domain.model import OutboundMessage, Receipt
from plugin.domain.text import fold
from plugin.platforms.bluesky.client import Client, Refused
from plugin.platforms.bluesky.keys import POST, PostUri, post_of, record_key, root_of
from plugin.platforms.bluesky.media import Directory
from plugin.platforms.bluesky.posts import MARKER_FIELD, Post, read_post
from plugin.platforms.bluesky.wording import CARRIED, losses_of, write_record

_KEYS = 4
_FRESH = timedelta(minutes=5)


class Delivery:
    """Delivers for one account."""

    def __init__(self, client: Client, directory: Directory, connection: Connection) -> None:
        self._client = client
        self._directory = directory
        self._connection = connection

    def put(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Post the message below the one it answers.

        Raises:
            WindowClosed: the author does not let us answer now.
            TargetGone: the post to answer is deleted.
            RemoteError: any other of its kinds.
        """
        try:
            reply = self._reply_to(message)
        except (TargetGone, WindowClosed):
            # An earlier try may have come through before the post was deleted or the thread was closed.
            if (posted := self.find(message, marker=marker)) is not None:
                return posted
            raise
        blobs = [(self._client.upload(file.content, file.content_type), file.description) for file in message.files]
        text, _ = fold(message.text, CARRIED)
        record = write_record(
            text,
            contact=message.contact,
            reply=reply,
            images=[{"image": blob, "alt": description} for blob, description in blobs],
            created_at=self._said_at(message),
            marker=marker,
        )
        for attempt in range(_KEYS):
            rkey = record_key(marker, message.created_at, attempt)
            if self._put_once(rkey, record) or self._carries(rkey, marker):
                return self._receipt(rkey, losses=losses_of(message.text))
        raise RemoteRejected("Bluesky has other records under every key of this message. Nothing was posted; write the answer once more.")

    def find(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """What an earlier `put` of this marker made. Our own repository knows for certain."""
        for attempt in range(_KEYS):
            rkey = record_key(marker, message.created_at, attempt)
            value = self._own_record(rkey)
            if value is None:
                return None
            if value.get(MARKER_FIELD) == marker:
                return self._receipt(rkey)
        return None

    def _put_once(self, rkey: str, record: dict[str, Any]) -> bool:
        """Put the record; False when another one is there."""
        body = {"repo": self._client.session.did, "collection": POST, "rkey": rkey, "record": record, "swapRecord": None}
        try:
            self._client.write("com.atproto.repo.putRecord", body)
        except Refused as refused:
            if refused.name == "InvalidSwap":
                return False
            if "find blob" in refused.detail:
                raise RemoteUnavailable(
                    "Bluesky has lost the picture before the post named it; both are sent again.", detail=refused.detail
                ) from None
            raise
        return True

    def _carries(self, rkey: str, marker: Marker) -> bool:
        """Whether the record that stands there is this very wish: an earlier try made it, with a parent or a time that read differently."""
        value = self._own_record(rkey)
        if value is None:
            raise OutcomeUnknown("Bluesky has refused the post for one that is not there; it is looked up before anything is sent again.")
        return value.get(MARKER_FIELD) == marker

    def _own_record(self, rkey: str) -> dict[str, Any] | None:
        try:
            found = self._client.query(
                "com.atproto.repo.getRecord", [("repo", self._client.session.did), ("collection", POST), ("rkey", rkey)]
            )
        except Refused as refused:
            if refused.says_gone:
                return None
            raise
        value = found.get("value")
        return value if isinstance(value, dict) else {}

    def _receipt(self, rkey: str, losses: tuple[str, ...] = ()) -> Receipt:
        own = self._client.session
        uri = PostUri(own.did, rkey)
        return Receipt(message_ref=uri.ref, url=uri.url(own.handle), losses=losses)

    def _said_at(self, message: OutboundMessage) -> datetime:
        """The post's own time. Notifications are sorted by it, so an answer that was held for long must not sink below newer ones."""
        now = self._connection.clock.now()
        return message.created_at if abs(now - message.created_at) < _FRESH else now

    def _reply_to(self, message: OutboundMessage) -> dict[str, Any]:
        """Root and parent as strong references (address and content hash)."""
        uri = post_of(message.reply_to) if message.reply_to is not None else root_of(message.thread_key)
        parent = self._own_parent(uri) if uri.did == self._client.session.did else self._parent(uri)
        reference = {"uri": str(parent.uri), "cid": parent.cid}
        above = parent.record.get("reply")
        root = above.get("root") if isinstance(above, dict) else None
        return {"root": root if isinstance(root, dict) and {"uri", "cid"} <= root.keys() else reference, "parent": reference}

    def _own_parent(self, uri: PostUri) -> Post:
        """A post of ours, from our own repository: the network may not show the previous part of a split reply yet."""
        params = [("repo", uri.did), ("collection", POST), ("rkey", uri.rkey)]
        try:
            found = read_post(self._client.query("com.atproto.repo.getRecord", params))
        except Refused as refused:
            if refused.says_gone:
                raise _gone() from None
            raise
        if found is None:
            raise _gone()
        return found

    def _parent(self, uri: PostUri) -> Post:
        """Somebody's post as the network shows it to us, which tells whether we may answer; else from its author's own server."""
        params = [("uri", str(uri)), ("depth", "0"), ("parentHeight", "0")]
        try:
            thread = self._client.query("app.bsky.feed.getPostThread", params).get("thread")
        except Refused as refused:
            if not refused.says_gone:
                raise
            thread = None
        view = thread if isinstance(thread, dict) else {}
        if view.get("blocked"):
            raise WindowClosed(
                "This account and the customer's block each other on Bluesky. The answer was not posted; answer another way."
            )
        shown = view.get("post")
        post = read_post(shown) if isinstance(shown, dict) else None
        if post is None:
            return self._unseen(uri)
        viewer = shown.get("viewer") if isinstance(shown, dict) else None
        if isinstance(viewer, dict) and viewer.get("replyDisabled"):
            raise WindowClosed(
                "The author has limited who may answer in this thread, and this account may not."
                " The answer was not posted; answer another way."
            )
        return post

    def _unseen(self, uri: PostUri) -> Post:
        """A post that the network does not show (yet): its author's own server knows whether it exists."""
        record = self._directory.record(uri)
        post = read_post(record) if record is not None else None
        if post is None:
            raise _gone()
        return post


def _gone() -> TargetGone:
    return TargetGone("The post to answer has been deleted on Bluesky. The answer was not posted; answer a newer message of the customer.")
