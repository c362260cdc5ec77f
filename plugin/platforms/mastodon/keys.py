"""Names of conversations and files on this platform. Makes no calls. Ids are opaque: numbers here, ULIDs or hashes elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from plugin.domain.ids import MediaRef, ThreadKey
from plugin.domain.model import Visibility

OPEN = ("public", "unlisted")
"""Mastodon's visibilities that everybody can read. `private` (followers), `direct` and whatever else there is are not for everybody."""


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation: the first status of the thread, open or not, and the customer's account."""

    root: str
    visibility: Visibility
    customer: str

    @property
    def key(self) -> ThreadKey:
        """As it stands in the store."""
        return ThreadKey(f"{self.visibility}|{quote(self.customer, safe='')}|{self.root}")


def root_of(key: ThreadKey) -> str:
    """The id of the thread's first status; empty when the key was not made here."""
    return key.split("|", 2)[-1] if key.count("|") >= 2 else ""


def seen_by(visibility: str) -> Visibility:
    """Who may read a status of this Mastodon visibility."""
    return Visibility.PUBLIC if visibility in OPEN else Visibility.PRIVATE


def media_ref(status: str, media: str) -> MediaRef:
    """A file: the status that shows it, and its id there."""
    return MediaRef(f"{quote(status, safe='')}/{quote(media, safe='')}")


def read_media_ref(ref: MediaRef) -> tuple[str, str]:
    """Status and file of a reference."""
    status, _, media = ref.partition("/")
    return unquote(status), unquote(media)
