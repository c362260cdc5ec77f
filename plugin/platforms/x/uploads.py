"""Files on their way out, handed over before the post or message that shows them, and files on their way in.

Nobody sees an uploaded file until something names it, so whatever goes wrong here has done no harm.
Sources: X documentation, "Media upload" (categories, sizes), "Chunked media upload", "Download DM Media".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from plugin.contracts.http import FormFile, HttpClient
from plugin.domain.errors import OutcomeUnknown, RemoteError, RemoteRejected, RemoteUnavailable, TargetGone, Unsupported
from plugin.domain.model import Attachment, File, Visibility
from plugin.platforms.x.client import Client, data_of, segment
from plugin.platforms.x.files import address_of, path_of
from plugin.platforms.x.values import read_count, read_id, read_object, read_string

MEGABYTE = 1 << 20
LARGEST = {"image": 5 * MEGABYTE, "gif": 15 * MEGABYTE, "video": 512 * MEGABYTE}
KINDS = {
    "image/jpeg": "image",
    "image/png": "image",
    "image/webp": "image",
    "image/gif": "gif",
    "video/mp4": "video",
    "video/quicktime": "video",
    "video/webm": "video",
}
_CHUNK = 4 * MEGABYTE
_LOOKS = 12
_PATIENCE = 30.0
"""Seconds that X may take to look at a film before the delivery is put off."""
_LONGEST_ALT = 1000


class Uploads:
    """Files of one account."""

    def __init__(self, client: Client, http: HttpClient) -> None:
        self._client = client
        self._http = http

    def hand_over(self, file: File, visibility: Visibility) -> tuple[str, tuple[str, ...]]:
        """The id of a file that is ready to be shown, and what of it X did not take.

        Raises:
            RemoteUnavailable: X is not done with it in time; nothing was posted.
            RemoteError: any other of its kinds, never `OutcomeUnknown`.
        """
        kind = kind_of(file)
        if len(file.content) > LARGEST[kind]:
            raise RemoteRejected(
                f"“{file.filename}” is larger than the {LARGEST[kind] // MEGABYTE} MB that X takes of its kind. Nothing was sent; make it "
                "smaller, or send the reply without it."
            )
        self._client.need("media.write")
        category = f"{'dm' if visibility is Visibility.PRIVATE else 'tweet'}_{kind}"
        try:
            media_id = self._at_once(file, category) if kind == "image" else self._in_chunks(file, category)
        except OutcomeUnknown as unclear:
            raise RemoteUnavailable(
                "The file could not be handed to X; nothing was sent and it is tried again.", detail=unclear.detail
            ) from None
        return media_id, self._describe(media_id, file) if file.description and kind != "video" else ()

    def fetch(self, attachment: Attachment, *, max_bytes: int) -> File:
        """An attachment's bytes.

        Raises:
            TargetGone: it is not there any more.
            RemoteRejected: it is too big, or not given to us.
            RemoteError: any other of its kinds.
        """
        address, path = address_of(attachment.media_ref), path_of(attachment.media_ref)
        if not address and not path:
            raise RemoteRejected(f"“{attachment.filename}” is not a file of X's. The message is kept without it; see the original.")
        answer = self._client.fetch(path, max_bytes=max_bytes) if path else self._http.download(address, max_bytes=max_bytes)
        if answer.status in (404, 410):
            raise TargetGone(f"“{attachment.filename}” does not exist any more. The message is kept without it.")
        if answer.status == 429 or answer.status >= 500:
            raise RemoteUnavailable(f"“{attachment.filename}” cannot be fetched now; it is tried again.", retry_after=answer.retry_after)
        if not answer.is_ok:
            raise RemoteRejected(f"“{attachment.filename}” is not handed out to us ({answer.status}); see the original.")
        if len(answer.body) > max_bytes:
            raise RemoteRejected(f"“{attachment.filename}” is bigger than may be taken here. The message is kept without it.")
        kind = answer.headers.get("content-type", "").partition(";")[0].strip()
        return File(
            filename=attachment.filename,
            content_type=kind if kind in KINDS else attachment.content_type,
            content=answer.body,
            description=attachment.description,
        )

    def _at_once(self, file: File, category: str) -> str:
        return _id(self._client.sdk.upload_media_simple_v2(media=file.content, media_category=category, return_json=True))

    def _in_chunks(self, file: File, category: str) -> str:
        sdk = self._client.sdk
        begun = sdk.upload_media_chunked_init_v2(
            total_bytes=len(file.content), media_type=file.content_type, media_category=category, return_json=True
        )
        media_id = _id(begun)
        for number, at in enumerate(range(0, len(file.content), _CHUNK)):
            # The package's own append loses the number.
            part = FormFile(filename="chunk", content=file.content[at : at + _CHUNK])
            path = f"/2/media/upload/{segment(media_id)}/append"
            self._client.call("POST", path, data={"segment_index": str(number)}, files=[("media", part)], timeout=60.0)
        state = sdk.upload_media_chunked_finalize_v2(media_id, return_json=True)
        waited, looks = 0.0, 0
        while (seconds := _still_working(state, file)) is not None:
            if looks >= _LOOKS or waited + seconds > _PATIENCE:
                raise RemoteUnavailable(f"X is still working on “{file.filename}”; nothing was sent and it is tried again.")
            time.sleep(seconds)
            waited, looks = waited + seconds, looks + 1
            state = sdk.upload_media_chunked_status_v2(media_id, return_json=True)
        return media_id

    def _describe(self, media_id: str, file: File) -> tuple[str, ...]:
        told = {"id": media_id, "metadata": {"alt_text": {"text": file.description[:_LONGEST_ALT]}}}
        try:
            self._client.call("POST", "/2/media/metadata", json=told)
        except RemoteError:
            return (f"The description of “{file.filename}” was not taken.",)
        return ()


def kind_of(file: File) -> str:
    """What X calls a file: image, gif or video.

    Raises:
        Unsupported: X takes no such files.
    """
    found = KINDS.get(file.content_type.partition(";")[0].strip().lower())
    if found is None:
        raise Unsupported(f"X takes pictures and films, and “{file.filename}” is neither. Nothing was sent; send the reply without it.")
    return found


def _id(body: Mapping[str, Any]) -> str:
    found = read_id(data_of(body).get("id"))
    if not found:
        raise RemoteUnavailable("X took a file but named no id; nothing was sent and it is tried again.")
    return found


def _still_working(body: Mapping[str, Any], file: File) -> float | None:
    """Seconds after which to ask again; None when X is done.

    Raises:
        RemoteRejected: X cannot use the file.
    """
    info = read_object(data_of(body).get("processing_info"))
    state = read_string(info.get("state"))
    if state == "failed":
        raise RemoteRejected(f"X cannot use “{file.filename}”. Nothing was sent; convert it (MP4, H.264), or send the reply without it.")
    if state not in ("pending", "in_progress"):
        return None
    return max(0.05, float(1 if (asked := read_count(info.get("check_after_secs"))) is None else asked))
