"""The files that the stand-in's Telegram keeps, and how the Bot API shows them in a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plugin.testing.standins.telegram.refusals import bad_request

Json = dict[str, Any]

KINDS = {
    "photo": ("image/jpeg", ".jpg"),
    "document": ("application/octet-stream", ".bin"),
    "voice": ("audio/ogg", ".oga"),
    "video": ("video/mp4", ".mp4"),
    "video_note": ("video/mp4", ".mp4"),
    "audio": ("audio/mpeg", ".mp3"),
    "animation": ("video/mp4", ".mp4"),
    "sticker": ("image/webp", ".webp"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that somebody sends. `size` may claim more than `content` holds, to be too big without being so."""

    kind: str = "document"
    content: bytes = b""
    filename: str = ""
    content_type: str = ""
    size: int | None = None

    @property
    def claimed(self) -> int:
        """Its size as Telegram tells it."""
        return len(self.content) if self.size is None else self.size


@dataclass(slots=True)
class Files:
    """Files by id, and the addresses given out for an hour: path -> (id, until)."""

    by_id: dict[str, Upload] = field(default_factory=dict)
    paths: dict[str, tuple[str, float]] = field(default_factory=dict)

    def store(self, upload: Upload) -> Json:
        """The part of a message that names a file which Telegram now keeps."""
        if not upload.claimed:
            raise bad_request("file must be non-empty")
        number = len(self.by_id) + 1
        content_type, suffix = KINDS[upload.kind]
        sent: Json = {"file_id": f"AgACAgQAAxk-{number:06d}", "file_unique_id": f"AQAD{number:06d}", "file_size": upload.claimed}
        self.by_id[sent["file_id"]] = upload
        if upload.kind == "photo":
            small = {**sent, "file_id": sent["file_id"] + "-s", "file_unique_id": sent["file_unique_id"] + "s", "width": 90, "height": 67}
            self.by_id[small["file_id"]] = upload
            return {"photo": [small, {**sent, "width": 1280, "height": 960}]}
        sent["mime_type"] = upload.content_type or content_type
        if upload.kind == "document":
            sent["file_name"] = upload.filename or f"file{suffix}"
        if upload.kind == "sticker":
            sent = {k: v for k, v in sent.items() if k != "mime_type"} | {"emoji": "👍", "is_animated": False, "is_video": False}
        if upload.kind == "animation":
            return {"animation": sent, "document": sent}
        return {upload.kind: sent}

    def address(self, file_id: str, now: float) -> str:
        """A path under which the file can be had for an hour."""
        upload = self.by_id[file_id]
        suffix = f".{upload.filename.rpartition('.')[2]}" if "." in upload.filename else ""
        path = f"{upload.kind}s/file_{len(self.paths)}{suffix}"
        self.paths[path] = (file_id, now + 3600)
        return path

    def content(self, path: str, now: float) -> bytes | None:
        """The bytes at a path, None when there is nothing (any more)."""
        file_id, until = self.paths.get(path, ("", 0.0))
        return self.by_id[file_id].content if now < until else None
