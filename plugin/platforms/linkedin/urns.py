"""LinkedIn's ids: URNs in the forms in which they come, our references made of them, and how both travel in addresses. Pure.

Comments come as `urn:li:comment:(urn:li:activity:1,2)` and as `urn:li:comment:(activity:1,2)`; the first form is the one that is kept.
Sources: LinkedIn API guide, "URNs and IDs"; Rest.li 2.0 protocol, "URL encoding".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from plugin.contracts.reading import read_string
from plugin.domain.ids import ContactRef, MessageRef, ThreadKey

_COMMENT = re.compile(r"(?:urn:li:)?comment:\((?:urn:li:)?(activity|share|ugcPost):([0-9]{1,25}),([0-9]{1,25})\)\Z")
_POST = re.compile(r"urn:li:(?:activity|share|ugcPost):[0-9]{1,25}\Z")
_ACTOR = re.compile(r"urn:li:(?:person|organization|organizationBrand):[A-Za-z0-9_-]{1,64}\Z")
_MEDIA = re.compile(r"urn:li:(?:image|digitalmediaAsset):[A-Za-z0-9_-]{1,120}\Z")
_ID = re.compile(r"[0-9]{1,25}\Z")
SITE = "https://www.linkedin.com"


@dataclass(frozen=True, slots=True)
class CommentUrn:
    """A comment: the post (or activity) below which it stands, and its own number."""

    post: str
    id: str

    def __str__(self) -> str:
        return f"urn:li:comment:({self.post},{self.id})"

    @property
    def ref(self) -> MessageRef:
        """As our messages are known."""
        return MessageRef(str(self))

    @property
    def url(self) -> str:
        """Where people read it."""
        short = f"urn:li:comment:({self.post.removeprefix('urn:li:')},{self.id})"
        return f"{post_url(self.post)}?commentUrn={encoded(short)}"


def comment_urn(value: Any) -> CommentUrn | None:
    """A comment's URN in either form; None for anything else."""
    found = _COMMENT.match(read_string(value))
    return CommentUrn(f"urn:li:{found[1]}:{found[2]}", found[3]) if found is not None else None


def post_urn(value: Any) -> str:
    """A post's URN; empty for anything else."""
    text = read_string(value)
    return text if _POST.match(text) else ""


def actor_urn(value: Any) -> str:
    """The URN of a member or a page; empty for anything else."""
    text = read_string(value)
    return text if _ACTOR.match(text) else ""


def media_urn(value: Any) -> str:
    """A picture's URN; empty for anything else."""
    text = read_string(value)
    return text if _MEDIA.match(text) else ""


def comment_number(value: Any) -> str:
    """A comment's bare number; empty for anything else."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else read_string(value)
    return text if _ID.match(text) else ""


def thread_key(post: str, person: str) -> ThreadKey:
    """One person below one post, whatever the branch: LinkedIn's webhook does not say which comment another one answers."""
    return ThreadKey(f"{post}/{person}")


def post_of(key: ThreadKey) -> str:
    """The post of a conversation; empty for what is not ours."""
    return post_urn(key.partition("/")[0])


def contact_number(ref: ContactRef) -> tuple[str, str]:
    """Kind and id of a contact: `("person", "abc")`; both empty for somebody whom LinkedIn did not name."""
    return (ref.split(":")[2], ref.split(":")[3]) if actor_urn(ref) else ("", "")


def post_url(post: str) -> str:
    """Where people read a post."""
    return f"{SITE}/feed/update/{post}/"


def encoded(urn: object) -> str:
    """A URN as one part of a path or query: everything but letters and digits is escaped, once."""
    return quote(str(urn), safe="")


def listed(values: Iterable[object]) -> str:
    """A list as Rest.li writes it in a query: the brackets and commas of the list itself stand as they are."""
    return f"List({','.join(map(encoded, values))})"
