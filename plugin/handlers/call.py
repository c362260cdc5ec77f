"""One wish, ready to be asked: everything that was read in the turn which committed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plugin.domain.ids import ArticleRef, CustomerRef, MessageRef, Place
from plugin.domain.model import Contact
from plugin.store.conversations import Held


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One wish, ready to be asked: everything that was read in the turn which committed it."""

    intent: Any
    call: str
    held: Held
    place: Place
    failures: int
    author: Contact | None = None
    author_id: int | None = None
    author_customer_ref: CustomerRef | None = None
    files: Sequence[Any] = ()
    reply_to: MessageRef | None = None
    in_reply_to: ArticleRef | None = None
    fields: tuple[tuple[str, str], ...] = ()
    """What fields of ours shall say, as things stand."""
