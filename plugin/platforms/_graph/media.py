"""Customers' files: what an attachment must remember, and how its bytes are had when Meta's addresses have died.

An address of Meta's file servers lives for hours or days. The reference therefore holds the message as well: Graph names a fresh address.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import RemoteRejected
from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment, File
from plugin.platforms._graph.client import Graph, segment

_TYPES = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg", "sticker": "image/png"}
_SUFFIXES = {"image": ".jpg", "video": ".mp4", "audio": ".mp3", "sticker": ".png"}
_PARTS = 3


def attachment(kind: str, owner: str, index: int, url: str, *, name: str = "", content_type: str = "") -> Attachment:
    """The `index`-th file of the message or comment `owner`; `kind` as Meta calls it."""
    filename = name or _filename(url) or f"{kind}-{index + 1}{_SUFFIXES.get(kind, '')}"
    ref = MediaRef(f"{quote(owner, safe='')} {index} {url}")
    return Attachment(media_ref=ref, filename=filename, content_type=content_type or _TYPES.get(kind, "application/octet-stream"))


def fetch(graph: Graph, attached: Attachment, *, max_bytes: int) -> File:
    """The bytes, from the address that came with the message, else from the one that Graph names now.

    Raises:
        RemoteRejected: Meta does not give it out any more, or it is too big.
        RemoteError: any other of its kinds.
    """
    owner, index, url = _read_ref(attached)
    try:
        answer = graph.download(url, max_bytes=max_bytes)
    except RemoteRejected:
        fresh = _fresh_address(graph, owner, index)
        if not fresh or fresh == url:
            raise
        answer = graph.download(fresh, max_bytes=max_bytes)
    if len(answer.body) > max_bytes:
        raise RemoteRejected(
            f"“{attached.filename}” is bigger than is allowed here; the message is kept without it. Ask for a smaller file."
        )
    told = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return File(
        filename=attached.filename, content_type=told or attached.content_type, content=answer.body, description=attached.description
    )


def addresses(message: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Kind, address, name and type of each file of a message as the Conversations API shows it, or of a comment."""
    found: list[tuple[str, str, str, str]] = []
    for one in read_objects(read_object(message.get("attachments")).get("data")):
        kind = next((name for name in ("image", "video") if f"{name}_data" in one), "file")
        url = read_string(one.get("file_url")) or read_string(read_object(one.get(f"{kind}_data")).get("url"))
        if url:
            found.append((kind, url, read_string(one.get("name")), read_string(one.get("mime_type"))))
    picture = read_string(read_object(read_object(read_object(message.get("attachment")).get("media")).get("image")).get("src"))
    if picture:
        found.append(("image", picture, "", ""))
    return found


def _fresh_address(graph: Graph, owner: str, index: int) -> str:
    fields = "attachments" if owner.startswith(("m_", "mid.", "aW")) else "attachment"
    listed = addresses(graph.read(f"/{segment(owner)}", {"fields": fields}))
    return listed[index][1] if index < len(listed) else ""


def _read_ref(attached: Attachment) -> tuple[str, int, str]:
    owner, _, rest = attached.media_ref.partition(" ")
    index, _, url = rest.partition(" ")
    if not url or not index.isdigit():
        raise RemoteRejected(f"“{attached.filename}” cannot be fetched: its reference is not one of ours. The message is kept without it.")
    return unquote(owner), int(index), url


def _filename(url: str) -> str:
    try:
        name = PurePosixPath(unquote(urlsplit(url).path)).name
    except ValueError:
        return ""
    return name if "." in name and len(name) <= 120 and name.isprintable() else ""
