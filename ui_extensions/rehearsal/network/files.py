"""The practice network's uploads: who owns them, on which post they are, their bytes. Its owner brings the lock."""

from __future__ import annotations

from collections.abc import Sequence

from ui_extensions.rehearsal.network import model
from ui_extensions.rehearsal.network.journal import Journal
from ui_extensions.rehearsal.network.model import Media, Post, Refused, User


class Files:
    """Uploads by id. Bytes are beside the journal where there is one, else in memory."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._media: dict[str, Media] = {}
        self._bytes: dict[str, bytes] = {}
        self._on: dict[str, Post] = {}

    def keep(self, media: Media, content: bytes) -> None:
        """Take a new file; an empty one if only its record is replayed."""
        self._media[media.media_id] = media
        if content and self._journal is None:
            self._bytes[media.media_id] = content
        elif content and self._journal is not None:
            self._journal.keep_file(media.media_id, content)

    def of(self, post: Post) -> Sequence[Media]:
        """The files on a post."""
        return [self._media[media_id] for media_id in post.media if media_id in self._media]

    def content(self, media: Media) -> bytes:
        """A file's bytes.

        Raises:
            Refused: it is gone.
        """
        try:
            return self._bytes[media.media_id] if self._journal is None else self._journal.file(media.media_id)
        except (KeyError, OSError):
            raise _unknown(media.media_id) from None

    def readable(self, media_id: str, reader: User | None) -> Media:
        """A file that the reader may read (None: the page, which may read all).

        Raises:
            Refused: there is none for them.
        """
        media, post = self._media.get(media_id), self._on.get(media_id)
        if media is None:
            raise _unknown(media_id)
        if reader is None or reader.user_id == media.owner_id or (post is not None and may_read(reader, post)):
            return media
        raise _unknown(media_id)

    def check(self, author: User, media_ids: Sequence[str], *, already: Sequence[str] = ()) -> None:
        """Whether these may be put on a post of `author` that has `already` some.

        Raises:
            Refused: too many, twice the same, someone else's, or used elsewhere.
        """
        if len(media_ids) > model.FILES_LIMIT or len(set(media_ids)) < len(media_ids):
            raise Refused(422, "too_many_files", f"At most {model.FILES_LIMIT} different files fit on one post.")
        for media_id in media_ids:
            known = self._media.get(media_id)
            if media_id not in already and (known is None or known.owner_id != author.user_id or media_id in self._on):
                raise Refused(422, "media_invalid", f"{media_id[:64]!r} is no fresh upload of this account.")

    def settle(self, before: Post | None, after: Post) -> None:
        """Note what is on a post now, and forget what was taken off it."""
        for media_id in after.media:
            self._on[media_id] = after
        for media_id in before.media if before else ():
            if media_id not in after.media:
                self._media.pop(media_id, None)
                self._bytes.pop(media_id, None)
                if self._journal is not None:
                    self._journal.drop_file(media_id)


def may_read(reader: User, post: Post) -> bool:
    """Whether a post is for this reader's eyes."""
    return post.kind is model.Kind.POST or reader.is_company or reader.user_id == post.customer_id


def _unknown(media_id: str) -> Refused:
    return Refused(404, "media_unknown", f"There is no file {media_id[:64]!r}.")
