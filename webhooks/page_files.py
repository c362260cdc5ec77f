"""Files that a customer sends on the private page: how many, how big, and of which kinds, told by their first bytes and never by what a browser calls them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from werkzeug.datastructures import FileStorage

from plugin.domain.model import File

MOST = 3
"""Files of one message."""
FILE_BYTES = 8_000_000
WHOLE_BYTES = 12_000_000
"""Of all files of one message."""
DAY_BYTES = 60_000_000
"""Of all files that one browser sends in a day."""
REQUEST_BYTES = WHOLE_BYTES + 100_000
SMALL_BYTES = 200_000
"""Of a request without files: a message and the form around it."""
ACCEPT = "image/jpeg,image/png,image/gif,image/webp,image/heic,application/pdf"
_KINDS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg", ".jpg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png", ".png"),
    (re.compile(rb"GIF8[79]a"), "image/gif", ".gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp", ".webp"),
    (re.compile(rb".{4}ftyp(?:heic|heix|mif1|msf1|hevc)", re.DOTALL), "image/heic", ".heic"),
    (re.compile(rb"%PDF-"), "application/pdf", ".pdf"),
)
_LONGEST_NAME = 60
_UNSAFE = re.compile(r'[/\\:*?"<>|]+')


class Refused(Exception):
    """Nothing of the message is kept. `code` names the sentence for the customer, `told` fills it in."""

    def __init__(self, code: str, **told: str) -> None:
        super().__init__(code)
        self.code = code
        self.told: Mapping[str, str] = told


def read(sent: Iterable[FileStorage]) -> tuple[File, ...]:
    """The files of a form; an empty field is none.

    Raises:
        Refused: too many, too big, empty, or of another kind.
    """
    files: list[File] = []
    for item in sent:
        if not item.filename:
            continue
        if len(files) == MOST:
            raise Refused("files_many", most=str(MOST))
        files.append(_read(item))
    if sum(len(file.content) for file in files) > WHOLE_BYTES:
        raise Refused("files_whole", most=megabytes(WHOLE_BYTES))
    return tuple(files)


def _read(item: FileStorage) -> File:
    shown = _shown(item.filename or "")
    content = item.stream.read(FILE_BYTES + 1)
    if len(content) > FILE_BYTES:
        raise Refused("file_big", name=shown, most=megabytes(FILE_BYTES))
    found = next(((kind, ending) for shape, kind, ending in _KINDS if shape.match(content)), None)
    if found is None:
        raise Refused("file_kind", name=shown)
    stem = shown.rpartition(".")[0] or shown
    return File(filename=stem[:_LONGEST_NAME].strip(". ") + found[1], content_type=found[0], content=content)


def _shown(name: str) -> str:
    """The name without folders and whatever could mislead who reads it."""
    base = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(letter for letter in unicodedata.normalize("NFC", base) if unicodedata.category(letter)[0] != "C")
    return _UNSAFE.sub("_", plain).strip(". ")[-_LONGEST_NAME:].strip(". ") or "file"


def megabytes(size: int) -> str:
    """As people read it."""
    return f"{size / 1_000_000:.0f} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} kB"
