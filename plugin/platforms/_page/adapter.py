"""The private page as a channel: what customers write on it comes as signed receipts of our own; replies are read from the store by the page itself.

Files come within the receipt, so that they are kept before the page answers; they are taken out of it when they are filed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits
from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Probe
from plugin.contracts.rulers import CODE_POINTS
from plugin.domain.errors import MalformedPayload, RemoteRejected, SignatureInvalid
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.ids import ContactRef, Marker, MediaRef, MessageRef, ThreadKey
from plugin.domain.model import Attachment, Contact, File, OutboundMessage, Receipt, Visibility
from plugin.domain.text import Text
from plugin.platforms._page import tokens

LONGEST = 4_000
"""Characters of one message."""
SIGNATURE = "x-crossdesk-page"
CAPABILITIES = Capabilities(
    replies_private=Level.FULL,
    attachments_in=Level.FULL,
    choices=Level.FULL,
    visibilities=(Visibility.PRIVATE,),
    events=frozenset((MessageReceived,)),
    idempotency=Idempotency.NATURAL,
    limits=Limits(text_length=LONGEST, ruler=CODE_POINTS, concurrency=8, max_lifetime=1.0, choices_per_message=10, choice_length=60),
)
Kept = Callable[[bytes], bytes | None]
"""The body of the receipt with this digest; None when it is not kept any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody wrote on the page. `visit` is the browser's pass, `nonce` the form: sent twice, it is one message."""

    conversation: int
    visit: int
    nonce: str
    words: str = field(repr=False)
    name: str
    language: str
    at: datetime
    files: tuple[File, ...] = ()


class PageAdapter:
    """The pages of one helpdesk. `keys` are the installation's own, the newest first; `base` is where customers reach us; `kept` reads receipts."""

    capabilities = CAPABILITIES

    def __init__(self, keys: Sequence[str], *, base: str, kept: Kept) -> None:
        self._keys, self._base, self._kept = tuple(keys), base.rstrip("/"), kept

    def __repr__(self) -> str:
        return "PageAdapter()"

    def address(self, conversation: int, *, expires: datetime) -> str:
        """The page of one conversation, good until `expires`."""
        return f"{self._base}/go/{tokens.make(self._keys, conversation, expires=expires)}"

    def continues(self, thread_key: ThreadKey) -> tuple[int, int]:
        """The conversation that a thread of the page continues, and the pass of who writes there."""
        conversation, _, visit = thread_key.partition(":")
        return int(conversation), int(visit)

    def receipt(self, said: Said) -> WebhookRequest:
        """What was written as a delivery, signed by us: it takes the way of every other."""
        content: dict[str, Any] = {
            "conversation": said.conversation,
            "visit": said.visit,
            "nonce": said.nonce,
            "words": said.words,
            "name": said.name,
            "language": said.language,
            "at": said.at.isoformat(),
        }
        if said.files:
            content["files"] = [
                {"name": file.filename, "type": file.content_type, "content": base64.b64encode(file.content).decode("ascii")}
                for file in said.files
            ]
        body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
        return WebhookRequest(method="POST", path="", headers={SIGNATURE: _sign(self._keys[0], body)}, query={}, body=body)

    def verify(self, request: WebhookRequest) -> None:
        """Only what this page signed itself."""
        given = request.headers.get(SIGNATURE, "").encode("utf-8", "surrogatepass")
        if not sum(hmac.compare_digest(given, _sign(key, request.body).encode()) for key in self._keys):
            raise SignatureInvalid("This was not written on the private page; nothing was kept.")

    def parse(self, request: WebhookRequest) -> Sequence[PlatformEvent]:
        """One message, always."""
        content = request.json()
        try:
            return [_event(content, _digest(request))]
        except (KeyError, TypeError, ValueError) as problem:
            raise MalformedPayload(
                "What the private page kept cannot be read; it is kept for an admin.", detail=type(problem).__name__
            ) from None

    def fetch_media(self, attachment: Attachment, *, max_bytes: int) -> File:
        """A file, out of the receipt that brought it."""
        digest, _, number = attachment.media_ref.partition("/")
        body = self._kept(bytes.fromhex(digest))
        if not body:
            raise RemoteRejected("The delivery that brought it is not kept any more. Ask the customer to send it again.")
        try:
            content = base64.b64decode(json.loads(body)["files"][int(number)]["content"], validate=True)
        except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
            raise RemoteRejected("It cannot be read. Ask the customer to send it again.") from None
        if len(content) > max_bytes:
            raise RemoteRejected(f"It has {len(content):,} bytes; {max_bytes:,} are the most that is carried.")
        return File(filename=attachment.filename, content_type=attachment.content_type, content=content)

    def deliver(self, message: OutboundMessage, *, marker: Marker) -> Receipt:
        """There is nobody to call: the page shows what stands in the store as sent."""
        return Receipt(message_ref=MessageRef(f"page:{marker}"))

    def probe(self) -> Sequence[Probe]:
        """Nothing is behind it that could be away."""
        return [Probe(name="page", is_ok=True, answer=f"customers reach it below {self._base}/go/")]


def event_key(visit: int, nonce: object) -> str:
    """One form of one browser, however often it is sent."""
    return f"page:{visit}:{nonce}"


def _event(content: Mapping[str, Any], digest: str) -> MessageReceived:
    conversation, visit, words = content["conversation"], content["visit"], content["words"]
    if not isinstance(conversation, int) or not isinstance(visit, int) or not isinstance(words, str):
        raise TypeError("numbers and words")
    attachments = tuple(
        Attachment(
            media_ref=MediaRef(f"{digest}/{number}"),
            filename=str(file["name"]),
            content_type=str(file["type"]),
            # Base64 has four characters for three bytes, and says by `=` how many are missing at the end.
            size=len(str(file["content"])) // 4 * 3 - str(file["content"]).count("="),
        )
        for number, file in enumerate(content.get("files", ()))
    )
    ref = event_key(visit, content["nonce"])
    return MessageReceived(
        event_key=ref,
        occurred_at=datetime.fromisoformat(content["at"]),
        message_ref=MessageRef(ref),
        thread_key=ThreadKey(f"{conversation}:{visit}"),
        visibility=Visibility.PRIVATE,
        author=Contact(ref=ContactRef(f"{conversation}:{visit}"), display_name=str(content["name"]), language=str(content["language"])),
        text=Text(words),
        attachments=attachments,
    )


def _digest(request: WebhookRequest) -> str:
    """Under which the store knows the receipt: its path and body."""
    return hashlib.sha256(request.path.encode("utf-8", "replace") + b"\0" + request.body).hexdigest()


def _sign(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), b"crossdesk page receipt 1\n" + body, hashlib.sha256).hexdigest()
