"""Messages and tickets as the engine hands them to adapters, made in one line by a test. Each argument beyond the words is a field of theirs."""

from __future__ import annotations

from typing import Any

from plugin.domain.events import MessageReceived
from plugin.domain.ids import ContactRef, ThreadKey
from plugin.domain.model import Contact, NewArticle, NewTicket, OutboundMessage, Visibility
from plugin.domain.text import Text
from plugin.testing.fakes import START


def outbound(thread: str, words: str | Text = "", *, contact: str | Contact = "someone", **fields: Any) -> OutboundMessage:
    """A private message of ours into `thread`, written at `START`."""
    made: dict[str, Any] = {
        "thread_key": ThreadKey(thread),
        "contact": Contact(ref=ContactRef(contact)) if isinstance(contact, str) else contact,
        "visibility": Visibility.PRIVATE,
        "text": Text(words) if isinstance(words, str) else words,
        "created_at": START,
    }
    return OutboundMessage(**{**made, **fields})


def answer_to(event: MessageReceived, words: str | Text = "We look into it.", **fields: Any) -> OutboundMessage:
    """An answer to what was received, where it was said."""
    where = {"contact": event.author, "visibility": event.visibility, "reply_to": event.message_ref}
    return outbound(event.thread_key, words, **{**where, **fields})


def new_ticket(contact: Contact, words: str = "Where is my parcel?", **fields: Any) -> NewTicket:
    """A ticket of the group Social, public, with one article."""
    made: dict[str, Any] = {
        "title": words,
        "group": "Social",
        "contact": contact,
        "customer_ref": None,
        "article": NewArticle(text=Text(words), author=contact),
        "channel": "support",
        "platform": "matrix",
        "visibility": Visibility.PUBLIC,
    }
    return NewTicket(**{**made, **fields})
