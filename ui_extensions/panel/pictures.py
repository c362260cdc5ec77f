"""Pictures of the thread for agents' browsers: fetched by us, so that no platform and no sender learns who looks, and nothing but a picture gets through.

The address filter, the caps and the redirects are `plugin.transport`'s; here the bytes themselves are looked at.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from plugin.contracts.http import HttpClient
from plugin.contracts.platform import FetchesMedia
from plugin.domain.codec import decode
from plugin.domain.errors import CrossdeskError, RemoteRejected, RemoteUnavailable
from plugin.domain.ids import Place
from plugin.domain.model import Attachment
from plugin.handlers.installation import Installation
from plugin.store import panels
from plugin.store.database import Database

MOST_BYTES = 8_000_000
AVATAR_BYTES = 1_000_000
_AT_ONCE = 2
"""Fetches at a time: the receiver's threads are for deliveries first."""
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture's bytes; the type is what they are, not what somebody said."""

    content_type: str
    content: bytes


class Pictures:
    """Fetches for an installation."""

    def __init__(self, installation: Installation, database: Database, http: HttpClient) -> None:
        self._installation, self._database, self._http = installation, database, http
        self._room = threading.BoundedSemaphore(_AT_ONCE)

    def of_message(self, event_id: int, part: int) -> Picture:
        """A file that came with a message.

        Raises:
            RemoteError: it cannot be had, now or ever.
        """
        with self._database.begin() as connection:
            row = panels.file_of(connection, event_id, part)
        if row is None or row.attachment is None or row.place not in self._installation.channels:
            raise RemoteRejected("There is no such file.")
        if row.content is not None:
            return _picture(bytes(row.content))
        adapter = self._installation.adapter(Place(row.place))
        if not isinstance(adapter, FetchesMedia):
            raise RemoteRejected("The platform hands out no files.")
        attachment = decode(Attachment, row.attachment)
        if attachment.size is not None and attachment.size > MOST_BYTES:
            raise RemoteRejected("The picture is too big to be shown here; it stands in the ticket.")
        with _Turn(self._room):
            return _picture(adapter.fetch_media(attachment, max_bytes=MOST_BYTES).content)

    def of_contact(self, contact_id: int) -> Picture:
        """A contact's picture.

        Raises:
            RemoteError: it cannot be had, now or ever.
        """
        with self._database.begin() as connection:
            address = panels.avatar_of(connection, contact_id)
        if not address:
            raise RemoteRejected("This contact has no picture.")
        with _Turn(self._room):
            answer = self._http.download(address, max_bytes=AVATAR_BYTES)
        if not answer.is_ok:
            raise RemoteRejected("The picture cannot be had.")
        return _picture(answer.body)


class _Turn:
    """One of the few fetches at a time; who finds all taken is told to come again."""

    def __init__(self, room: threading.BoundedSemaphore) -> None:
        self._room = room

    def __enter__(self) -> None:
        if not self._room.acquire(timeout=2.0):
            raise RemoteUnavailable("Too many pictures are fetched just now.", retry_after=2.0)

    def __exit__(self, *_: object) -> None:
        self._room.release()


def _picture(content: bytes) -> Picture:
    found = next((kind for beginning, kind in _BEGINNINGS if content.startswith(beginning)), None)
    if found is None and content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        found = "image/webp"
    if found is None:
        raise RemoteRejected("This is no picture that is shown here.")
    return Picture(content_type=found, content=content)


def status_of(problem: CrossdeskError) -> int:
    """What a browser is answered where a picture cannot be had."""
    return 503 if problem.retryable else 404
