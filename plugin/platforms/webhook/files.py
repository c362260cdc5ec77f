"""Files of the contract: by address, fetched with every care, or small ones by base64 in the event itself."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from plugin.contracts.http import HttpClient, HttpResponse, storable_text
from plugin.domain.errors import RateLimited, RemoteRejected, RemoteUnavailable, TargetGone
from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment, File

INLINE_BYTES = 1 << 20
"""What the files inside one event may come to, decoded."""
_BY_ADDRESS, _INLINE = "url:", "inline:"
_ANY = "application/octet-stream"
_LONGEST_NAME = 200


def read_attachments(items: Iterable[Mapping[str, Any]]) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """The files of an event, and a sentence on each that cannot be had."""
    attachments: list[Attachment] = []
    losses: list[str] = []
    room = INLINE_BYTES
    for item in items:
        name = _name(item)
        ref, size = _BY_ADDRESS + item.get("url", ""), item.get("size")
        if "content" in item:
            content = _decoded(item["content"])
            if content is None:
                losses.append(f"The file {name!r} came unreadable (no base64) and is missing. Ask for it again.")
                continue
            if len(content) > room:
                losses.append(f"The file {name!r} is too large to come inside a message and is missing. Ask for it in another way.")
                continue
            room -= len(content)
            ref, size = _INLINE + item["content"], len(content)
        attachments.append(
            Attachment(
                media_ref=MediaRef(ref),
                filename=name,
                content_type=item.get("content_type") or _ANY,
                size=size,
                description=item.get("description", ""),
            )
        )
    return tuple(attachments), tuple(losses)


def fetch(http: HttpClient, attachment: Attachment, *, max_bytes: int) -> File:
    """The bytes of a file that `read_attachments` found.

    Raises:
        RemoteError: any of its kinds but `OutcomeUnknown`; `RemoteRejected` when it is too big or not to be fetched.
    """
    kind, colon, rest = attachment.media_ref.partition(":")
    content_type = attachment.content_type
    if attachment.size is not None and attachment.size > max_bytes:
        raise _too_big(attachment.size, max_bytes)
    if kind + colon == _INLINE:
        content = _decoded(rest)
    elif kind + colon == _BY_ADDRESS:
        answer = http.download(rest, max_bytes=max_bytes)
        _check(answer)
        content = answer.body
        if content_type == _ANY:
            content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower() or _ANY
    else:
        content = None
    if content is None:
        raise RemoteRejected("The file's reference is none of this channel's; nothing was fetched. Ask for the file again.")
    if len(content) > max_bytes:
        raise _too_big(len(content), max_bytes)
    return File(filename=attachment.filename, content_type=content_type, content=content, description=attachment.description)


def _too_big(size: int, most: int) -> RemoteRejected:
    return RemoteRejected(f"The file has {size} bytes; at most {most} are carried. Ask the customer for a smaller one.")


def _check(answer: HttpResponse) -> None:
    if answer.is_ok:
        return
    if answer.status in {404, 410}:
        raise TargetGone("The file is not there any more; the message was kept without it. Ask the customer to send it again.")
    if answer.status == 429:
        raise RateLimited("The file's server asks to wait; it is fetched then.", retry_after=answer.retry_after)
    if answer.status >= 500:
        raise RemoteUnavailable(
            f"The file's server has a fault ({answer.status}); the file is fetched later.", retry_after=answer.retry_after
        )
    raise RemoteRejected(
        f"The file's server does not give the file out ({answer.status}); the message was kept without it. "
        "Its address must work for whoever has it."
    )


def _decoded(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _name(item: Mapping[str, Any]) -> str:
    """A name without folders, from the address where none is given."""
    given = item.get("filename") or storable_text(unquote(_path(item.get("url", ""))))
    return given.replace("\\", "/").rstrip("/").rpartition("/")[2][-_LONGEST_NAME:].strip() or "file"


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
