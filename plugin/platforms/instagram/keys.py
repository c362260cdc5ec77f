"""Where something stands on Instagram: the keys of conversations, and what a reference is. Knows no wire format."""

from __future__ import annotations

from dataclasses import dataclass

from plugin.domain.errors import RemoteRejected
from plugin.domain.ids import ThreadKey

_PRIVATE, _MEDIA, _MENTION = "dm:", "media:", "mention:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A conversation: with `customer`, below `comment` on our `media`, or where somebody mentioned us on media of their own."""

    customer: str = ""
    media: str = ""
    comment: str = ""
    is_mention: bool = False


def public_thread(media: str, comment: str) -> ThreadKey:
    """The conversation below a top-level comment on media of ours."""
    return ThreadKey(f"{_MEDIA}{media}:{comment}")


def mention_thread(media: str, comment: str) -> ThreadKey:
    """A mention in a comment or (without) a caption of somebody else's."""
    return ThreadKey(f"{_MENTION}{media}:{comment}")


def read_thread(key: ThreadKey) -> Place:
    """The reverse of the others.

    Raises:
        RemoteRejected: it is no key of ours.
    """
    if key.startswith(_PRIVATE) and len(key) > len(_PRIVATE):
        return Place(customer=key.removeprefix(_PRIVATE))
    for prefix in (_MEDIA, _MENTION):
        media, _, comment = key.removeprefix(prefix).partition(":")
        if key.startswith(prefix) and media and (comment or prefix == _MENTION):
            return Place(media=media, comment=comment, is_mention=prefix == _MENTION)
    raise RemoteRejected("The conversation's key is not one of Instagram's; nothing was sent. Answer on Instagram itself.")


def is_comment(ref: str) -> bool:
    """Whether a reference is a comment's, which is a number, and not a message's."""
    return ref.isascii() and ref.isdigit()
