"""The Facebook platform: one Page as one channel, its comments in public and Messenger in private.

A comment can carry no marker, and Meta knows no key for repeated calls: each `deliver` ends in at most one applied call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from plugin.contracts.http import FormFile, WebhookAnswer, WebhookRequest
from plugin.contracts.platform import Connection, Grant, Polled, Probe
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.domain.errors import Unsupported
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, File, OutboundMessage, Receipt, Visibility
from plugin.platforms._graph import comments, conversations, envelopes, media, messages, profiles, signatures, subscriptions
from plugin.platforms._graph.client import Graph, new_id, require_success, segment
from plugin.platforms._graph.oauth import PageLogin
from plugin.platforms._graph.sending import Sender
from plugin.platforms._graph.standing import Standing
from plugin.platforms.facebook import catchup, feed
from plugin.platforms.facebook.capabilities import CAPABILITIES, DAY, FIELDS, PRIVATE, PROFILE, SCOPES
from plugin.platforms.facebook.keys import Place, is_comment, read_thread
from plugin.platforms.facebook.schema import Settings, SettingsSchema

_ONLY_COMMENTS = "Messenger lets nobody change or take back what was sent. The customer still sees it; write another message."


class FacebookAdapter:
    """One Page."""

    scopes = SCOPES

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._graph = Graph(settings, connection)
        self._login = PageLogin(settings, connection, scopes=SCOPES, page_id=settings.page_id)
        self._sender = Sender(self._graph, settings.page_id, plain={"messaging_type": "RESPONSE"}, human_agent=settings.human_agent)
        self._standing = Standing(
            graph=self._graph, settings=settings, connection=connection, subject="page", owner=settings.page_id, fields=FIELDS
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
        account = self._settings.page_id
        return envelopes.collect(request, "page", lambda told: messages.members(told, account, feed.read_change))

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """A message in Messenger, a comment, or the one private reply to a comment or post."""
        place = read_thread(message.thread_key)
        if place.customer:
            return self._sender.send({"id": place.customer}, message, extra={"metadata": marker})
        if message.visibility is Visibility.PRIVATE:
            return self.answer_in_private(message, marker=marker)
        return self._comment(place, message)

    def answer_in_private(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """The one private reply to a comment or post. Meta answers with the id under which the person writes in Messenger."""
        place = read_thread(message.thread_key)
        return self._sender.send(_addressed(place, message.reply_to), replace(message, reply_to=None), extra={"metadata": marker})

    def _comment(self, place: Place, message: OutboundMessage) -> Receipt:
        path = f"/{segment(place.target)}/comments"
        if not message.files:
            made = self._graph.write(path, {"message": message.text.plain})
        else:
            file = message.files[0]
            if len(message.files) > 1 or not file.content_type.startswith("image/"):
                raise Unsupported("A comment on Facebook takes one picture and no other file. Nothing was sent; send the file in private.")
            form = {"message": message.text.plain} if message.text else {}
            part = FormFile(filename=file.filename, content=file.content, content_type=file.content_type)
            made = self._graph.write(path, form=form, files=[("source", part)])
        ref = new_id(made, "id")
        return Receipt(message_ref=MessageRef(ref), url=f"https://www.facebook.com/{ref}")

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Make our comment say something else."""
        if not is_comment(message_ref):
            raise Unsupported(_ONLY_COMMENTS)
        require_success(self._graph.write(f"/{segment(message_ref)}", {"message": message.text.plain}))
        return Receipt(message_ref=message_ref, url=f"https://www.facebook.com/{message_ref}")

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take our comment back."""
        if not is_comment(message_ref):
            raise Unsupported(_ONLY_COMMENTS)
        comments.take_back(self._graph, message_ref)

    def hide(self, message_ref: MessageRef, thread_key: ThreadKey, *, is_hidden: bool) -> None:
        """Hide a comment from everybody but its author and their friends, or show it again."""
        if not is_comment(message_ref):
            raise Unsupported("Only comments can be hidden on Facebook. Nothing was changed.")
        comments.hide(self._graph, message_ref, field="is_hidden", is_hidden=is_hidden)

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of a customer's file."""
        return media.fetch(self._graph, attachment, max_bytes=max_bytes)

    def describe(self, contact: Contact) -> Contact:
        """As `DescribesContacts.describe`: the name of who wrote in Messenger, and their picture."""
        return contact if contact.ref == self._settings.page_id else profiles.described(self._graph, contact, fields=PROFILE)

    def send_typing(self, thread_key: ThreadKey) -> None:
        """Show in Messenger that someone writes."""
        if customer := read_thread(thread_key).customer:
            self._sender.act(customer, "typing_on")

    def mark_read(self, thread_key: ThreadKey, message_ref: MessageRef) -> None:
        """Show in Messenger that everything was read."""
        if customer := read_thread(thread_key).customer:
            self._sender.act(customer, "mark_seen")

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What was said and not told: messages, visitors' posts, and comments on the newest posts."""
        now, page = self._connection.clock.now(), self._settings.page_id
        look = conversations.begin(position, now)
        found = conversations.catch_up(look, self._graph, page, page, "messenger")
        return self._standing.beside(look.polled(found + catchup.catch_up(look, self._graph, page)), position, now)

    def register_webhook(self) -> None:
        """Set the app's address for Pages, and have this Page tell it everything that we carry."""
        subscriptions.register_app(self._graph, self._settings, self._connection, subject="page", fields=FIELDS)
        subscriptions.subscribe(self._graph, self._settings.page_id, FIELDS)

    def authorize_url(self, grant: Grant) -> str:
        """Facebook's page on which a person lets us act for the Page."""
        return self._login.authorize_url(grant)

    def exchange(self, code: str, grant: Grant) -> None:
        """Store the Page's token."""
        self._login.exchange(code, grant)

    def probe(self) -> Sequence[Probe]:
        """Token, permissions, webhook and subscription."""
        page = subscriptions.probe_account(self._graph, self._settings.page_id, "id,name")
        if not page.is_ok:
            return [page]
        return [
            page,
            subscriptions.probe_scopes(self._graph, SCOPES),
            *subscriptions.probe_app(self._graph, self._settings, self._connection, subject="page", fields=FIELDS),
            *subscriptions.probe_subscription(self._graph, self._settings, self._settings.page_id, FIELDS),
        ]


class Facebook:
    """Facebook before any configuration."""

    name = "facebook"
    display_name = "Facebook Page"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> FacebookAdapter:
        """Bind to one Page. Makes no call."""
        return FacebookAdapter(settings, connection)


PLATFORM = Facebook()


def _addressed(place: Place, reply_to: MessageRef | None) -> dict[str, str]:
    """Whom a private reply goes to: the author of the comment that is answered, else of the thread's first, else of the post."""
    comment = reply_to if reply_to is not None and is_comment(reply_to) and reply_to != place.post else place.comment
    return {"comment_id": comment} if comment else {"post_id": place.post}
