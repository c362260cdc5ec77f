"""What stands on the stand-in's Meta: comments, messages, uploads, windows, permissions. Says what happened to `publish`; knows no HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from plugin.testing.standins.graph.refusals import Refused, invalid, lacks, missing

Json = dict[str, Any]
APP, PAGE, ACCOUNT, NUMBER, WABA = "1180223344556677", "103900011122233", "17841400000000042", "106540352242922", "102290129340398"
OBJECTS = {"page": PAGE, "instagram": ACCOUNT, "whatsapp_business_account": WABA}
SCOPES = frozenset({
    "pages_show_list", "pages_messaging", "pages_manage_metadata", "pages_read_engagement", "pages_read_user_content",
    "pages_manage_engagement", "instagram_basic", "instagram_manage_comments", "instagram_manage_messages",
    "whatsapp_business_management", "whatsapp_business_messaging",
})  # fmt: skip
DAY = 86_400.0
_WINDOWS = {"page": 2018278, "instagram": 2534022}


@dataclass(slots=True, kw_only=True)
class Comment:
    """A comment; `is_ours` when the account wrote it. `parent` is empty for a top-level one."""

    ref: str
    network: str
    post: str
    parent: str
    author: str
    text: str
    at: float
    is_ours: bool = False
    is_hidden: bool = False
    had_private_reply: bool = False
    has_picture: bool = False


@dataclass(slots=True, kw_only=True)
class Message:
    """A private message between the account and `customer`."""

    ref: str
    network: str
    customer: str
    text: str
    at: float
    is_ours: bool
    body: Json = field(default_factory=dict)


@dataclass(slots=True)
class World:
    """Everything that stands. Guarded by `lock`; `publish(object, kind, value)` queues a webhook."""

    now: Callable[[], float]
    publish: Callable[[str, str, Json], None]
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    comments: dict[str, Comment] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)
    templates: dict[tuple[str, str], int] = field(default_factory=lambda: {("go_on", "en"): 1})
    seen: list[tuple[str, str]] = field(default_factory=list)
    """Sender actions and read ticks: whom or which, and what."""
    another_app: set[str] = field(default_factory=set)
    """Customers whose conversations another app controls."""
    may_human_agent: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)
    _number: int = 31_000

    def next_id(self) -> int:
        """A number that nobody has had."""
        with self.lock:
            self._number += 1
            return self._number

    def require(self, permission: str) -> None:
        """Refuse what the token may not."""
        if permission not in self.scopes:
            raise lacks(permission)

    def comment(self, ref: str, network: str) -> Comment:
        """A comment that exists.

        Raises:
            Refused: it does not.
        """
        found = self.comments.get(ref)
        if found is None or found.network != network:
            raise missing(ref)
        return found

    def add_comment(self, network: str, post: str, parent: str, author: str, text: str, *, is_ours: bool = False) -> Comment:
        """Let a comment stand. Facebook hangs an answer to an answer below the top-level comment."""
        with self.lock:
            above = self.comments.get(parent)
            top = above.parent or above.ref if above is not None else ""
            number = self.next_id()
            ref = f"{post.rpartition('_')[2]}_{number}" if network == "page" else f"1787{number:013}"
            made = Comment(ref=ref, network=network, post=post, parent=top, author=author, text=text, at=self.now(), is_ours=is_ours)
            self.comments[ref] = made
            return made

    def add_message(self, network: str, customer: str, text: str, *, is_ours: bool, body: Json | None = None) -> Message:
        """Let a private message stand."""
        with self.lock:
            prefix = {"page": "m_", "instagram": "aWdf", "whatsapp": "wamid."}[network]
            ref = f"{prefix}{self.next_id()}"
            made = Message(ref=ref, network=network, customer=customer, text=text, at=self.now(), is_ours=is_ours, body=body or {})
            self.messages.append(made)
            return made

    def require_window(self, network: str, customer: str, *, is_human: bool) -> None:
        """Refuse what comes too late, and whom nobody knows."""
        theirs = [one.at for one in self.messages if one.network == network and one.customer == customer and not one.is_ours]
        if not theirs:
            raise Refused(100, "No matching user found", subcode=2018001 if network == "page" else 2534014)
        if customer in self.another_app:
            raise Refused(10, "Message failed to send because another app is controlling this thread now.", subcode=2018300)
        if is_human and not self.may_human_agent:
            raise invalid("Human Agent permission is required to send with this tag")
        if self.now() - max(theirs) > (7 * DAY if is_human else DAY):
            raise Refused(10, "This message is sent outside of allowed window.", subcode=_WINDOWS[network])
