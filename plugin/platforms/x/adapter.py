"""The X platform: one account as one channel. Puts the parts together; what X's words mean stands in the other modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.platform import Connection, Grant, PlatformAdapter, Polled, Probe
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.domain.errors import CredentialsRejected, RemoteError
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, File, OutboundMessage, Receipt
from plugin.platforms.x import webhooks
from plugin.platforms.x.capabilities import CAPABILITIES, capabilities_of
from plugin.platforms.x.client import Client
from plugin.platforms.x.delivery import Delivery
from plugin.platforms.x.intake import Intake
from plugin.platforms.x.looking import AT_ONCE, Looking
from plugin.platforms.x.registration import Registration
from plugin.platforms.x.schema import Settings, SettingsSchema
from plugin.platforms.x.uploads import Uploads
from plugin.platforms.x.values import read_id, read_string, read_time

_CHECKED_EVERY = timedelta(hours=1)
_OVERLAP = timedelta(minutes=15)
"""What of the time before a check is delivered again with what came after it: X keeps back the last minutes."""
_CONNECT = "Run crossdesk channel connect for this channel and sign in to X as the account."


class XAdapter:
    """One account."""

    search_seconds = 300.0
    recheck_seconds = 900.0
    recheck_batch = AT_ONCE

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.capabilities = capabilities_of(settings)
        self.scopes = settings.scopes
        # Direct messages may be asked for 15 times in 15 minutes; with webhooks, polls only fill gaps.
        self.poll_seconds = 120.0 if settings.intake == "poll" else 300.0
        self._settings = settings
        self._clock = connection.clock
        self._client = Client(settings, connection)
        self._uploads = Uploads(self._client, connection.http)
        self._delivery = Delivery(self._client, self._uploads)
        self._looking = Looking(self._client)
        self._registration = Registration(self._client, connection.webhook_url)

    def answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        """Answer X's challenge (CRC)."""
        return webhooks.answer(request, self._settings)

    def verify(self, request: WebhookRequest) -> None:
        """Compare X's signature over the raw body."""
        webhooks.verify(request, self._settings)

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The events of a delivery, of the X Activity API or of the older Account Activity API."""
        return webhooks.events(request.json(), self._settings.account_id)

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """Mentions and answers, our own people's posts, and direct messages since `position`; looks after the webhook once an hour."""
        now, stands = self._clock.now(), position or {}
        polled = Intake(self._client, now=now).poll(position)
        checked, silent = read_time(stands.get("checked")), stands.get("silent")
        if position is not None and self._settings.intake != "poll" and (silent or checked is None or now - checked >= _CHECKED_EVERY):
            silent = self._revive(checked or now, now)
            checked = now
        reached = {**(polled.position or {}), "checked": (checked or now).isoformat(), "silent": silent}
        return replace(polled, position=reached, silent=silent)

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """Posts of the last 7 days that answer a query in X's own search language."""
        return Intake(self._client, now=self._clock.now()).search(name, query, position, most=most)

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Edits and deletions among posts. X bills a post once a day, however often it is looked at."""
        return self._looking.again(message_refs)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Post an answer, or send a direct message."""
        del marker  # X carries no sign of ours
        return self._delivery.send(message)

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """What an earlier delivery made, known by what it answers, its words and its time."""
        del marker
        return self._delivery.find(message)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take back our post or direct message."""
        del thread_key, marker
        self._delivery.take_back(message_ref)

    def hide(self, message_ref: MessageRef, thread_key: ThreadKey, *, is_hidden: bool) -> None:
        """Hide an answer below our posts, or show it again."""
        del thread_key
        self._delivery.hide(message_ref, is_hidden=is_hidden)

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of a picture or film."""
        return self._uploads.fetch(attachment, max_bytes=max_bytes)

    def register_webhook(self) -> None:
        """Tell X our address and what we want to hear."""
        self._registration.register()

    def authorize_url(self, grant: Grant) -> str:
        """Where the person signs in to X and agrees."""
        return self._client.tokens.authorize_url(grant)

    def exchange(self, code: str, grant: Grant) -> None:
        """Keep the sign-in that a code stands for, if it is the right account's."""
        token = self._client.tokens.exchange(code, grant)
        found = self._client.identify(token)
        if read_id(found.get("id")) != self._settings.account_id:
            raise CredentialsRejected(
                f"This is the account @{read_string(found.get('username'))} ({read_id(found.get('id'))}), and the channel is for "
                f"{self._settings.account_id}. Nothing was kept; sign in to X as the right account, or correct `account_id`."
            )
        self._client.tokens.keep(token)

    def probe(self) -> Sequence[Probe]:
        """Who we are, what the account allowed, how the webhook and the subscriptions fare."""
        return list(self._probes())

    def _probes(self) -> Iterator[Probe]:
        try:
            me = self._client.sdk.get_me(return_json=True)
            _, token = self._client.tokens.current()
        except RemoteError as problem:
            yield Probe(name="account", is_ok=False, answer=str(problem), next_step=_CONNECT)
        else:
            user = me.get("data") if isinstance(me.get("data"), dict) else {}
            is_ours = read_id(user.get("id")) == self._settings.account_id
            told = f"@{read_string(user.get('username'))} ({read_id(user.get('id'))})"
            yield Probe(name="account", is_ok=is_ours, answer=told, next_step="" if is_ours else _CONNECT)
            missing = [scope for scope in self.scopes if scope not in token.scopes]
            answer = f"missing: {', '.join(missing)}" if missing else "all that are needed"
            yield Probe(name="permissions", is_ok=not missing, answer=answer, next_step=_CONNECT if missing else "")
        yield from self._registration.probes()

    def _revive(self, checked: datetime, now: datetime) -> str | None:
        try:
            return self._registration.revive(since=checked - _OVERLAP, now=now, was_away=now - checked >= 2 * _CHECKED_EVERY)
        except RemoteError:
            return None  # The poll itself is well; `probe` tells of a webhook that is not.


class X:
    """X before any configuration."""

    name = "x"
    display_name = "X"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> PlatformAdapter:
        """Bind to one account. Makes no call."""
        del channel
        return XAdapter(settings, connection)


PLATFORM = X()
