"""Names on the AT Protocol: post addresses, conversation keys, file references, and the record keys that we choose. Makes no calls.

Sources: AT Protocol specification, "AT URI scheme", "Timestamp Identifiers (TIDs)", "DID".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from plugin.domain.errors import RemoteRejected
from plugin.domain.ids import Marker, MediaRef, MessageRef, ThreadKey

POST = "app.bsky.feed.post"
_WEB = "https://bsky.app"
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_WINDOW_BITS = 24
_CLOCK_BITS = 10
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class PostUri:
    """`at://DID/app.bsky.feed.post/RKEY`, taken apart."""

    did: str
    rkey: str

    def __str__(self) -> str:
        return f"at://{self.did}/{POST}/{self.rkey}"

    @property
    def ref(self) -> MessageRef:
        """The post as a message reference: its address without the content hash, so an edited post keeps it."""
        return MessageRef(str(self))

    def url(self, handle: str = "") -> str:
        """Where people read the post."""
        return f"{profile_url(handle or self.did)}/post/{quote(self.rkey, safe='')}"


def read_uri(uri: object) -> PostUri | None:
    """Take a post's address apart; None when it names something else."""
    parts = uri.removeprefix("at://").split("/") if isinstance(uri, str) and uri.startswith("at://") else []
    if len(parts) != 3 or parts[1] != POST or not parts[0].startswith("did:") or not parts[2]:
        return None
    return PostUri(parts[0], parts[2])


def names_other(uri: str) -> bool:
    """Whether an address names something that is not a post."""
    parts = uri.removeprefix("at://").split("/") if uri.startswith("at://") else []
    return len(parts) == 3 and all(parts) and parts[1] != POST


def post_of(ref: MessageRef) -> PostUri:
    """The post behind one of our message references.

    Raises:
        RemoteRejected: the reference was not made here.
    """
    uri = read_uri(ref)
    if uri is None:
        raise RemoteRejected(
            "The message to answer is not a Bluesky post. Nothing was sent; answer another message of this ticket.", detail=ref
        )
    return uri


def profile_url(who: str) -> str:
    """Where people see an account, by handle or DID."""
    return f"{_WEB}/profile/{quote(who, safe=':')}"


def thread_key(root: PostUri, customer: str) -> ThreadKey:
    """One conversation: the thread's first post and the customer's DID. Handles change, DIDs do not."""
    return ThreadKey(f"{root}|{customer}")


def root_of(key: ThreadKey) -> PostUri:
    """The thread's first post.

    Raises:
        RemoteRejected: the key was not made here.
    """
    return post_of(MessageRef(key.rpartition("|")[0]))


def media_ref(did: str, cid: str) -> MediaRef:
    """A file: whose repository holds it, and the hash of its content."""
    return MediaRef(f"{did}/{cid}")


def record_key(marker: Marker, created_at: datetime, attempt: int = 0) -> str:
    """The key of the record that carries `marker`, the same at every retry: a valid TID of 13 characters.

    A TID is 53 bits of microseconds and 10 bits of clock id. Parts of one reply share `created_at`, so the marker must tell them
    apart: its hash fills the clock id and the low 24 bits of the time, 34 bits in all, which moves the time by at most 34 seconds,
    always into the past (a key from the future would be suspect). Two wishes of one such window that still meet are told apart by
    the marker in the record, and the later one takes `attempt` 1.
    """
    digest = int.from_bytes(hashlib.sha256(f"{marker}/{attempt}".encode()).digest()[:8])
    window = (_microseconds(created_at) >> _WINDOW_BITS) - 1
    return _tid(window << _WINDOW_BITS | digest & (1 << _WINDOW_BITS) - 1, digest >> _WINDOW_BITS & (1 << _CLOCK_BITS) - 1)


def earliest_key(moment: datetime) -> str:
    """A record key that sorts before every key made at or after `moment`."""
    return _tid(_microseconds(moment), 0)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _tid(microseconds: int, clock: int) -> str:
    number = microseconds << _CLOCK_BITS | clock
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))
