"""The API's side of direct messages and files: send, list, delete, upload at once and in pieces, download.

Sources: X documentation, "Manage Direct Messages", "Direct Messages lookup", "Media upload", "Chunked media upload"; API reference 2.167.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugin.testing.standins.x.reading import MESSAGES, check_query, checked
from plugin.testing.standins.x.refusals import forbidden, invalid, missing
from plugin.testing.standins.x.shapes import Json, Shapes, chosen
from plugin.testing.standins.x.world import Media, Message, World

_MEGABYTE = 1 << 20
_LARGEST = {"image": 5 * _MEGABYTE, "gif": 15 * _MEGABYTE, "video": 512 * _MEGABYTE}
_CATEGORIES = frozenset({"tweet_image", "tweet_gif", "tweet_video", "dm_image", "dm_gif", "dm_video", "subtitles"})
_TYPES = frozenset({"video/mp4", "video/webm", "video/mp2t", "video/quicktime", "image/jpeg", "image/gif", "image/png", "image/webp"})
_STARTS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp", b"GIF8": "image/gif"}
_LONGEST = 10_000
_PIECE = 5 * _MEGABYTE


class Messages:
    """Direct messages of one world."""

    def __init__(self, world: World, shapes: Shapes) -> None:
        self._world = world
        self._shapes = shapes

    def send_to(self, account: str, person: str, body: Any) -> Json:
        """Send to one person."""
        given = checked(body, {"text": str, "attachments": [{"media_id!": "id"}]})
        text, files = given.get("text", ""), [one["media_id"] for one in given.get("attachments", [])]
        if not text and not files:
            raise invalid("$.text: is missing but it is required")
        if len(text) > _LONGEST or len(files) > 1:
            raise invalid("The text of your Direct Message is over the max character limit, or it has more than one attachment.")
        other = self._world.people.get(person)
        if other is None:
            raise missing("user", person)
        if not other.takes_messages or account in other.has_blocked:
            raise forbidden("You cannot send messages to this user.")
        for one in files:
            file = self._world.media.get(one)
            if file is None or file.owner != account or not file.is_final or not file.category.startswith("dm_"):
                raise invalid("Your media IDs are invalid.")
        message = self._world.person_writes(account, person, text, media=files)
        return {"data": {"dm_conversation_id": message.conversation, "dm_event_id": message.id}}

    def send_in(self, account: str, conversation: str, body: Any) -> Json:
        """Send into a conversation by its name."""
        people = conversation.split("-")
        if len(people) != 2 or account not in people:
            raise forbidden("You are not a participant of this conversation.")
        return self.send_to(account, next(one for one in people if one != account), body)

    def listed(self, account: str, query: Mapping[str, str], *, person: str = "", conversation: str = "") -> Json:
        """What was written to and by the account, the newest first."""
        check_query(query, MESSAGES | {"max_results", "pagination_token"})
        found = sorted(self._world.messages.values(), key=lambda message: int(message.id), reverse=True)
        mine = [message for message in found if account in (message.sender, message.recipient)]
        if person:
            mine = [message for message in mine if person in (message.sender, message.recipient)]
        if conversation:
            mine = [message for message in mine if message.conversation == conversation]
        token = query.get("pagination_token", "page-of-messages-0")
        at, size = int(token.rpartition("-")[2]), int(query.get("max_results", "100"))
        page = mine[at : at + size]
        meta: Json = {"result_count": len(page)}
        if at + size < len(mine):
            meta["next_token"] = f"page-of-messages-{at + size}"
        return self._told(page, query) | {"meta": meta}

    def delete(self, account: str, one: str) -> Json:
        """Delete a message of one's own."""
        message = self._world.messages.get(one)
        if message is None or account not in (message.sender, message.recipient):
            raise missing("dm event", one)
        if message.sender != account:
            raise forbidden("You can only delete your own messages.")
        del self._world.messages[one]
        return {"data": {"deleted": True}}

    def file(self, account: str, message: str, media: str) -> bytes:
        """The bytes of a message's file, for those who take part."""
        found = self._world.messages.get(message)
        if found is None or media not in found.media:
            raise missing("media", media)
        if account not in (found.sender, found.recipient):
            raise forbidden("You are not a participant of this conversation.")
        return self._world.media[media].content

    def _told(self, messages: Sequence[Message], query: Mapping[str, str]) -> Json:
        fields = set(query.get("dm_event.fields", "").split(","))
        expansions = set(query.get("expansions", "").split(","))
        if "sender_id" in expansions:
            fields |= {"sender_id"}
        shown = [chosen(self._shapes.message(message), fields, always=("id", "event_type", "text")) for message in messages]
        includes = self._shapes.message_includes(messages)
        wanted = {"users": "sender_id" in expansions, "media": "attachments.media_keys" in expansions}
        includes = {name: value for name, value in includes.items() if wanted[name]}
        return ({"data": shown} if shown else {}) | ({"includes": includes} if shown and includes else {})


