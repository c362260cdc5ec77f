"""The Instagram platform: one professional account as one channel, its comments and mentions in public, its direct messages in private.

Neither comments nor direct messages carry a marker, and Meta knows no key for repeated calls: each `deliver` ends in at most one applied call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.platform import Connection, Grant, Polled, Probe
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.domain.errors import RemoteRejected, Unsupported
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, File, OutboundMessage, Receipt, Visibility
from plugin.platforms._graph import conversations, envelopes, media, messages, profiles, signatures, subscriptions
from plugin.platforms._graph.client import Graph, new_id, segment
from plugin.platforms._graph.comments import hide, take_back
from plugin.platforms._graph.oauth import PageLogin
from plugin.platforms._graph.sending import Sender
from plugin.platforms._graph.standing import Standing
from plugin.platforms.instagram import comments, lookups
from plugin.platforms.instagram.capabilities import (
    CAPABILITIES,
    COMMENT_LENGTH,
    DAY,
    FIELDS,
    PAGE_FIELDS,
    PRIVATE,
    PROFILE,
    SCOPES,
    WELCOME,
)
from plugin.platforms.instagram.keys import Place, is_comment, read_thread
from plugin.platforms.instagram.login import InstagramLogin
from plugin.platforms.instagram.schema import Settings, SettingsSchema


class InstagramAdapter:
    """One professional account."""

    recheck_seconds = 1800.0
    recheck_batch = 20

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._graph = Graph(settings, connection)
        self.scopes = SCOPES[settings.login]
        self._login: PageLogin | InstagramLogin = (
            PageLogin(settings, connection, scopes=self.scopes, page_id=settings.page_id)
            if settings.login == "facebook"
            else InstagramLogin(settings, connection, scopes=self.scopes)
        )
        platform = "instagram" if settings.login == "facebook" else ""
        self._sender = Sender(self._graph, settings.owner, platform=platform, plain={}, human_agent=settings.human_agent)
        self._standing = Standing(
            graph=self._graph,
            settings=settings,
            connection=connection,
            subject=platform,
            owner=settings.owner,
            fields=self._subscribed,
            welcome=WELCOME,
        )
        self.poll_seconds = settings.poll_seconds
        window = 7 * DAY if settings.human_agent else DAY
        self.capabilities = replace(CAPABILITIES, private_limits=replace(PRIVATE, reply_window=window))

    def verify(self, request: WebhookRequest) -> None:
        """See `signatures.verify`."""
        signatures.verify(request, self._settings.signing_secrets)

    def answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        """See `signatures.answer`."""
        return signatures.answer(request, self._settings.verify_token)

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The events in a delivery, every member of the batch read."""
        account = self._settings.account_id
        return envelopes.collect(request, "instagram", lambda told: messages.members(told, account, comments.read_change))

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """A direct message, an answer to a comment or mention, or the one private reply to a comment."""
        place = read_thread(message.thread_key)
        if place.customer:
            if message.files and self._settings.login == "instagram":
                raise Unsupported("With Instagram Login, files cannot be handed over. Nothing was sent; write the answer without the file.")
            return self._sender.send({"id": place.customer}, replace(message, reply_to=None), extra={})
        if message.files:
            raise Unsupported("A comment on Instagram takes no files. Nothing was sent; send the file in private.")
        if message.visibility is Visibility.PRIVATE:
            return self.answer_in_private(message, marker=marker)
        return self._comment(place, message.text.plain)

    def answer_in_private(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """The one private reply to a comment. Meta answers with the id under which the person writes direct messages."""
        del marker  # Instagram carries no sign of ours
        if message.files:
            raise Unsupported("A private reply to a comment takes no files. Nothing was sent; write the answer without the file.")
        place = read_thread(message.thread_key)
        return self._sender.send({"comment_id": _private_target(place, message.reply_to)}, replace(message, reply_to=None), extra={})

    def _comment(self, place: Place, words: str) -> Receipt:
        if len(words) > COMMENT_LENGTH:
            raise RemoteRejected(f"Instagram takes {COMMENT_LENGTH} characters in a comment. Nothing was sent; shorten the answer.")
        if place.is_mention:
            body = {"media_id": place.media, **({"comment_id": place.comment} if place.comment else {}), "message": words}
            made = self._graph.write(f"/{segment(self._settings.account_id)}/mentions", body)
        else:
            made = self._graph.write(f"/{segment(place.comment)}/replies", {"message": words})
        return Receipt(message_ref=MessageRef(new_id(made, "id")))

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take our comment back."""
        if not is_comment(message_ref):
            raise Unsupported("Instagram lets no app take back a direct message. The customer still sees it; unsend it in the app.")
        take_back(self._graph, message_ref)

    def hide(self, message_ref: MessageRef, thread_key: ThreadKey, *, is_hidden: bool) -> None:
        """Hide a comment on our media from everybody but its author, or show it again."""
        if not is_comment(message_ref) or read_thread(thread_key).is_mention:
            raise Unsupported("Only comments on our own media can be hidden on Instagram. Nothing was changed.")
        hide(self._graph, message_ref, field="hide", is_hidden=is_hidden)

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Comments that were deleted: Instagram tells nobody of it."""
        return lookups.recheck(self._graph, message_refs, needed=self.scopes[:2])

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of a customer's file, or the words of a mention."""
        if comments.is_mention(attachment):
            return comments.fetch_mention(self._graph, self._settings.account_id, attachment)
        return media.fetch(self._graph, attachment, max_bytes=max_bytes)

    def describe(self, contact: Contact) -> Contact:
        """As `DescribesContacts.describe`: who wrote a direct message, with followers and check mark."""
        own = (self._settings.account_id, self._settings.page_id)
        return contact if contact.ref in own else profiles.described(self._graph, contact, fields=PROFILE, site="https://www.instagram.com")

    def send_typing(self, thread_key: ThreadKey) -> None:
        """Show in the direct messages that someone writes."""
        if customer := read_thread(thread_key).customer:
            self._sender.act(customer, "typing_on")

    def mark_read(self, thread_key: ThreadKey, message_ref: MessageRef) -> None:
        """Show in the direct messages that everything was read."""
        if customer := read_thread(thread_key).customer:
            self._sender.act(customer, "mark_seen")

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What was said and not told: direct messages, and comments on the newest media."""
        if isinstance(self._login, InstagramLogin):
            self._login.renew()
        now, settings = self._connection.clock.now(), self._settings
        look = conversations.begin(position, now)
        found = conversations.catch_up(look, self._graph, settings.owner, settings.account_id, "instagram")
        return self._standing.beside(look.polled(found + lookups.catch_up(look, self._graph, settings.account_id)), position, now)

    def register_webhook(self) -> None:
        """Have the account tell our app; with Facebook Login set the app's address, too (with Instagram Login that is done by hand)."""
        if self._settings.login == "facebook":
            subscriptions.register_app(self._graph, self._settings, self._connection, subject="instagram", fields=FIELDS, welcome=WELCOME)
        subscriptions.subscribe(self._graph, self._settings.owner, self._subscribed, welcome=WELCOME)

    @property
    def _subscribed(self) -> tuple[str, ...]:
        return PAGE_FIELDS if self._settings.login == "facebook" else FIELDS

    def authorize_url(self, grant: Grant) -> str:
        """Meta's page on which a person lets us act for the account."""
        return self._login.authorize_url(grant)

    def exchange(self, code: str, grant: Grant) -> None:
        """Store the token."""
        self._login.exchange(code, grant)

    def probe(self) -> Sequence[Probe]:
        """Token, permissions, webhook and subscription."""
        settings = self._settings
        account = subscriptions.probe_account(self._graph, settings.account_id, "id,username")
        if not account.is_ok:
            return [account]
        found = [account]
        if settings.login == "facebook":
            found.append(subscriptions.probe_scopes(self._graph, self.scopes))
            found += subscriptions.probe_app(self._graph, settings, self._connection, subject="instagram", fields=FIELDS, welcome=WELCOME)
        return [*found, *subscriptions.probe_subscription(self._graph, settings, settings.owner, self._subscribed, welcome=WELCOME)]


class Instagram:
    """Instagram before any configuration."""

    name = "instagram"
    display_name = "Instagram"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> InstagramAdapter:
        """Bind to one account. Makes no call."""
        return InstagramAdapter(settings, connection)


PLATFORM = Instagram()


def _private_target(place: Place, reply_to: MessageRef | None) -> str:
    comment = reply_to if reply_to is not None and is_comment(reply_to) else place.comment
    if not comment or place.is_mention:
        raise Unsupported("Instagram lets nobody answer a mention in private. Nothing was sent; answer where it was said.")
    return comment
