"""The Slack platform: one app's bot in one workspace as one channel."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.platform import Connection, PlatformAdapter, Polled, Probe
from plugin.contracts.reading import read_count, read_object, read_string
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.contracts.signing import is_fresh, is_one_of, sign
from plugin.domain.errors import MalformedPayload, RemoteError, RemoteRejected, SignatureInvalid
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, File, OutboundMessage, Receipt
from plugin.platforms.slack import intake
from plugin.platforms.slack.capabilities import CAPABILITIES, EVENTS, SCOPES
from plugin.platforms.slack.catchup import CatchUp
from plugin.platforms.slack.client import SlackApi
from plugin.platforms.slack.delivery import Delivery
from plugin.platforms.slack.messages import Reading
from plugin.platforms.slack.schema import Settings, SettingsSchema

_INSTALL = "Add it on the app's page OAuth & Permissions, and install the app to the workspace again."


class SlackAdapter:
    """One app in one workspace, told of events over HTTP."""

    capabilities = CAPABILITIES
    poll_seconds = 60.0

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._api = SlackApi(connection.http, settings)
        self._reading = Reading(settings=settings)
        self._delivery = Delivery(self._api, self._reading)

    def verify(self, request: WebhookRequest) -> None:
        """Signature v0 over time stamp and raw body (Slack API, "Verifying requests from Slack")."""
        stamp = request.headers.get("x-slack-request-timestamp", "")
        base = b"v0:" + stamp.encode("utf-8", "surrogatepass") + b":"
        secrets = (secret for secret in (self._settings.signing_secret, self._settings.previous_signing_secret) if secret)
        wanted = [f"v0={sign(secret, base, request.body)}" for secret in secrets]
        if not is_one_of(request.headers.get("x-slack-signature", ""), *wanted):
            raise SignatureInvalid(
                "The request is not signed with this app's signing secret; it was not stored. If the secret was changed, put the new one into "
                "the channel's settings."
            )
        if not is_fresh(stamp, self._connection.clock.now()):
            raise SignatureInvalid(
                "The request was signed more than five minutes ago or ahead; it was not stored. Check this machine's clock."
            )

    def answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        """Give back the challenge by which Slack asks whether the address is ours. It is signed like everything else."""
        try:
            body = request.json()
        except MalformedPayload:
            return None
        if not isinstance(body, dict) or body.get("type") != "url_verification":
            return None
        self.verify(request)
        return WebhookAnswer(status=200, body=read_string(body.get("challenge")).encode())

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The one event in a delivery: of the Events API, or a press on a button of ours."""
        return intake.read_request(request, self._reading)

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What the channels show that the events may not have told.

        Raises:
            RemoteError: any of its kinds.
        """
        return CatchUp(self._api, self._reading, now=self._connection.clock.now()).poll(position)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Say one thing in the thread, or in the direct conversation."""
        return self._delivery.post(message, marker)

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """Look for our marker among what the bot said there."""
        return self._delivery.find(message, marker)

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Make our message read differently. Doing it twice is harmless."""
        del marker
        return self._delivery.rewrite(message_ref, message)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take our message back; one that is gone is success."""
        del marker
        self._delivery.retract(message_ref, thread_key)

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of a file. Its address is asked for anew and shown our token, since files are private to the workspace."""
        about = read_object(self._api.sdk.files_info(file=attachment.media_ref).get("file"))
        size, url = read_count(about.get("size")), read_string(about.get("url_private_download")) or read_string(about.get("url_private"))
        name = attachment.filename if attachment.filename != "file" else read_string(about.get("name")) or "file"
        if size is not None and size > max_bytes:
            raise RemoteRejected(f"“{name}” is bigger than is allowed here. The message is kept without it; open it on Slack.")
        if not url:
            raise RemoteRejected(f"Slack names no address for “{name}”; the message is kept without it. Open it on Slack.")
        answer = self._api.fetch(url, max_bytes=max_bytes)
        kind = read_string(about.get("mimetype")) or attachment.content_type
        if answer.headers.get("content-type", "").startswith("text/html") and kind != "text/html":
            raise RemoteRejected(f"Slack gave its sign-in page in place of “{name}”: the app lacks files:read. {_INSTALL}")
        return File(filename=name, content_type=kind, content=answer.body, description=attachment.description)

    def describe(self, contact: Contact) -> Contact:
        """What `users.info` tells of a person: names, picture, language. Asked anew each time, so that nothing outlives a change there."""
        if not contact.ref.startswith(("U", "W")):
            return contact
        person = read_object(self._api.sdk.users_info(user=contact.ref, include_locale=True).get("user"))
        profile = read_object(person.get("profile"))
        name = read_string(profile.get("real_name")) or read_string(person.get("real_name")) or read_string(profile.get("display_name"))
        return replace(
            contact,
            display_name=contact.display_name or name,
            handle=read_string(person.get("name")) or contact.handle,
            avatar_url=read_string(profile.get("image_192")),
            language=read_string(person.get("locale")).partition("-")[0],
            is_bot=contact.is_bot or person.get("is_bot") is True,
        )

    def registration(self) -> str:
        """The app's manifest, to be pasted on Slack's page "Create an app" or "App Manifest". It holds no secret. Makes no call."""
        bot = {"display_name": "Helpdesk", "always_online": True}
        home = {"home_tab_enabled": False, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False}
        manifest = {
            "display_information": {"name": "Helpdesk"},
            "features": {"bot_user": bot, "app_home": home},
            "oauth_config": {"scopes": {"bot": list(SCOPES)}},
            "settings": {
                "event_subscriptions": {"request_url": self._connection.webhook_url, "bot_events": list(EVENTS)},
                "interactivity": {"is_enabled": True, "request_url": self._connection.webhook_url},
                "org_deploy_enabled": False,
                "socket_mode_enabled": False,
                "token_rotation_enabled": False,
            },
        }
        return json.dumps(manifest, indent=2)

    def probe(self) -> Sequence[Probe]:
        """Who the bot is, whether it is this app's, and which permission it lacks."""
        try:
            who = self._api.sdk.auth_test()
        except RemoteError as problem:
            return [Probe(name="token", is_ok=False, answer=str(problem), next_step="Check `bot_token` and `api_url` of this channel.")]
        name = f"@{read_string(who.get('user'))} in {read_string(who.get('team'))} ({read_string(who.get('url'))})"
        given = {scope.strip() for scope in who.headers.get("x-oauth-scopes", "").split(",")}
        missing = [scope for scope in SCOPES if scope not in given]
        told = f"missing: {', '.join(missing)}" if missing else "all that are needed"
        return [
            Probe(name="token", is_ok=True, answer=name),
            Probe(name="permissions", is_ok=not missing, answer=told, next_step=_INSTALL if missing else ""),
            self._probe_app(read_string(who.get("bot_id"))),
        ]

    def _probe_app(self, bot_id: str) -> Probe:
        try:
            app = read_string(read_object(self._api.sdk.bots_info(bot=bot_id).get("bot")).get("app_id"))
        except RemoteError as problem:
            return Probe(name="app", is_ok=False, answer=str(problem), next_step="Try again.")
        is_ours = app == self._settings.app_id
        step = "" if is_ours else f"Set `app_id` to {app}: the bot's own messages would be taken for a customer's."
        return Probe(name="app", is_ok=is_ours, answer=app or "none", next_step=step)


class Slack:
    """Slack before any configuration."""

    name = "slack"
    display_name = "Slack"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> PlatformAdapter:
        """Bind to one app. Makes no call."""
        return SlackAdapter(settings, connection)


PLATFORM = Slack()
