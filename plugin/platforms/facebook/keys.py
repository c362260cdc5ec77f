"""Where something stands on Facebook: the keys of conversations, and what a reference is. Knows no wire format."""

from __future__ import annotations

import re
from dataclasses import dataclass

from plugin.domain.errors import RemoteRejected
from plugin.domain.ids import ThreadKey

_COMMENT = re.compile(r"[0-9]+_[0-9]+")
_PRIVATE, _PUBLIC = "dm:", "post:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A conversation: with `customer` in Messenger, or below `comment` of `post` (the post itself where that is empty)."""

    customer: str = ""
    post: str = ""
    comment: str = ""

    @property
    def target(self) -> str:
        """What a public answer is written below."""
        return self.comment or self.post


def public_thread(post: str, comment: str = "") -> ThreadKey:
    """The conversation below a top-level comment, or below a visitor's post."""
    return ThreadKey(f"{_PUBLIC}{post}:{comment}" if comment else f"{_PUBLIC}{post}")


def read_thread(key: ThreadKey) -> Place:
    """The reverse of `public_thread` and `private_thread`.

    Raises:
        RemoteRejected: it is no key of ours.
    """
    if key.startswith(_PRIVATE) and len(key) > len(_PRIVATE):
        return Place(customer=key.removeprefix(_PRIVATE))
    post, _, comment = key.removeprefix(_PUBLIC).partition(":")
    if not key.startswith(_PUBLIC) or not post:
        raise RemoteRejected("The conversation's key is not one of Facebook's; nothing was sent. Answer on Facebook itself.")
    return Place(post=post, comment=comment)


def is_comment(ref: str) -> bool:
    """Whether a reference is a comment's or a post's, and not a message's."""
    return _COMMENT.fullmatch(ref) is not None
