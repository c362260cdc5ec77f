"""Deliveries: answers, edits, deletions, hiding, and finding again what was sent when no answer came.

YouTube knows no key for repeated calls: an answer is found in its thread by its author, words and time.
Source: YouTube Data API, "Comments: insert", "update", "delete", "setModerationStatus".
"""

from __future__ import annotations

from datetime import timedelta

from plugin.contracts.reading import read_object
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, TargetGone, Unsupported
from plugin.domain.ids import MessageRef
from plugin.domain.model import OutboundMessage, Receipt, Visibility
from plugin.domain.text import fold
from plugin.platforms._oauth.values import essence, read_id
from plugin.platforms.youtube import comments
from plugin.platforms.youtube.client import Client
from plugin.platforms.youtube.intake import answers_of

ROOM = 100
"""Characters kept free for the customer's name before the text."""
_SKEW = timedelta(minutes=2)


class Delivery:
    """Delivers for one channel."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, message: OutboundMessage) -> Receipt:
        """Answer below the comment that began the thread. See `PlatformAdapter.deliver`."""
        thread = _thread(message)
        body = {"snippet": {"parentId": thread, "textOriginal": _words(message)}}
        return _receipt(self._client.write("POST", "comments", {"part": "snippet"}, body))

    def find(self, message: OutboundMessage) -> Receipt | None:
        """What an earlier `send` of this message made."""
        thread, words, since = _thread(message), essence(_words(message)), message.created_at - _SKEW
        try:
            for one in answers_of(self._client, thread):
                is_ours = one.author.ref == self._client.settings.channel_id and one.at is not None and one.at >= since
                if is_ours and essence(one.text) == words:
                    return Receipt(message_ref=MessageRef(one.id), url=comments.link(one.video, one.id))
        except TargetGone:
            return None  # with the comment, everything below it is gone
        return None

    def rewrite(self, message_ref: MessageRef, message: OutboundMessage) -> Receipt:
        """Make an answer of ours say something else."""
        body = {"id": _comment(message_ref), "snippet": {"textOriginal": _words(message)}}
        return _receipt(self._client.write("PUT", "comments", {"part": "snippet"}, body))

    def take_back(self, message_ref: MessageRef) -> None:
        """Delete a comment of ours. One that is gone already is success."""
        try:
            self._client.write("DELETE", "comments", {"id": _comment(message_ref)}, answers=False)
        except TargetGone:
            return

    def hide(self, message_ref: MessageRef, *, is_hidden: bool) -> None:
        """Hold a comment for review, so that only the channel sees it; or publish it again."""
        status = "heldForReview" if is_hidden else "published"
        try:
            asked = {"id": _comment(message_ref), "moderationStatus": status}
            self._client.write("POST", "comments/setModerationStatus", asked, answers=False)
        except TargetGone:
            if not is_hidden:
                raise


def _thread(message: OutboundMessage) -> str:
    if message.visibility is not Visibility.PUBLIC:
        raise Unsupported("YouTube has no private messages. Nothing was sent; answer in public, or on another channel.")
    found = comments.thread_of(message.thread_key)
    if not found:
        raise RemoteRejected("This conversation began with no comment on this channel, so YouTube is answered by hand. Nothing was sent.")
    return found


def _comment(ref: MessageRef) -> str:
    found = comments.comment_id(ref)
    if not found:
        raise RemoteRejected("This is no comment of YouTube. Nothing was changed; look at it there.")
    return found


def _words(message: OutboundMessage) -> str:
    """What is posted. Below a comment of ours many people may have spoken: there the customer's name says to whom it is."""
    plain, handle = fold(message.text, frozenset())[0].plain, message.contact.handle
    is_among_others = "/" in message.thread_key and handle and len(handle) < ROOM - 2
    return f"@{handle} {plain}" if is_among_others and f"@{handle}".lower() not in plain.lower() else plain


def _receipt(made: object) -> Receipt:
    raw = read_object(made)
    one = read_id(raw.get("id"))
    if not one:
        raise OutcomeUnknown("YouTube took the comment and named no id; it is looked up before anything is sent again.")
    return Receipt(message_ref=MessageRef(one), url=comments.link(read_id(read_object(raw.get("snippet")).get("videoId")), one))
