"""Request bodies to bytes, and answers' bodies from the wire within their caps, before and after decompression."""

from __future__ import annotations

import http.client
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from urllib3.filepost import encode_multipart_formdata

from plugin.contracts.http import FormFile

_PIECE = 1 << 16
_GZIP_WINDOW = 31


class TooBig(Exception):
    """A body is larger than the caller can take."""


class Garbled(Exception):
    """A body ended early or is not what its headers say."""


def encode_body(
    *,
    json_value: Any,
    data: bytes | Mapping[str, str] | None,
    files: Sequence[tuple[str, FormFile]] | None,
) -> tuple[bytes | None, str | None]:
    """The body and its content type, None where there is none."""
    if files:
        fields: list[tuple[str, Any]] = list(data.items()) if isinstance(data, Mapping) else []
        fields += [(name, (file.filename, file.content, file.content_type)) for name, file in files]
        body, content_type = encode_multipart_formdata(fields)
        return body, content_type
    if json_value is not None:
        return json.dumps(json_value, separators=(",", ":"), allow_nan=False).encode("ascii"), "application/json"
    if isinstance(data, Mapping):
        return urlencode(data).encode("ascii"), "application/x-www-form-urlencoded"
    return data, None


def read_body(answer: http.client.HTTPResponse, max_bytes: int) -> bytes:
    """The whole body, decompressed.

    Raises:
        TooBig: it is larger than `max_bytes`, packed or unpacked.
        Garbled: it ended early, or its coding is broken or unknown.
        OSError, http.client.HTTPException: as the connection fails.
    """
    if answer.length is not None and answer.length > max_bytes:
        raise TooBig
    unpack = _unpacker(answer.getheader("Content-Encoding", ""))
    parts: list[bytes] = []
    taken = made = 0
    while piece := answer.read(_PIECE):
        taken += len(piece)
        unpacked = piece if unpack is None else unpack(piece, max_bytes - made + 1)
        made += len(unpacked)
        if taken > max_bytes or made > max_bytes:
            raise TooBig
        parts.append(unpacked)
    if answer.length:
        raise Garbled("the body ended early")
    if unpack is not None and taken and not unpack.is_whole:
        raise Garbled("the packed body ended early")
    return b"".join(parts)


class _Gunzip:
    """Unpacks at most `room` bytes of each piece; when that is not all, the body is too big and the rest is never made."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_GZIP_WINDOW)

    def __call__(self, piece: bytes, room: int) -> bytes:
        try:
            made = self._zlib.decompress(piece, room)
        except zlib.error:
            raise Garbled("the packed body is broken") from None
        if self._zlib.unused_data:
            raise Garbled("something follows the packed body")
        return made

    @property
    def is_whole(self) -> bool:
        return self._zlib.eof


def _unpacker(coding: str) -> _Gunzip | None:
    name = coding.strip().lower()
    if name in ("", "identity"):
        return None
    if name not in ("gzip", "x-gzip"):
        raise Garbled("the body is packed in a way that was not asked for")
    return _Gunzip()
