"""X's people and what they say: posts with their edits, direct messages, files. Told to `publish` as it happens; knows no HTTP.

The verbs `person_...` are what somebody does in the X app, our own account's people included.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Publish = Callable[[str, Any], None]
_NAME = re.compile(r"@(\w{1,15})")
_FIRST_ID = 2_080_000_000_000_000_000
_MOST_EDITS = 5


@dataclass(slots=True, kw_only=True)
class Person:
    """A user."""

    id: str
    handle: str
    name: str
    followers: int = 97
    is_verified: bool = False
    is_automated: bool = False
    is_protected: bool = False
    takes_messages: bool = True
    has_blocked: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Media:
    """A file. `category` is that of its upload; `is_ready` when X has looked at it."""

    id: str
    category: str
    content: bytes
    content_type: str
    owner: str
    alt: str = ""
    total: int = 0
    parts: dict[int, bytes] = field(default_factory=dict)
    checks_left: int = 0
    is_final: bool = False
    is_failed: bool = False


@dataclass(slots=True, kw_only=True)
class Post:
    """A post in one wording; `history` is shared by all of its wordings."""

    id: str
    author: str
    text: str
    at: float
    conversation: str
    history: list[str]
    parent: str = ""
    quoted: str = ""
    reposted: str = ""
    media: tuple[str, ...] = ()
    addressed: tuple[str, ...] = ()
    """Those whose names X puts before the words of an answer."""
    is_hidden: bool = False


@dataclass(slots=True, kw_only=True)
class Message:
    """A direct message."""

    id: str
    sender: str
    recipient: str
    text: str
    at: float
    media: tuple[str, ...] = ()

    @property
    def conversation(self) -> str:
        """As X names it: the smaller id first."""
        return "-".join(sorted((self.sender, self.recipient), key=int))


@dataclass(slots=True)
class World:
    """Everything there is. `publish(kind, thing)` tells of each fact; all verbs hold one lock."""

    now: Callable[[], float]
    publish: Publish
    people: dict[str, Person] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _last: int = _FIRST_ID

    def mint(self) -> str:
        """An id: later ones are larger."""
        with self.lock:
            self._last += 1000
            return str(self._last)

    def join(self, one: str, handle: str, **facts: Any) -> Person:
        """A person signs up."""
        with self.lock:
            person = Person(id=one, handle=handle, name=facts.pop("name", handle.title()), **facts)
            self.people[one] = person
            return person

    def person_posts(
        self, author: str, text: str, *, reply_to: str = "", quote: str = "", media: Sequence[str] = (), is_silent: bool = False
    ) -> Post:
        """Somebody posts. `is_silent`: nobody is told (X lost the webhook)."""
        with self.lock:
            one = self.mint()
            parent = self.posts.get(reply_to)
            addressed: list[str] = []
            if parent is not None:
                addressed = [who for who in (parent.author, *parent.addressed, *self.named(parent.text)) if who != author]
            post = Post(
                id=one,
                author=author,
                text=text,
                at=self.now(),
                conversation=parent.conversation if parent is not None else one,
                history=[one],
                parent=parent.id if parent is not None else "",
                quoted=quote,
                media=tuple(media),
                addressed=tuple(dict.fromkeys(addressed)),
            )
            self.posts[one] = post
            if not is_silent:
                self.publish("post", post)
            return post

    def person_reposts(self, author: str, one: str) -> Post:
        """Somebody passes a post on."""
        with self.lock:
            key = self.mint()
            post = Post(id=key, author=author, text="", at=self.now(), conversation=key, history=[key], reposted=one)
            self.posts[key] = post
            self.publish("post", post)
            return post

    def person_edits(self, one: str, text: str) -> Post:
        """Somebody rewords a post: X makes it another one, with the same history."""
        with self.lock:
            before = self.posts[one]
            if len(before.history) > _MOST_EDITS:
                raise ValueError("a post can be edited five times")
            key = self.mint()
            before.history.append(key)
            post = Post(
                id=key,
                author=before.author,
                text=text,
                at=self.now(),
                conversation=before.conversation,
                history=before.history,
                parent=before.parent,
                quoted=before.quoted,
                media=before.media,
                addressed=before.addressed,
            )
            self.posts[key] = post
            self.publish("post", post)
            return post

    def person_deletes(self, one: str) -> None:
        """Somebody deletes a post, in all its wordings. Only its author's subscribers are told."""
        with self.lock:
            post = self.posts[one]
            for key in post.history:
                self.posts.pop(key, None)
            self.publish("deletion", post)

    def person_writes(self, sender: str, recipient: str, text: str, *, media: Sequence[str] = (), is_silent: bool = False) -> Message:
        """Somebody sends a direct message."""
        with self.lock:
            one = self.mint()
            message = Message(id=one, sender=sender, recipient=recipient, text=text, at=self.now(), media=tuple(media))
            self.messages[one] = message
            if not is_silent:
                self.publish("message", message)
            return message

    def person_reads(self, reader: str, message: str) -> None:
        """Somebody has read a direct message and all before it."""
        with self.lock:
            self.publish("reading", (reader, self.messages[message]))

    def person_chats(self, sender: str, recipient: str) -> None:
        """Somebody writes in an encrypted chat."""
        with self.lock:
            self.publish("chat", (sender, recipient, self.mint(), self.now()))

    def add_file(self, owner: str, content: bytes, *, content_type: str = "image/png", category: str = "tweet_image") -> str:
        """A file that somebody attaches in the app."""
        with self.lock:
            one = self.mint()
            self.media[one] = Media(id=one, category=category, content=content, content_type=content_type, owner=owner, is_final=True)
            return one

    def named(self, text: str) -> list[str]:
        """The people whom a text names, in its order."""
        by_handle = {person.handle.lower(): person.id for person in self.people.values()}
        return [by_handle[handle.lower()] for handle in _NAME.findall(text) if handle.lower() in by_handle]

    def may_answer(self, account: str, post: Post) -> bool:
        """Whether the author of a post summoned `account`: named it or quoted it."""
        quoted = self.posts.get(post.quoted)
        return (
            post.author == account
            or account in {*self.named(post.text), *post.addressed}
            or (quoted is not None and quoted.author == account)
        )
