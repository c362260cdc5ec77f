"""The LinkedIn platform: what it can carry, and one organisation's page of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from plugin.contracts.capabilities import Capabilities, Level, Limits, Readback
from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.platform import Connection, Grant, PlatformAdapter, Polled, Probe
from plugin.contracts.reading import read_string
from plugin.contracts.rulers import UTF16
from plugin.contracts.settings import SettingsSchema as AnySettingsSchema
from plugin.domain.errors import CredentialsRejected, RemoteError
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent, ReactionChanged
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, File, OutboundMessage, Receipt, Visibility
from plugin.platforms._oauth.tokens import Token
from plugin.platforms.linkedin import notices, subscription
from plugin.platforms.linkedin.client import Client
from plugin.platforms.linkedin.delivery import Delivery, fetched
from plugin.platforms.linkedin.intake import AT_ONCE, Intake
from plugin.platforms.linkedin.schema import Settings, SettingsSchema
from plugin.platforms.linkedin.urns import SITE, contact_number, encoded

_CONNECT = "Run crossdesk channel connect for this channel and sign in to LinkedIn as an administrator of the page."
_DAY = 86_400.0
_SOON = 14 * _DAY
_OLD = 330
"""Days after which a version of the API is close to its end."""
CAPABILITIES = Capabilities(
    receives=Level.PARTIAL,
    replies_public=Level.FULL,
    attachments_in=Level.PARTIAL,
    attachments_out=Level.PARTIAL,
    edits_in=Level.PARTIAL,
    edits_out=Level.FULL,
    deletes_in=Level.PARTIAL,
    deletes_out=Level.FULL,
    threads=Level.PARTIAL,
    reactions_in=Level.PARTIAL,
    visibilities=(Visibility.PUBLIC,),
    events=frozenset({MessageReceived, MessageEdited, MessageDeleted, ReactionChanged}),
    readback=Readback.LAGGING,
    limits=Limits(
        text_length=1250,
        ruler=UTF16,
        file_bytes=5_000_000,
        files_per_message=1,
        content_types=("image/jpeg", "image/png", "image/gif"),
        calls_per_second=2.0,
        concurrency=2,
        readback_lag=30.0,
    ),
    may_answer="everybody who comments on the page's own posts, and whoever mentions the page in a public post",
)


class LinkedInAdapter:
    """One page."""

    recheck_seconds = 1800.0
    recheck_batch = AT_ONCE

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.capabilities = CAPABILITIES
        self.scopes = settings.scopes
        self.poll_seconds = settings.poll_seconds
        self._settings = settings
        self._connection = connection
        self._client = Client(settings, connection)
        self._delivery = Delivery(self._client)

    def verify(self, request: WebhookRequest) -> None:
        """Compare the signature over the raw body."""
        notices.verify(request, self._settings.client_secret, self._settings.previous_client_secret)

    def answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        """Answer the challenge by which LinkedIn asks whether the address is ours."""
        return notices.answer(request, self._settings.client_secret)

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The events in a delivery."""
        return notices.read_delivery(request.json(), self._settings.organization)

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """Comments, answers, mentions, edits, deletions and reactions since `position`.

        Once a day the webhook is looked after; once an hour while it is amiss.
        """
        now = self._connection.clock.now()
        polled = self._intake().poll(position)
        hour, looked = now.strftime("%Y-%m-%dT%H"), (position or {}).get("looked")
        today = hour[:10]
        if polled.position is None or not self._settings.application_id:
            return polled
        silent = (position or {}).get("silent")
        if looked not in (today, hour):
            silent = subscription.renew(self._client, self._connection.webhook_url, now)
            # What is amiss is looked at again within the hour: somebody is mending it.
            looked = hour if silent else today
        return replace(polled, position={**polled.position, "looked": looked, "silent": silent}, silent=silent)

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Edits and deletions among comments."""
        return self._intake().recheck(message_refs)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Answer below a comment, or below a post that mentions the page."""
        del marker  # a comment carries no sign of ours
        return self._delivery.send(message)

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """What an earlier delivery made, known by its thread, words and time."""
        del marker
        return self._delivery.find(message)

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Make a comment of ours say something else."""
        del marker
        return self._delivery.rewrite(message_ref, message)

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take a comment of ours back."""
        del thread_key, marker
        self._delivery.take_back(message_ref)

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of a comment's picture."""
        url = self._delivery.picture(attachment)
        return fetched(self._connection.http.download(url, max_bytes=max_bytes), attachment)

    def describe(self, contact: Contact) -> Contact:
        """A page's name; a member's only where `names` says that it may be kept."""
        kind, number = contact_number(contact.ref)
        if kind == "organization":
            told = self._client.read(f"organizations/{encoded(number)}")
            name, vanity, path = read_string(told.get("localizedName")), read_string(told.get("vanityName")), "company"
        elif kind == "person" and self._settings.names:
            told = self._client.read(f"people/(id:{encoded(number)})")
            parts = (read_string(told.get("localizedFirstName")), read_string(told.get("localizedLastName")))
            name, vanity, path = " ".join(filter(None, parts)), read_string(told.get("vanityName")), "in"
        else:
            return contact
        url = f"{SITE}/{path}/{encoded(vanity)}" if vanity else contact.url
        return replace(contact, display_name=name or contact.display_name, handle=vanity, url=url)

    def authorize_url(self, grant: Grant) -> str:
        """Where the person signs in to LinkedIn and agrees."""
        return self._client.tokens.authorize_url(grant)

    def exchange(self, code: str, grant: Grant) -> None:
        """Keep the sign-in that a code stands for, if it is an administrator's of the page."""
        token = self._client.tokens.exchange(code, grant)
        role, _ = self._client.role(token)
        if role != "ADMINISTRATOR":
            told = f"has the role {role[:60]}" if role else "has no role"
            raise CredentialsRejected(
                f"Whoever signed in {told} on the page {self._settings.organization_id}, and an administrator is needed. Nothing was kept; sign in as "
                "an administrator of the page, or correct `organization_id`."
            )
        self._client.tokens.keep(token)

    def register_webhook(self) -> None:
        """Have LinkedIn tell us. LinkedIn asks our address first: it must answer already, and stand in the app's Webhooks tab."""
        subscription.register(self._client, self._connection.webhook_url)

    def probe(self) -> Sequence[Probe]:
        """Who signed in, what is allowed and until when, the API's version, the webhook, and what is left of the day's calls."""
        return list(self._probes())

    def _probes(self) -> Iterator[Probe]:
        now = self._connection.clock.now()
        try:
            _, token = self._client.tokens.current()
            role, person = self._client.role(token)
        except RemoteError as problem:
            yield Probe(name="account", is_ok=False, answer=str(problem), next_step=_CONNECT)
        else:
            is_ours = role == "ADMINISTRATOR"
            who = f"{person or 'nobody'}, {role or 'no role'} of {self._settings.organization}"
            yield Probe(name="account", is_ok=is_ours, answer=who, next_step="" if is_ours else _CONNECT)
            yield self._client.tokens.probe(token, _CONNECT)
            yield _until(token, now.timestamp())
            yield subscription.probe(self._client, self._connection.webhook_url, now)
        yield _version(self._settings.api_version, now)
        budget = self._client.budget
        step = "Polls rest until midnight UTC. Poll less often (`poll_seconds`), or ask LinkedIn for a higher tier and raise `daily_calls`."
        has_room = budget.has_room(0)
        answer = f"{budget.used()} of {budget.daily} calls were made today (UTC)"
        yield Probe(name="calls", is_ok=has_room, answer=answer, next_step="" if has_room else step)

    def _intake(self) -> Intake:
        now = self._connection.clock.now()
        return Intake(self._client, now=now, turn=int(now.timestamp() // self.poll_seconds))


def _until(token: Token, now: float) -> Probe:
    """How long the sign-in lasts: LinkedIn renews it only for approved apps, and for a year at the most."""
    ends_at = token.ends_at if not token.renewal else token.renewable_until
    if ends_at is None:
        return Probe(name="sign-in", is_ok=True, answer="renewed by itself")
    how = "renewed by itself until" if token.renewal else "not renewed by itself, ends on"
    is_ok = ends_at - now > _SOON
    return Probe(
        name="sign-in", is_ok=is_ok, answer=f"{how} {datetime.fromtimestamp(ends_at, UTC):%Y-%m-%d}", next_step="" if is_ok else _CONNECT
    )


def _version(version: str, now: datetime) -> Probe:
    age = (now - datetime(int(version[:4]), int(version[4:]), 1, tzinfo=UTC)).days
    step = "" if age < _OLD else "LinkedIn retires a version after about a year: set `api_version` to a newer one and restart."
    return Probe(name="API version", is_ok=age < _OLD, answer=version, next_step=step)


class LinkedIn:
    """LinkedIn before any configuration."""

    name = "linkedin"
    display_name = "LinkedIn"
    capabilities = CAPABILITIES

    def __init__(self) -> None:
        self.settings_schema = cast(AnySettingsSchema, SettingsSchema())

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> PlatformAdapter:
        """Bind to one page. Makes no call."""
        del channel
        return LinkedInAdapter(settings, connection)


PLATFORM = LinkedIn()
