"""Deliveries: replies with a picture, edits, deletions, and finding again what was sent when no answer came.

LinkedIn knows no key for repeated calls: a reply is found in its thread by its author, words and time.
Source: LinkedIn Marketing API, "Comments API", "Images API".
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from plugin.contracts.http import HttpResponse
from plugin.contracts.reading import read_object
from plugin.domain.errors import MalformedPayload, OutcomeUnknown, RemoteRejected, RemoteUnavailable, TargetGone, Unsupported
from plugin.domain.ids import MessageRef
from plugin.domain.model import Attachment, File, OutboundMessage, Receipt, Visibility
from plugin.domain.text import fold
from plugin.platforms._oauth.values import essence
from plugin.platforms.linkedin import comments
from plugin.platforms.linkedin.answers import unreadable
from plugin.platforms.linkedin.client import Client, entity
from plugin.platforms.linkedin.urns import CommentUrn, comment_number, comment_urn, encoded, post_of, post_urn

_SKEW = timedelta(minutes=2)


class Delivery:
    """Delivers for one page."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._page = client.settings.organization

    def send(self, message: OutboundMessage) -> Receipt:
        """Answer in the thread of what is answered; a mention is answered below its post. See `PlatformAdapter.deliver`."""
        below, post = self._place(message)
        body: dict[str, Any] = {"actor": self._page, "object": post, "message": {"text": _words(message)}}
        if comment_urn(below) is not None:
            body["parentComment"] = below
        if message.files:
            body["content"] = [{"entity": {"image": self._client.upload(file.content, file.content_type)}} for file in message.files[:1]]
        return _receipt(self._client.write("POST", entity(below, "comments"), body), post)

    def find(self, message: OutboundMessage) -> Receipt | None:
        """What an earlier `send` of this message made."""
        since, words = message.created_at - _SKEW, essence(_words(message))
        try:
            below, _ = self._place(message)
            for raw in self._client.walk(entity(below, "comments")):
                if raw is None:
                    raise RemoteUnavailable("The thread is too long to look through it all; it is tried again.")
                try:
                    comment = comments.read_comment(raw)
                except MalformedPayload:
                    continue
                if comment.author == self._page and comment.at is not None and comment.at >= since and essence(comment.text.plain) == words:
                    return Receipt(message_ref=comment.urn.ref, url=comment.urn.url)
        except TargetGone:
            return None  # with the comment, everything below it is gone
        except RemoteRejected as refusal:
            says = "LinkedIn does not show what stands below this post, so nobody can tell here whether the reply does. Look at it there."
            raise OutcomeUnknown(says, detail=refusal.detail) from None
        return None

    def rewrite(self, message_ref: MessageRef, message: OutboundMessage) -> Receipt:
        """Make a comment of ours say something else."""
        urn = _ours(message_ref)
        answer = self._client.write("POST", self._own(urn), {"patch": {"message": {"$set": {"text": _words(message)}}}}, is_patch=True)
        if answer.body and answer.json_object is None:
            raise unreadable(writes=True)
        return Receipt(message_ref=urn.ref, url=urn.url)

    def take_back(self, message_ref: MessageRef) -> None:
        """Delete a comment of ours. One that is gone already is success."""
        try:
            answer = self._client.write("DELETE", self._own(_ours(message_ref)))
        except TargetGone:
            return
        if answer.body and answer.json_object is None:
            raise unreadable(writes=True)

    def picture(self, attachment: Attachment) -> str:
        """Where a picture of a comment is now. Its address is signed and ends, so it is asked for anew."""
        ref, _, media = attachment.media_ref.partition("|")
        urn = comment_urn(ref)
        found = comments.picture_urls(self._client.read(entity(urn.post, "comments", urn.id))) if urn is not None else {}
        if media not in found:
            raise RemoteRejected(
                f"“{attachment.filename}” is not at its comment any more. The comment is kept without it; look at it on LinkedIn."
            )
        return found[media]

    def _place(self, message: OutboundMessage) -> tuple[str, str]:
        """Below what an answer stands, and the post: the comment that begins the thread, or a post that mentions the page."""
        if message.visibility is not Visibility.PUBLIC:
            raise Unsupported(
                "LinkedIn has no private messages for pages by its API. Nothing was sent; answer in public, or on another channel."
            )
        post = post_of(message.thread_key)
        answered = message.reply_to.partition("#")[0] if message.reply_to is not None else post
        urn = comment_urn(answered)
        if urn is not None:
            return self._top(urn), urn.post
        if not post_urn(answered):
            raise RemoteRejected(
                "This conversation began neither with a comment nor with a post on LinkedIn. Nothing was sent; answer there."
            )
        return answered, answered

    def _top(self, urn: CommentUrn) -> str:
        """The comment that begins the thread in which another stands: LinkedIn takes answers to that one alone."""
        try:
            return str(comments.read_comment(self._client.read(entity(urn.post, "comments", urn.id))).top)
        except MalformedPayload:
            raise unreadable(writes=False) from None

    def _own(self, urn: CommentUrn) -> str:
        return f"{entity(urn.post, 'comments', urn.id)}?actor={encoded(self._page)}"


def fetched(file: HttpResponse, attachment: Attachment) -> File:
    """A picture's bytes, if they are some.

    Raises:
        RemoteUnavailable: LinkedIn gave no picture.
    """
    kind = file.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not file.is_ok or not kind.startswith("image/") or not file.body:
        raise RemoteUnavailable(f"LinkedIn did not hand out “{attachment.filename}”; it is tried again.", retry_after=file.retry_after)
    return File(filename=attachment.filename, content_type=kind, content=file.body, description=attachment.description)


def _ours(ref: MessageRef) -> CommentUrn:
    urn = comment_urn(ref)
    if urn is None:
        raise RemoteRejected("This is no comment on LinkedIn. Nothing was changed; look at it there.")
    return urn


def _words(message: OutboundMessage) -> str:
    return fold(message.text, frozenset())[0].plain


def _receipt(answer: HttpResponse, post: str) -> Receipt:
    """What a comment that was made is called: in the answer, or at least its number in a header."""
    made = read_object(answer.json_object)
    number = comment_number(made.get("id")) or comment_number(answer.headers.get("x-restli-id"))
    urn = comment_urn(made.get("commentUrn")) or comment_urn(made.get("$URN")) or comment_urn(answer.headers.get("x-restli-id"))
    if urn is None and number and answer.status == 201:
        urn = CommentUrn(post_urn(made.get("object")) or post, number)
    if urn is None:
        raise OutcomeUnknown("LinkedIn took the comment and named no id; it is looked up before anything is sent again.")
    return Receipt(message_ref=urn.ref, url=urn.url)
