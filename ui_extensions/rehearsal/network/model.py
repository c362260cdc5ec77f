"""The nouns of the practice network, and what it refuses. Frozen; knows neither HTTP nor the bridge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

TEXT_LIMIT = 500
"""Code points in one post or message."""
FILES_LIMIT = 4
"""Files on one post or message."""
FILE_BYTES = 5 * 1024 * 1024
"""Bytes in one file."""
CLIENT_REF_LIMIT = 64
CHOICES_LIMIT = 5
"""Answers to press below one message of the company's."""
CHOICE_LIMIT = 20
"""Code points in each."""

HANDLE = re.compile(r"[a-z0-9_]{2,30}", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069/\\]")
_CONTENT_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80}", re.ASCII)


class Kind(StrEnum):
    """Where a thing was said: on the open wall or between two."""

    POST = "post"
    MESSAGE = "message"


class Change(StrEnum):
    """What may happen to a post or message."""

    CREATED = "created"
    EDITED = "edited"
    DELETED = "deleted"


class Refused(Exception):
    """The network does not do what was asked. `status` is the HTTP status, `code` stays the same for ever."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account: the company's own or a customer's. The token is what its apps sign in with."""

    user_id: str
    handle: str
    name: str
    token: str = field(repr=False)
    is_company: bool = False

    @property
    def initials(self) -> str:
        """What stands in the avatar."""
        words = [word for word in self.name.split() if word] or [self.handle]
        return "".join(word[0] for word in (words if len(words) == 1 else [words[0], words[-1]])).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """An uploaded file without its bytes; `size` in bytes."""

    media_id: str
    owner_id: str
    filename: str
    content_type: str
    size: int
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post (public) or message (between the company and one customer).

    `conversation` is the first customer post of its branch, or for messages the customer; `customer_id` is who that is: empty while
    the company talks to nobody in particular. A deleted post keeps its place and loses its words.
    """

    post_id: str
    kind: Kind
    author_id: str
    text: str
    conversation: str
    customer_id: str
    created_at: datetime
    reply_to: str = ""
    media: tuple[str, ...] = ()
    client_ref: str = ""
    revision: int = 1
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    choices: tuple[str, ...] = ()
    """What the customer may press instead of typing."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change as the company is told of it: `body` is the JSON that webhooks and polls carry, fixed at that moment."""

    sequence: int
    lane: str
    """Changes of one lane are told in order."""
    body: dict[str, Any] = field(repr=False)


def checked_text(text: str, *, may_be_empty: bool) -> str:
    """`text` if the network can carry it.

    Raises:
        Refused: empty, too long, or not storable.
    """
    if not text.strip() and not may_be_empty:
        raise Refused(422, "text_missing", "Say something or attach a file.")
    if len(text) > TEXT_LIMIT:
        raise Refused(422, "text_too_long", f"The text has {len(text)} characters; the limit is {TEXT_LIMIT}.")
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Refused(422, "text_invalid", "The text holds a character that no text may hold.")
    return text


def checked_choices(choices: Sequence[str], author: User) -> tuple[str, ...]:
    """Answers to press, if the network can show them.

    Raises:
        Refused: not the company's, too many, too long, empty, or twice the same.
    """
    if choices and not author.is_company:
        raise Refused(403, "forbidden", "Only the company's account may offer answers to press.")
    if len(choices) > CHOICES_LIMIT or len(set(choices)) != len(choices):
        raise Refused(422, "choices_invalid", f"A message offers at most {CHOICES_LIMIT} answers, each of them once.")
    for choice in choices:
        checked_text(choice, may_be_empty=False)
        if len(choice) > CHOICE_LIMIT:
            raise Refused(422, "choices_invalid", f"An answer to press has at most {CHOICE_LIMIT} characters.")
    return tuple(choices)


def tidy_filename(filename: str) -> str:
    """The last part of a file name, without control characters or direction tricks, at most 120 characters."""
    last = re.split(r"[/\\]", filename)[-1]
    return _UNPRINTABLE.sub("", last.encode("utf-8", "ignore").decode())[-120:].strip(". ") or "file"


def tidy_content_type(content_type: str) -> str:
    """The bare content type, or the one that says nothing."""
    bare = content_type.partition(";")[0].strip().lower()
    return bare if _CONTENT_TYPE.fullmatch(bare) else "application/octet-stream"
