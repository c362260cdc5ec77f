"""One delivery: what is answered is looked up, files are handed over, and one status is posted under the marker as Idempotency-Key.

Mastodon keeps that key for an hour, and other servers take no notice of it. So it is a net and nothing is built on it: whether a
status was posted is read from our own account's statuses. Source: Mastodon documentation, "Post a new status".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from plugin.contracts.reading import read_object, read_string
from plugin.domain.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.html import from_html
from plugin.domain.ids import Marker, MessageRef
from plugin.domain.model import OutboundMessage, Receipt, Visibility
from plugin.domain.text import fold
from plugin.platforms.mastodon.client import Client
from plugin.platforms.mastodon.keys import root_of
from plugin.platforms.mastodon.lists import PAGE
from plugin.platforms.mastodon.media import Media
from plugin.platforms.mastodon.server import Instance, Server
from plugin.platforms.mastodon.statuses import Status, media_of, read_status
from plugin.platforms.mastodon.values import read_id
from plugin.platforms.mastodon.wording import address, answer_visibility, essence, is_wider, shortened

_SKEW = timedelta(minutes=2)
_PAGES = 20


class Delivery:
    """Delivers for one account."""

    def __init__(self, client: Client, server: Server, media: Media) -> None:
        self._client = client
        self._server = server
        self._media = media

    def post(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Post the message below the one it answers.

        Raises:
            TargetGone: the status to answer is deleted, or hidden from us.
            RemoteError: any other of its kinds.
        """
        instance = self._server.instance()
        try:
            parent = self._status(_target(message))
        except TargetGone:
            # An earlier try may have come through before the status was deleted.
            if (posted := self.find(message)) is not None:
                return posted
            raise
        body, losses = self._body(message, parent, instance)
        losses += [self._cut_alt(file.filename) for file in message.files if len(file.description) > instance.description_length]
        media_ids = [
            self._media.hand_over(file, description=shortened(file.description, instance.description_length)) for file in message.files
        ]
        if media_ids:
            body["media_ids"] = media_ids
        # Left to itself the library says of everything that it is not sensitive.
        made = self._client.write("status_post", **body, in_reply_to_id=parent.id, sensitive=None, idempotency_key=marker)
        return _receipt(made, message, body, losses)

    def rewrite(self, message_ref: MessageRef, message: OutboundMessage) -> Receipt:
        """Make a status of ours say something else; its files, audience and content warning stay.

        Raises:
            TargetGone: it is deleted.
            RemoteError: any other of its kinds.
        """
        status = self._status(message_ref)
        if status.author != self._server.own().id:
            raise RemoteRejected("Only posts of the connected account can be edited on Mastodon; this one is somebody else's and stays.")
        body, losses = self._body(message, status, self._server.instance())
        del body["visibility"]
        body["media_ids"] = [media_id for media_id, _ in media_of(status.raw)]
        made = self._client.write("status_update", status.id, **body)
        return _receipt(made, message, {"visibility": status.visibility}, losses)

    def find(self, message: OutboundMessage) -> Receipt | None:
        """What an earlier `post` of this message made, known by what it answers and by its words."""
        target, words = _target(message), essence(fold(message.text, frozenset())[0].plain)
        for status in self._own_since(message):
            # When what it answers was deleted meanwhile, the server forgets that too.
            is_answer = status.parent == target or (not status.parent and message.contact.ref in status.mentions)
            if is_answer and essence(from_html(read_string(status.raw.get("content"))).plain) == words:
                return Receipt(message_ref=MessageRef(status.id), url=read_string(status.raw.get("url")))
        return None

    def _own_since(self, message: OutboundMessage) -> Iterator[Status]:
        """Our statuses since the message was written, newest first."""
        own, since, last = self._server.own().id, message.created_at - _SKEW, ""
        for _ in range(_PAGES):
            page = self._client.page("account_statuses", own, exclude_reblogs="true", limit=PAGE, max_id=last or None)
            statuses = [status for raw in page if (status := read_status(raw)) is not None]
            yield from (status for status in statuses if status.created_at is None or status.created_at >= since)
            before, last = last, read_id(page[-1].get("id")) if page else ""
            if last in {"", before} or any(status.created_at is not None and status.created_at < since for status in statuses):
                return
        raise RemoteUnavailable("Too much was posted since to find the answer among it; it is looked for again.")

    def _status(self, ref: str) -> Status:
        status = read_status(self._client.get("status", ref))
        if status is None:
            raise RemoteUnavailable("The server shows the post to answer in a way that cannot be read; it is tried again.")
        return status

    def _body(self, message: OutboundMessage, near: Status, instance: Instance) -> tuple[dict[str, Any], list[str]]:
        """What a post and an edit have in common. `near` is what is answered, or what is edited."""
        visibility = answer_visibility(message.visibility, near.visibility)
        text, lost = fold(message.text, frozenset())
        handle = self._handle(message, near)
        written, silenced = address(text.plain, handle, alone=visibility == "direct")
        losses = [f"Mastodon shows no {kind.value} text; the words were posted plainly." for kind in sorted(lost) if kind.value in _LOOKS]
        if silenced:
            losses.append(f"{', '.join(silenced)} would have been shown this private answer, so the name was written without effect.")
        body: dict[str, Any] = {"status": written, "visibility": visibility}
        if warning := read_string(near.raw.get("spoiler_text")).strip():
            body["spoiler_text"] = shortened(warning, max(20, instance.text_length - len(written)))
        return body, losses

    @staticmethod
    def _handle(message: OutboundMessage, near: Status) -> str:
        """The customer's name as the server knows it now: `user@host`, and `user` for people of our own server."""
        account = read_object(near.raw.get("account"))
        names = {near.author: read_string(account.get("acct")), **near.mentions}
        handle = names.get(message.contact.ref) or message.contact.handle
        if not handle and message.visibility is Visibility.PRIVATE:
            raise RemoteRejected(
                "The customer's name on Mastodon is not known, and without it nobody would get the private answer."
                " It was not posted; answer a newer message of the customer."
            )
        return handle

    @staticmethod
    def _cut_alt(filename: str) -> str:
        return f"The description of {filename} is longer than the server takes; its end was left out."


_LOOKS = frozenset({"bold", "italic", "strike", "code", "pre"})


def _target(message: OutboundMessage) -> str:
    target = message.reply_to or root_of(message.thread_key)
    if not target:
        raise RemoteRejected("The message to answer is not one of Mastodon. Nothing was sent; answer another message of this ticket.")
    return target


def _receipt(made: Mapping[str, Any], message: OutboundMessage, asked: Mapping[str, Any], losses: list[str]) -> Receipt:
    found = read_id(made.get("id"))
    if not found:
        raise OutcomeUnknown("The server took the answer and does not say where it stands; it is looked up before anything is sent again.")
    told = list(losses)
    status = read_status(made)
    if status is not None:
        if is_wider(status.visibility, asked["visibility"]):
            told.append(f"The server made this answer {status.visibility} although {asked['visibility']} was asked for; look at it there.")
        if asked["visibility"] == "direct" and message.contact.ref not in status.mentions:
            told.append("The server did not recognise the customer's name in this private answer; they may not have got it.")
    return Receipt(message_ref=MessageRef(found), url=read_string(made.get("url")), losses=tuple(told))
