"""The contract of a platform. Optional abilities are small Protocols which must agree with the declared capabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from plugin.contracts.capabilities import Capabilities
from plugin.contracts.http import HttpClient, WebhookAnswer, WebhookRequest
from plugin.contracts.settings import SecretStore, SettingsSchema
from plugin.domain.clock import Clock
from plugin.domain.errors import CrossdeskError
from plugin.domain.events import PlatformEvent
from plugin.domain.ids import ChannelKey, Marker, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, File, OutboundMessage, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What an adapter is handed besides its settings."""

    http: HttpClient
    clock: Clock
    secrets: SecretStore
    webhook_url: str
    """Where this channel or helpdesk reaches us, without a trailing slash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A fact that a poll saw and that became no event, for the ledger: `UnsupportedEvent` is ignored, `MalformedPayload` quarantined.

    `event_key` is the platform's own id of the fact, so that it is kept once however often polls see it; `unreadable_key` of
    `plugin.contracts.batches` where it bears none. What is ignored under an event's own key is never told as that event.
    """

    event_key: str
    reason: CrossdeskError
    payload: Any = field(default=None, repr=False)
    """As it came, JSON data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What a poll brought, oldest first. `position` is stored in the same transaction as the events; None leaves it."""

    events: tuple[Any, ...]
    position: Mapping[str, Any] | None
    has_more: bool = False
    skipped: tuple[Skipped, ...] = ()
    silent: str | None = None
    """Why the webhook tells us nothing, in a sentence, as far as the platform is known to say; empty: it says that all is well; None: it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that was tried by `doctor` or `channel test`: what was asked, what came back, what to do next if it failed."""

    name: str
    is_ok: bool
    answer: str
    next_step: str = ""


@runtime_checkable
class PlatformAdapter(Protocol):
    """A platform bound to one channel. Stateless but for its connection: any thread, any process may call."""

    capabilities: Capabilities

    def verify(self, request: WebhookRequest) -> None:
        """Accept the request as the platform's own: raw bytes, constant time, signed time within its window.

        Raises:
            SignatureInvalid: it is not.
        """
        ...

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """The events in a verified request, oldest first. Pure: no calls, no clock. Unknown fields are ignored.

        Raises:
            MalformedPayload: it cannot be read.
            UnsupportedEvent: nothing in it is a kind we carry.
        """
        ...

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Say one thing on the platform. The same message with the same marker is the same wish.

        Raises:
            RemoteError: any of its kinds; `OutcomeUnknown` where it may have been applied.
        """
        ...

    def probe(self) -> Sequence[Probe]:
        """Live checks for `doctor`: credentials, permissions, webhook registration. Never raises for a remote fault."""
        ...


class Platform(Protocol):
    """A platform before any configuration exists."""

    name: str
    display_name: str
    capabilities: Capabilities
    settings_schema: SettingsSchema

    def connect(self, channel: ChannelKey, settings: Any, connection: Connection) -> PlatformAdapter:
        """Bind to one channel. Makes no call."""
        ...


@runtime_checkable
class ProvesByPath(Protocol):
    """Its webhook's address holds a secret: what of the path is kept must not show it."""

    def path_without_proof(self, path: str) -> str:
        """The path as it may be stored and shown; `parse` reads it as well."""
        ...


@runtime_checkable
class NamesItsAddress(Protocol):
    """Its webhook's address is more than the channel's own: it ends in a secret, which the platform must be told with it."""

    def webhook_address(self) -> str:
        """The whole address. It holds a secret: it is shown to nobody but the admin who sets the channel up. Makes no call."""
        ...


