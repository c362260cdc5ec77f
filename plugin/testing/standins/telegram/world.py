"""The people's side of the stand-in: chats, messages, files, business accounts, and what a person does in the Telegram app.

Every verb here is something a customer or an admin can do; the bot's own side is `methods`. Message ids are given per chat, as Telegram's
may repeat from chat to chat. All verbs hold one lock: what they change is published before the next one starts.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plugin.testing.standins.telegram.files import KINDS, Files, Upload
from plugin.testing.standins.telegram.formatting import fix_text
from plugin.testing.standins.telegram.refusals import bad_request, forbidden

Json = dict[str, Any]


@dataclass(slots=True)
class Kept:
    """A message as it stands, and whose it is."""

    message: Json
    is_ours: bool


@dataclass(slots=True)
class World:
    """Everything there is. `publish(kind, body, queue)` hands an update to the bot."""

    bot: Json
    now: Callable[[], float]
    publish: Callable[[str, Json, str], None]
    chats: dict[int, Json] = field(default_factory=dict)
    kept: dict[tuple[str, int], dict[int, Kept]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    blocked: set[int] = field(default_factory=set)
    deactivated: set[int] = field(default_factory=set)
    kicked: set[int] = field(default_factory=set)
    moved: dict[int, int] = field(default_factory=dict)
    topics: dict[int, set[int]] = field(default_factory=dict)
    connections: dict[str, Json] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def customer_says(
        self,
        chat: int,
        text: str = "",
        *,
        entities: Sequence[Mapping[str, Any]] = (),
        reply_to: int | None = None,
        upload: Upload | None = None,
        sender: int | None = None,
        topic: int | None = None,
        business: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> Json:
        """A message of a person, with what else the Bot API's Message may hold in `extra`. A private chat opens by itself."""
        with self.lock:
            message = self.compose(chat, business=business, topic=topic, reply_to=reply_to)
            is_channel = self.chats[chat]["type"] == "channel"
            if not is_channel:
                message["from"] = self.person(sender or (chat if chat > 0 else 1))
            self.fill(message, text, list(entities), upload)
            message |= json.loads(json.dumps(dict(extra or {})))
            self.keep(message, is_ours=False, business=business)
            kind = "business_message" if business else "channel_post" if is_channel else "message"
            self.publish(kind, self.shown(message, business), f"{business}:{chat}")
            return dict(message)

    def customer_edits(
        self, chat: int, message_id: int, text: str, *, entities: Sequence[Mapping[str, Any]] = (), business: str = ""
    ) -> Json:
        """A person's message reads differently from now on."""
        with self.lock:
            message = self.kept[business, chat][message_id].message
            has_file = any(kind in message for kind in KINDS)
            self.fill(message, text, list(entities), None, as_caption=has_file)
            message["edit_date"] = int(self.now())
            is_channel = message["chat"]["type"] == "channel"
            kind = "edited_business_message" if business else "edited_channel_post" if is_channel else "edited_message"
            self.publish(kind, self.shown(message, business), f"{business}:{chat}")
            return dict(message)

    def customer_deletes(self, chat: int, message_id: int, *, business: str = "") -> None:
        """A person takes a message back. Bots hear of it in business chats only."""
        with self.lock:
            self.kept[business, chat].pop(message_id)
            if business:
                body = {"business_connection_id": business, "chat": self.chats[chat], "message_ids": [message_id]}
                self.publish("deleted_business_messages", body, f"{business}:{chat}")

    def customer_reacts(self, chat: int, message_id: int, emoji: str, *, before: str = "", sender: int | None = None) -> None:
        """A person's reaction becomes `emoji`, or none when empty."""
        with self.lock:
            body = {
                "chat": self.chats[chat],
                "message_id": message_id,
                "user": self.person(sender or chat),
                "date": int(self.now()),
                "old_reaction": [{"type": "emoji", "emoji": before}] if before else [],
                "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
            }
            self.publish("message_reaction", body, f"reaction:{chat}")

    def customer_blocks(self, chat: int, *, is_blocked: bool = True) -> None:
        """A person blocks the bot, or lets it write again; for a group: it throws the bot out, or takes it in."""
        with self.lock:
            self.chat(chat)
            gone = self.blocked if chat > 0 else self.kicked
            (gone.add if is_blocked else gone.discard)(chat)
            member = {"user": self.bot, "status": "kicked" if is_blocked else "member"}
            body = {
                "chat": self.chats[chat],
                "from": self.person(chat if chat > 0 else 1),
                "date": int(self.now()),
                "old_chat_member": {"user": self.bot, "status": "member" if is_blocked else "kicked"},
                "new_chat_member": member | ({"until_date": 0} if is_blocked else {}),
            }
            self.publish("my_chat_member", body, f"member:{chat}")

    def open_group(self, chat: int, title: str = "A group", *, kind: str = "group", username: str = "") -> Json:
        """A group, supergroup or channel with the bot in it."""
        with self.lock:
            self.chats[chat] = {"id": chat, "title": title, "type": kind} | ({"username": username} if username else {})
            return self.chats[chat]

    def open_topic(self, chat: int, topic: int) -> None:
        """A topic of a forum, known by the id of its first message."""
        with self.lock:
            self.chats[chat]["is_forum"] = True
            self.topics.setdefault(chat, set()).add(topic)

    def upgrade_group(self, chat: int) -> int:
        """A group becomes a supergroup with another id, and says so in both."""
        with self.lock:
            new = -1_000_000_000_000 + chat
            self.open_group(new, self.chats[chat]["title"], kind="supergroup")
            self.customer_says(chat, extra={"migrate_to_chat_id": new})
            self.customer_says(new, extra={"migrate_from_chat_id": chat})
            self.moved[chat] = new
            return new

    def connect_business(self, connection: str, *, owner: int, can_reply: bool = True, is_enabled: bool = True) -> None:
        """The owner of a business account lets the bot into its chats, or changes what it may do there."""
        with self.lock:
            body = {
                "id": connection,
                "user": self.person(owner),
                "user_chat_id": owner,
                "date": int(self.now()),
                "is_enabled": is_enabled,
                "can_reply": can_reply,
                "rights": {"can_reply": True} if can_reply else {},
            }
            self.connections[connection] = body
            self.publish("business_connection", body, f"business:{owner}")

    def messages(self, chat: int, *, business: str = "") -> list[Json]:
        """What stands in a chat now, oldest first."""
        with self.lock:
            return [dict(kept.message) for _, kept in sorted(self.kept.get((business, chat), {}).items())]

    def said_by_bot(self, chat: int, *, business: str = "") -> list[Json]:
        """What the bot said in a chat and what still stands, oldest first."""
        with self.lock:
            return [dict(kept.message) for _, kept in sorted(self.kept.get((business, chat), {}).items()) if kept.is_ours]

    def person(self, number: int) -> Json:
        """A user by id."""
        names = {"first_name": f"Person {number}", "username": f"person_{number}", "language_code": "en"}
        return {"id": number, "is_bot": False, **names}

    def chat(self, number: int) -> Json:
        """A chat; with a person it is opened by speaking."""
        if number not in self.chats and number > 0:
            self.chats[number] = {"id": number, "type": "private", "first_name": f"Person {number}", "username": f"person_{number}"}
        return self.chats[number]

    def compose(self, chat: int, *, business: str = "", topic: int | None = None, reply_to: int | None = None) -> Json:
        """A new message without sender and content; its id is the chat's next."""
        space = self.kept.setdefault((business, chat), {})
        counter = business or str(chat)  # a business account counts its private chats together
        self.numbers[counter] = self.numbers.get(counter, 0) + 1
        message: Json = {"message_id": self.numbers[counter], "chat": self.chat(chat), "date": int(self.now())}
        if business:
            message["business_connection_id"] = business
        if topic is not None:
            message |= {"message_thread_id": topic, "is_topic_message": True}
        if reply_to is not None and reply_to in space:
            message["reply_to_message"] = {k: v for k, v in space[reply_to].message.items() if k != "reply_to_message"}
        return message

    def fill(self, message: Json, text: str, entities: list[Any], upload: Upload | None, *, as_caption: bool = False) -> None:
        """Give a message its content, as Telegram shows it.

        Raises:
            Refused: Telegram would not take it.
        """
        if upload is not None:
            as_caption = True
            message |= self.files.store(upload)
        name, found, limit, words = ("caption", "caption_entities", 1024, "message caption is too long")
        if not as_caption:
            name, found, limit, words = ("text", "entities", 4096, "message is too long")
        if not text and (as_caption or upload is not None or not entities):
            message.pop(name, None)
            message.pop(found, None)
            return
        fixed, shown = fix_text(text, entities, limit=limit, too_long=words, may_be_empty=as_caption)
        message.pop(found, None)
        message |= {name: fixed} | ({found: shown} if shown else {})

    def keep(self, message: Json, *, is_ours: bool, business: str = "") -> None:
        """Let a message stand in its chat."""
        self.kept.setdefault((business, message["chat"]["id"]), {})[message["message_id"]] = Kept(message, is_ours)

    def shown(self, message: Json, business: str) -> Json:
        """The message with the one it answers as that stands now."""
        parent = message.get("reply_to_message")
        if parent is None:
            return dict(message)
        kept = self.kept.get((business, message["chat"]["id"]), {}).get(parent["message_id"])
        fresh = {k: v for k, v in kept.message.items() if k != "reply_to_message"} if kept else parent
        return {**message, "reply_to_message": fresh}

    def check_chat(self, chat: int, *, business: str = "") -> None:
        """Refuse what the bot may not write to.

        Raises:
            Refused: in the Bot API's words.
        """
        if chat in self.moved:
            raise bad_request("group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": self.moved[chat]})
        if business:
            self._check_business(business, chat)
            return
        if chat not in self.chats or (chat > 0 and ("", chat) not in self.kept):
            raise bad_request("chat not found")  # bots cannot speak first; a business chat is another chat
        if chat in self.deactivated:
            raise forbidden("user is deactivated")
        if chat in self.blocked:
            raise forbidden("bot was blocked by the user")
        if chat in self.kicked:
            kind = self.chats[chat]["type"]
            raise forbidden(f"bot was kicked from the {kind} chat")

    def _check_business(self, business: str, chat: int) -> None:
        connection = self.connections.get(business)
        if connection is None or not connection["is_enabled"]:
            raise bad_request("business connection not found")
        if not connection["can_reply"]:
            raise bad_request("BUSINESS_CONNECTION_NOT_ALLOWED")
        theirs = [
            kept.message["date"] for kept in self.kept.get((business, chat), {}).values() if kept.message.get("from", {}).get("id") == chat
        ]
        if max(theirs, default=0) < self.now() - 86400:
            raise bad_request("BUSINESS_PEER_USAGE_MISSING")
