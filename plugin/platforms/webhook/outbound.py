"""What we say, as the contract's data, and what the answers bring. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from plugin.contracts.capabilities import Capabilities, Level
from plugin.domain.errors import OutcomeUnknown, Unsupported
from plugin.domain.html import to_html
from plugin.domain.ids import Marker, MessageRef
from plugin.domain.model import File, OutboundMessage, Receipt, Visibility
from plugin.domain.text import fold
from plugin.platforms.webhook.events import conversation_of

_MOST_LOSSES = 5


def sending(message: OutboundMessage, marker: Marker, capabilities: Capabilities) -> dict[str, Any]:
    """The data of `message.send`.

    Raises:
        Unsupported: the other side shows no such replies.
    """
    is_private = message.visibility is Visibility.PRIVATE
    if (capabilities.replies_private if is_private else capabilities.replies_public) < Level.PARTIAL:
        raise Unsupported(f"This channel carries no {message.visibility.value} replies (see its setting replies). Nothing was sent.")
    data: dict[str, Any] = {
        "client_id": marker,
        "conversation_id": conversation_of(message.thread_key)[0],
        "visibility": message.visibility.value,
        "recipient": {"id": message.contact.ref, "name": message.contact.display_name, "handle": message.contact.handle},
        **_words(message, capabilities),
    }
    if message.reply_to:
        data["reply_to"] = message.reply_to
    if choices := capabilities.offered(message.choices, message.visibility):
        data["choices"] = list(choices)
    if message.files:
        data["files"] = [_file(file) for file in message.files]
    return data


def editing(message_ref: MessageRef, message: OutboundMessage, marker: Marker, capabilities: Capabilities) -> dict[str, Any]:
    """The data of `message.edit`: the words alone, files stay as they are."""
    return {
        "client_id": marker,
        "message_id": message_ref,
        "conversation_id": conversation_of(message.thread_key)[0],
        "visibility": message.visibility.value,
        **_words(message, capabilities),
    }


def receipt(answer: Mapping[str, Any]) -> Receipt:
    """What a 2xx says.

    Raises:
        OutcomeUnknown: it names no message.
    """
    ref, url, losses = answer.get("message_id"), answer.get("url"), answer.get("losses")
    if not isinstance(ref, str) or not ref:
        raise OutcomeUnknown(
            "The other side's answer names no message_id; whether it took the call is not known. It is kept and settled first."
        )
    told = [one[:500] for one in losses if isinstance(one, str)] if isinstance(losses, list) else []
    is_address = isinstance(url, str) and url.startswith(("http://", "https://"))
    return Receipt(message_ref=MessageRef(ref), url=str(url) if is_address else "", losses=tuple(told[:_MOST_LOSSES]))


def _words(message: OutboundMessage, capabilities: Capabilities) -> dict[str, str]:
    """Text that reads well alone, and the same as HTML where the other side shows it."""
    text, _ = fold(message.text, capabilities.marks)
    return {"text": text.plain, **({"html": to_html(text)} if capabilities.marks else {})}


def _file(file: File) -> dict[str, Any]:
    return {
        "filename": file.filename,
        "content_type": file.content_type,
        "description": file.description,
        "size": len(file.content),
        "content": base64.b64encode(file.content).decode("ascii"),
    }