@runtime_checkable
class AnswersInPrivate(Protocol):
    """Can say something in private to whoever said something in public, by a call of its own (a private reply to a comment).

    Whoever has a private thread of its own with the customer needs no such call.
    """

    def answer_in_private(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """As `deliver`, to the author of `reply_to` (or of the thread's first post) alone. `opened_thread` where the platform tells it.

        Raises:
            RemoteError: any of its kinds, as `deliver`.
        """
        ...


@runtime_checkable
class AnswersChallenge(Protocol):
    """Handshakes that are answered at once, without database."""

    def answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        """The answer, or None when this request is no handshake.

        Raises:
            SignatureInvalid: a handshake with a wrong token.
        """
        ...


@runtime_checkable
class PollsEvents(Protocol):
    """Can be asked what happened. Serves as intake, as the net below the webhooks, or only to notice a dead credential or webhook in time."""

    poll_seconds: float
    """How often to ask when nothing is amiss."""

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What happened since `position` (None: from now on, a short look back). Overlap is welcome: keys absorb it.

        Raises:
            RemoteError: any of its kinds.
        """
        ...


@runtime_checkable
class HearsNews(PollsEvents, Protocol):
    """Is told at once that there is something to poll, over a connection that is kept open. The poll stays the truth: losing every word loses nothing."""

    def hear(self, on_news: Callable[[], None], is_over: Callable[[], bool]) -> None:
        """Listen until the stream ends or `is_over` says so, which is asked several times a second. `on_news` says "poll", not what is new.

        Raises:
            RemoteError: any of its kinds, as for calls that only read. What is not `retryable` means that there is nothing to listen to here.
        """
        ...


@runtime_checkable
class ContinuesConversations(Protocol):
    """A page of ours, on which customers of other channels go on in private. No platform is behind it."""

    def address(self, conversation: int, *, expires: datetime) -> str:
        """The page of one conversation, good until `expires`; nobody's data is in it."""
        ...

    def continues(self, thread_key: ThreadKey) -> tuple[int, int]:
        """The conversation that a thread of the page continues, and the pass of who writes there."""
        ...


@runtime_checkable
class FetchesMedia(Protocol):
    """Inbound files."""

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """The bytes of an attachment.

        Raises:
            RemoteError: any of its kinds; `RemoteRejected` when it is too big or not ours to fetch.
        """
        ...


@runtime_checkable
class EditsMessages(Protocol):
    """Outbound edits."""

    def edit(self, message_ref: MessageRef, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Make our message say something else."""
        ...


@runtime_checkable
class DeletesMessages(Protocol):
    """Outbound deletions. A message that is already gone is success."""

    def delete(self, message_ref: MessageRef, thread_key: ThreadKey, *, marker: Marker) -> None:
        """Take our message back."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """Can say whether a delivery was applied."""

    def find_delivered(self, message: OutboundMessage, *, marker: Marker) -> Receipt | None:
        """What an earlier `deliver` of the same message and marker made, or None when it is surely not there (see `Readback`)."""
        ...


@runtime_checkable
class RegistersWebhook(Protocol):
    """Can tell the platform where we are."""

    def register_webhook(self) -> None:
        """Set our address and secret. Doing it twice is harmless."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One try to connect an account by OAuth 2: everything that is used once. PKCE: the challenge is SHA-256 of `verifier`."""

    state: str
    verifier: str = field(repr=False)
    redirect_url: str


@runtime_checkable
class Connects(Protocol):
    """The account is connected by OAuth: a person agrees in a browser. Tokens are kept in `Connection.secrets`, never in the file."""

    scopes: tuple[str, ...]
    """Permissions that are asked for."""

    def authorize_url(self, grant: Grant) -> str:
        """Where the person's browser goes. Makes no call."""
        ...

    def exchange(self, code: str, grant: Grant) -> None:
        """Turn what came back to `redirect_url` into stored tokens.

        Raises:
            CredentialsRejected: the code is used, old, or a needed scope was not given; the sentence names the scope.
            RemoteError: any of its kinds.
        """
        ...


@runtime_checkable
class HidesMessages(Protocol):
    """Can hide what others said below our posts, for everybody but its author."""

    def hide(self, message_ref: MessageRef, thread_key: ThreadKey, *, is_hidden: bool) -> None:
        """Hide or show again. Safe to repeat; a message that is gone is success when hiding."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text that the platform has approved. `values` fill its places, in order."""

    name: str
    language: str
    values: tuple[str, ...] = ()


@runtime_checkable
class SendsTemplates(Protocol):
    """Can send a prepared text when the reply window is shut."""

    def send_template(self, template: Template, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """Send `template` to where `message` would go. `message.text` is what the ticket shows.

        Raises:
            RemoteError: any of its kinds, as `deliver`.
        """
        ...


@runtime_checkable
class Listens(Protocol):
    """Can search for what is said about the company without addressing it."""

    search_seconds: float
    """How often a saved search is asked when nothing is amiss."""

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """What was said since `position`, at most `most` posts. Its messages carry `found_by=name`, and `no_reply` where the platform forbids it.

        Raises:
            RemoteError: any of its kinds; `RemoteRejected` when the query cannot be understood.
        """
        ...


@runtime_checkable
class RechecksMessages(Protocol):
    """Tells edits and deletions only to those who look: the messages of open conversations are asked about again."""

    recheck_seconds: float
    """How often one message is looked at, at most."""
    recheck_batch: int
    """How many messages one call takes."""

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """MessageEdited and MessageDeleted for those that changed, with the same keys whenever they are told; nothing for the others.

        Raises:
            RemoteError: any of its kinds.
        """
        ...


@runtime_checkable
class DescribesContacts(Protocol):
    """Its events name people by their id alone. Asked when somebody is made known to the helpdesk.

    What it tells is kept as the contact's, and later events overwrite what they say themselves, no more. Then the policy looks at the
    conversation once more: a first message is judged before it is known who wrote it.
    """

    def describe(self, contact: Contact) -> Contact:
        """`contact`, with what the platform tells of it now. It reads only.

        Raises:
            RemoteError: any of its kinds; the contact is then filed under its id.
        """
        ...


@runtime_checkable
class PrintsRegistration(Protocol):
    """Is made known to the platform by a file that the admin of the platform's server installs."""

    def registration(self) -> str:
        """The file's text. It holds secrets: it is shown to nobody but the admin who asks. Makes no call."""
        ...


@runtime_checkable
class SendsTyping(Protocol):
    """Typing indicators; never retried."""

    def send_typing(self, thread_key: ThreadKey) -> None:
        """Show that someone writes."""
        ...


@runtime_checkable
class MarksRead(Protocol):
    """Read receipts; never retried."""

    def mark_read(self, thread_key: ThreadKey, message_ref: MessageRef) -> None:
        """Show that everything up to the message was read."""
        ...
