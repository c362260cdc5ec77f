"""Files of posts and direct messages, as X tells of them, and what is needed to fetch each.

A post's file has a public address. A direct message's is fetched through the API in the account's name, by three ids that its address holds.
Sources: X documentation, data dictionary, "Media"; "Download DM Media"; data dictionary v1.1, "extended entities".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from plugin.domain.ids import MediaRef
from plugin.domain.model import Attachment
from plugin.platforms.x.values import pick, read_count, read_object, read_objects, read_string

_OF_MESSAGE = re.compile(r"/dm/(\d+)/(\d+)/([\w.-]+)\Z", re.ASCII)
_KINDS = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp4": "video/mp4",
}
_NO_ADDRESS = "A file of this message was not handed over by X; see the original."
_WEB = "web:"
_MESSAGE = "dm:"
Files = tuple[tuple[Attachment, ...], tuple[str, ...]]
"""Attachments, and remarks on what is missing."""


def files_of(media: Sequence[Mapping[str, Any]], *, expected: int = 0) -> Files:
    """The files among `media`, of which there should be `expected`."""
    found = [one for raw in media if (one := _file(raw)) is not None]
    missing = max(len(media), expected) - len(found)
    return tuple(found), (_NO_ADDRESS,) * (missing > 0)


def of_post(raw: Mapping[str, Any], includes: Mapping[str, Any]) -> Files:
    """The files of a v2 post or direct message: it names keys, and `includes` tells of them."""
    keys = read_object(raw.get("attachments")).get("media_keys")
    wanted = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []
    known = {read_string(one.get("media_key")): one for one in read_objects(includes.get("media"))}
    return files_of([known[key] for key in wanted if key in known], expected=len(wanted))


def of_old_post(raw: Mapping[str, Any]) -> Files:
    """The files of a v1.1 post."""
    extended = pick(raw, "extended_entities") or read_object(raw.get("extended_tweet")).get("extended_entities") or {}
    return files_of(read_objects(read_object(extended).get("media")))


def own_links(entities: Any) -> frozenset[str]:
    """The short links that stand for the files themselves."""
    known = read_object(entities)
    in_urls = (
        one
        for one in read_objects(known.get("urls"))
        if one.get("media_key") or re.search(r"/(photo|video)/\d+\Z|/messages/media/\d+\Z", read_string(one.get("expanded_url")))
    )
    return frozenset(link for one in (*in_urls, *read_objects(known.get("media"))) if (link := read_string(one.get("url"))))


def address_of(ref: MediaRef) -> str:
    """The public address of a file; empty for a direct message's."""
    return ref.removeprefix(_WEB) if ref.startswith(_WEB) else ""


def path_of(ref: MediaRef) -> str:
    """The API's path to a direct message's file; empty for another's."""
    return f"/2/dm_conversations/media/{ref.removeprefix(_MESSAGE)}" if ref.startswith(_MESSAGE) else ""


def _file(raw: Mapping[str, Any]) -> Attachment | None:
    address = _address(raw)
    if not address:
        return None
    path = _path(address)
    message = _OF_MESSAGE.search(path)
    ref = _MESSAGE + "/".join(message.groups()) if message else _WEB + address
    name = path.rpartition("/")[2] or "file"
    ending = name.rpartition(".")[2].lower() if "." in name else "jpg"
    return Attachment(
        media_ref=MediaRef(ref),
        filename=name if "." in name else f"{name}.{ending}",
        content_type=_KINDS.get(ending, "application/octet-stream"),
        size=read_count(raw.get("size")),
        description=read_string(pick(raw, "alt_text", "ext_alt_text")),
    )


def _address(raw: Mapping[str, Any]) -> str:
    """Of a film the largest mp4, of anything else its own address."""
    films = read_objects(pick(raw, "variants") or read_object(raw.get("video_info")).get("variants"))
    playable = [one for one in films if read_string(one.get("content_type")) == "video/mp4" and read_string(one.get("url"))]
    if playable:
        best = max(playable, key=lambda one: read_count(pick(one, "bit_rate", "bitrate")) or 0)
        return read_string(best.get("url"))
    # v1.1 has the page under `url` and the file under `media_url_https`.
    return read_string(pick(raw, "media_url_https", "url", "preview_image_url"))


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""
