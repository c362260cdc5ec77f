"""Files: theirs are found through the status that shows them, ours are handed over and waited for.

Addresses of files come from outside, so they are fetched by `download`; only the admin's own server is called directly, without the token.
Sources: Mastodon documentation, "media API methods", entity "MediaAttachment".
"""

from __future__ import annotations

import time
from collections.abc import Callable

from plugin.contracts.http import HttpResponse
from plugin.contracts.platform import Connection
from plugin.contracts.reading import read_string
from plugin.domain.errors import RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.model import Attachment, File
from plugin.platforms.mastodon.client import Client
from plugin.platforms.mastodon.keys import read_media_ref
from plugin.platforms.mastodon.schema import Settings
from plugin.platforms.mastodon.statuses import media_of

_PAUSES = (0.2, 0.5, 1.0, 2.0, 3.0, 4.0)


class Media:
    """Files of one account's server."""

    def __init__(self, client: Client, settings: Settings, connection: Connection, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._own = settings.url + "/"
        self._http = connection.http
        self._pause = pause

    def fetch(self, attachment: Attachment, *, max_bytes: int) -> File:
        """An attachment's bytes, from our server's copy or else from where it came.

        Raises:
            TargetGone: the status or the file was deleted.
            RemoteRejected: it is too big, or its address is not one to be fetched.
            RemoteError: any other of its kinds.
        """
        status, wanted = read_media_ref(attachment.media_ref)
        shown = dict(media_of(self._client.get("status", status))).get(wanted)
        if shown is None:
            raise TargetGone(f"The file {attachment.filename} is not part of the post any more.")
        addresses = [one for name in ("url", "remote_url") if (one := read_string(shown.get(name)))]
        if not addresses:
            raise RemoteUnavailable(f"The server is still working on the file {attachment.filename}; it is fetched later.")
        for address in addresses:
            answer = self._load(address, max_bytes=max_bytes)
            if answer.is_ok:
                kind = answer.headers.get("content-type", "").partition(";")[0].strip()
                return File(
                    filename=attachment.filename,
                    content_type=kind or attachment.content_type,
                    content=answer.body,
                    description=attachment.description,
                )
        if answer.status in (404, 410):
            raise TargetGone(f"The file {attachment.filename} does not exist any more.")
        if answer.status < 500 and answer.status not in (408, 425, 429):
            raise RemoteRejected(f"The file {attachment.filename} is not handed out to us ({answer.status}); see the original post.")
        raise RemoteUnavailable(f"The file {attachment.filename} cannot be fetched now; it is tried again.", retry_after=answer.retry_after)

    def hand_over(self, file: File, *, description: str) -> str:
        """The id of a file that is ready to be posted.

        Raises:
            RemoteUnavailable: the server is not done with it in time; nothing was posted.
            RemoteError: any other of its kinds.
        """
        media_id, is_ready = self._client.upload(file, description=description)
        for seconds in () if is_ready else _PAUSES:
            if self._client.is_ready(media_id):
                return media_id
            self._pause(seconds)
        if not is_ready and not self._client.is_ready(media_id):
            raise RemoteUnavailable(f"The server is still working on the file {file.filename}; nothing was posted and it is tried again.")
        return media_id

    def _load(self, address: str, *, max_bytes: int) -> HttpResponse:
        if address.startswith(self._own):
            return self._http.request("GET", address, max_bytes=max_bytes)
        return self._http.download(address, max_bytes=max_bytes)
