"""Pictures for tests: small, valid, and each different from the others."""

from __future__ import annotations

import os
import struct
import zlib


def png(width: int = 24, height: int = 16) -> bytes:
    """A PNG of random colours (PNG specification, "Datastream structure")."""
    rows = b"".join(b"\0" + os.urandom(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
