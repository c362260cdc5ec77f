"""A social network in memory that satisfies the platform contract: for tests of the engine.

Customers act by `say`, `change` and `take_back`; what the bridge did stands in `posts`. Delivering twice says it twice, unless the
capabilities declare a natural key: a network that hid the engine's mistakes would be of no use.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Connection, Polled, Probe
from plugin.contracts.rulers import CODE_POINTS
from plugin.contracts.settings import SettingsSchema
from plugin.domain.errors import RemoteRejected, TargetGone
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import ChannelKey, ContactRef, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, File, OutboundMessage, Receipt, Visibility
from plugin.domain.text import MarkKind, Text
from plugin.testing import fake_settings
from plugin.testing.fake_posts import BEGINNING, Post, deleted, edited, receipt, received
from plugin.testing.fake_settings import FakeSettings, FakeSettingsSchema
from plugin.testing.faults import Faults

CAPABILITIES = Capabilities(
    replies_public=Level.FULL,
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    attachments_out=Level.FULL,
    edits_in=Level.FULL,
    edits_out=Level.FULL,
    deletes_in=Level.FULL,
    deletes_out=Level.FULL,
    threads=Level.FULL,
    visibilities=(Visibility.PUBLIC, Visibility.PRIVATE),
    marks=frozenset(MarkKind),
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted}),
    idempotency=Idempotency.NONE,
    readback=Readback.STRONG,
    choices=Level.FULL,
    limits=Limits(
        text_length=500,
        ruler=CODE_POINTS,
        file_bytes=1_000_000,
        files_per_message=4,
        choices_per_message=5,
        choice_length=20,
        max_lifetime=1.0,
    ),
)


class FakePlatform:
    """The network and its one account of ours: `Platform` and `PlatformAdapter` in one."""

    name = "fake"
    display_name = "Fake network"
    settings_schema: SettingsSchema = FakeSettingsSchema()
    poll_seconds = 0.05

    def __init__(self, *, capabilities: Capabilities = CAPABILITIES, settings: FakeSettings | None = None) -> None:
        self.capabilities = capabilities
        self.faults = Faults()
        self._settings = settings or FakeSettings(secret="a fake's secret")
        self._lock = threading.RLock()
        self._posts: dict[MessageRef, Post] = {}
        self._feed: list[PlatformEvent] = []
        self.beginning = BEGINNING
        """When the network's clock begins; each post is a second later."""
        self.account = Contact(ref=ContactRef("company"), display_name="Company", handle="company")
        self.says_of_webhook: str | None = None
        """What the network itself says of our webhook, see `Polled.silent`."""

    def connect(self, channel: ChannelKey, settings: FakeSettings, connection: Connection) -> FakePlatform:
        """The same network, seen with these settings."""
        bound = copy.copy(self)
        bound._settings = settings  # noqa: SLF001 - it is one of us
        return bound

    # What people do

    @property
    def posts(self) -> tuple[Post, ...]:
        """Everything that was ever said, in order."""
        with self._lock:
            return tuple(self._posts.values())

    @property
    def delivered(self) -> tuple[Post, ...]:
        """What the bridge said, in order."""
        return tuple(post for post in self.posts if post.is_own and post.marker is not None)

    def say(
        self,
        who: str,
        words: str,
        *,
        thread: str = "",
        visibility: Visibility = Visibility.PUBLIC,
        parent: MessageRef | None = None,
        files: tuple[File, ...] = (),
    ) -> MessageReceived:
        """A customer says something; without `thread` in the one conversation that the contact has."""
        author = Contact(ref=ContactRef(who), display_name=who.title(), handle=who)
        with self._lock:
            post = self._add(ThreadKey(thread or f"{visibility}:{who}"), author, visibility, Text(words), parent, files)
            return received(post)

    def say_natively(self, words: str, *, thread: str, visibility: Visibility = Visibility.PUBLIC) -> MessageReceived:
        """Our own side says something in the network's own app: an echo without a marker."""
        with self._lock:
            return received(self._add(ThreadKey(thread), self.account, visibility, Text(words), None, (), is_own=True))

    def change(self, ref: MessageRef, words: str) -> MessageEdited:
        """An author edits what was said."""
        with self._lock:
            return self._edited(ref, Text(words))

    def take_back(self, ref: MessageRef) -> MessageDeleted:
        """An author deletes what was said."""
        with self._lock:
            return self._deleted(ref)

    def webhook(self, *events: PlatformEvent) -> WebhookRequest:
        """The signed webhook that brings `events`."""
        return fake_settings.signed(events, self._settings)

    # What the bridge asks

    def verify(self, request: WebhookRequest) -> None:
        """As `PlatformAdapter.verify`."""
        fake_settings.verify(request, self._settings)

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """As `PlatformAdapter.parse`."""
        return fake_settings.parse(request, self.capabilities.events)

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """As `PollsEvents.poll`, fifty at a time."""
        page = self.faults.around("poll", lambda: self._page(int((position or {}).get("next", 0))))
        return replace(page, silent=self.says_of_webhook)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """As `PlatformAdapter.deliver`."""
        return self.faults.around("deliver", lambda: self._deliver(message, marker))

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """As `ReadsBack.find_delivered`."""
        return self.faults.around("find_delivered", lambda: self._find(marker))

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """As `EditsMessages.edit`."""

        def apply() -> Receipt:
            with self._lock:
                self._edited(message_ref, message.text)
                return receipt(self._posts[message_ref])

        return self.faults.around("edit", apply)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """As `DeletesMessages.delete`."""

        def apply() -> None:
            with self._lock:
                if message_ref in self._posts and not self._posts[message_ref].is_deleted:
                    self._deleted(message_ref)

        self.faults.around("delete", apply)

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """As `FetchesMedia.fetch_media`."""
        return self.faults.around("fetch_media", lambda: self._file(attachment, max_bytes))

    def probe(self) -> Sequence[Probe]:
        """As `PlatformAdapter.probe`: always well."""
        return [Probe(name="account", is_ok=True, answer="in memory")]

    def _deliver(self, message: OutboundMessage, marker: Marker) -> Receipt:
        limits = self.capabilities.limits
        if limits.text_length is not None and limits.ruler is not None and limits.ruler.measure(message.text.plain) > limits.text_length:
            raise RemoteRejected(f"The fake network takes {limits.text_length} {limits.ruler.unit}; nothing was sent. Split the reply.")
        if message.choices != self.capabilities.offered(message.choices, message.visibility):
            raise RemoteRejected("The fake network offers no such words to press here; nothing was sent.")
        with self._lock:
            if self.capabilities.idempotency_of(message.visibility) is not Idempotency.NONE and (known := self._find(marker)) is not None:
                return known
            if message.reply_to is not None and (answered := self._posts.get(message.reply_to)) is not None and answered.is_deleted:
                raise TargetGone("What is answered was deleted on the fake network; nothing was sent.")
            post = self._add(
                message.thread_key,
                self.account,
                message.visibility,
                message.text,
                message.reply_to,
                message.files,
                is_own=True,
                marker=marker,
            )
            self._posts[post.ref] = replace(self._posts[post.ref], choices=message.choices)
            return receipt(post)

    def _find(self, marker: Marker) -> Receipt | None:
        return next((receipt(post) for post in self.delivered if post.marker == marker), None)

    def _file(self, attachment: Attachment, max_bytes: int) -> File:
        ref, _, number = attachment.media_ref.rpartition("/")
        with self._lock:
            post = self._posts.get(MessageRef(ref))
        if post is None or post.is_deleted:
            raise TargetGone("The file went with its post on the fake network; the message is kept without it.")
        file = post.files[int(number)]
        if len(file.content) > max_bytes:
            raise RemoteRejected("The file on the fake network is too big; the message is kept without it.")
        return file

    def _page(self, start: int) -> Polled:
        with self._lock:
            events = tuple(self._feed[start : start + 50])
            end = start + len(events)
            return Polled(events=events, position={"next": end}, has_more=end < len(self._feed))

    def _add(
        self,
        thread_key: ThreadKey,
        author: Contact,
        visibility: Visibility,
        text: Text,
        parent_ref: MessageRef | None,
        files: tuple[File, ...],
        *,
        is_own: bool = False,
        marker: Marker | None = None,
    ) -> Post:
        number = len(self._posts) + 1
        post = Post(
            ref=MessageRef(f"p{number}"),
            at=self.beginning + timedelta(seconds=number),
            thread_key=thread_key,
            author=author,
            visibility=visibility,
            text=text,
            parent_ref=parent_ref,
            files=files,
            is_own=is_own,
            marker=marker,
        )
        self._posts[post.ref] = post
        self._feed.append(received(post))
        return post

    def _edited(self, ref: MessageRef, text: Text) -> MessageEdited:
        post = self._existing(ref)
        changed = self._posts[ref] = replace(post, text=text, revision=post.revision + 1)
        event = edited(changed)
        self._feed.append(event)
        return event

    def _deleted(self, ref: MessageRef) -> MessageDeleted:
        post = self._existing(ref)
        event = deleted(post)
        self._posts[ref] = replace(post, is_deleted=True)
        self._feed.append(event)
        return event

    def _existing(self, ref: MessageRef) -> Post:
        post = self._posts.get(ref)
        if post is None or post.is_deleted:
            raise TargetGone("There is no such post on the fake network (any more); nothing was changed.")
        return post