class Uploads:
    """Files on their way in. `checks` is how often a film's state must be asked, each `check_after` seconds; `is_broken`: X finds it unusable."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.checks = 0
        self.check_after = 1
        self.is_broken = False

    def at_once(self, account: str, category: str, content: bytes) -> Json:
        """A picture in one call."""
        if category not in _CATEGORIES:
            raise invalid("media_category: is missing but it is required")
        kind = next((name for start, name in _STARTS.items() if content.startswith(start)), "")
        if not category.endswith("_image") or not kind:
            raise invalid("The media type is unrecognized or not supported for the category.")
        if len(content) > _LARGEST["image"]:
            raise invalid("File size exceeds 5242880 bytes.")
        one = self._world.add_file(account, content, content_type=kind, category=category)
        return {"data": {"id": one, "media_key": f"3_{one}", "size": len(content), "expires_after_secs": 86400}}

    def begin(self, account: str, body: Any) -> Json:
        """Announce a file that comes in pieces."""
        schema = {"media_category": str, "media_type": str, "total_bytes": int, "additional_owners": ["id"], "shared": bool}
        given = checked(body, schema)
        category, total = given.get("media_category", ""), given.get("total_bytes", 0)
        kind = category.rpartition("_")[2]
        if category not in _CATEGORIES or given.get("media_type") not in _TYPES or kind not in _LARGEST:
            raise invalid("media_category or media_type is not one of the known ones.")
        if not 0 < total <= _LARGEST[kind]:
            raise invalid(f"File size exceeds {_LARGEST[kind]} bytes.")
        one = self._world.mint()
        self._world.media[one] = Media(
            id=one, category=category, content=b"", content_type=given["media_type"], owner=account, total=total, checks_left=self.checks
        )
        return {"data": {"id": one, "media_key": f"7_{one}", "expires_after_secs": 86400}}

    def append(self, account: str, one: str, number: str, content: bytes) -> Json:
        """One piece."""
        media = self._of(account, one)
        if not number.isdecimal() or int(number) > 999:
            raise invalid("segment_index: is missing but it is required")
        if not content or len(content) > _PIECE:
            raise invalid("A piece holds up to 5 MB.")
        media.parts[int(number)] = content
        return {"data": {"expires_at": int(self._world.now()) + 86400}}

    def finish(self, account: str, one: str) -> Json:
        """Put the pieces together."""
        media = self._of(account, one)
        content = b"".join(part for _, part in sorted(media.parts.items()))
        if sorted(media.parts) != list(range(len(media.parts))) or len(content) != media.total:
            raise invalid("Segments do not add up to provided total file size.")
        media.content = content
        media.is_failed = self.is_broken
        media.is_final = not media.is_failed and not media.checks_left
        return self._state(media)

    def state(self, account: str, query: Mapping[str, str]) -> Json:
        """How far X is with a film."""
        check_query(query, frozenset({"command", "media_id"}))
        if query.get("command") != "STATUS":
            raise invalid("command: is not one of [STATUS]")
        media = self._of(account, query.get("media_id", ""))
        media.checks_left = max(0, media.checks_left - 1)
        media.is_final = not media.is_failed and not media.checks_left
        return self._state(media)

    def describe(self, account: str, body: Any) -> Json:
        """Give a file its description."""
        given = checked(body, {"id!": "id", "metadata": {"alt_text": {"text!": str}}})
        media, text = self._of(account, given["id"]), given.get("metadata", {}).get("alt_text", {}).get("text", "")
        if len(text) > 1000:
            raise invalid("$.metadata.alt_text.text: must be at most 1000 characters long")
        media.alt = text
        return {"data": {"id": media.id, "associated_metadata": {"alt_text": {"text": text}}}}

    def _of(self, account: str, one: str) -> Media:
        media = self._world.media.get(one)
        if media is None or media.owner != account:
            raise missing("media", one)
        return media

    def _state(self, media: Media) -> Json:
        told: Json = {"id": media.id, "media_key": f"7_{media.id}", "size": len(media.content)}
        if media.is_failed:
            told["processing_info"] = {"state": "failed", "progress_percent": 0}
        elif not media.is_final:
            told["processing_info"] = {"state": "pending", "check_after_secs": self.check_after}
        return {"data": told}
