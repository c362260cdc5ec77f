"""The bot's side of the stand-in: each method with its closed list of parameters, and what it does to the world.

Source: Bot API, "Available methods"; the refusals' words follow the Bot API server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from plugin.testing.standins.telegram.files import Upload
from plugin.testing.standins.telegram.parameters import (
    CAPTION,
    MEGABYTE,
    SENDING,
    TARGET,
    TEXT,
    WEBHOOK,
    Call,
    chat_of,
    check_markup,
    check_photo,
    typed,
)
from plugin.testing.standins.telegram.refusals import Refused, bad_request
from plugin.testing.standins.telegram.updates import Updates, Webhook, checked_webhook
from plugin.testing.standins.telegram.world import Json, World

_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup "
    "of the message"
)


@dataclass(slots=True, kw_only=True)
class Methods:
    """The Bot API over one world."""

    world: World
    updates: Updates
    may_be_loopback: bool = True
    commands: list[Json] = field(default_factory=list)
    read: list[tuple[str, int, int]] = field(default_factory=list)

    def run(self, method: str, given: Mapping[str, Any], files: Mapping[str, Upload]) -> Any:
        """The method's result.

        Raises:
            Refused: as the Bot API would, and for parameters that it does not have.
        """
        found = _METHODS.get(method.lower())
        if found is None:
            raise Refused(404, "Not Found: method not found")
        do, schema, file_fields = found
        for name in given:
            if name not in schema and name not in file_fields:
                raise bad_request(f'unexpected parameter "{name}" (the real Bot API would ignore it in silence)')
        for name in files:
            if name not in file_fields:
                raise bad_request(f'unexpected file "{name}" (the real Bot API would ignore it in silence)')
        if any(upload.claimed > 50 * MEGABYTE for upload in files.values()):
            raise Refused(413, "Request Entity Too Large")
        values = {name: typed(name, value, schema.get(name, str)) for name, value in given.items()}
        return do(self, Call(values, files))

    def get_me(self, call: Call) -> Json:
        """Who the bot is."""
        return {
            **self.world.bot,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": True,
            "has_main_web_app": False,
        }

    def get_updates(self, call: Call) -> Any:
        """Updates, by asking."""
        self.updates.allow(call.get("allowed_updates"))
        limit, timeout = max(1, min(call.get("limit", 100), 100)), max(0, min(call.get("timeout", 0), 50))
        return self.updates.get(offset=call.get("offset", 0), limit=limit, timeout=timeout)

    def set_webhook(self, call: Call) -> Any:
        """Updates, by webhook from now on."""
        if not call.get("url"):
            return self.delete_webhook(call)
        webhook = checked_webhook(
            call.get("url"), call.get("secret_token", ""), call.get("max_connections", 40), may_be_loopback=self.may_be_loopback
        )
        self.updates.allow(call.get("allowed_updates"))
        self.updates.set_webhook(webhook, drop=call.get("drop_pending_updates", False))
        return True

    def delete_webhook(self, call: Call) -> Any:
        """No webhook any more."""
        self.updates.set_webhook(Webhook(), drop=call.get("drop_pending_updates", False))
        return True

    def set_commands(self, call: Call) -> Any:
        """What the bot's menu offers."""
        commands = call.get("commands", [])
        if len(commands) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", ""))):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands = list(commands)
        return True

    def get_webhook_info(self, call: Call) -> Json:
        """How the webhook fares."""
        webhook = self.updates.webhook
        info: Json = {"url": webhook.url, "has_custom_certificate": False, "pending_update_count": self.updates.pending()}
        if webhook.url:
            info |= {"max_connections": webhook.max_connections, "ip_address": "127.0.0.1"}
        if webhook.last_error:
            info |= {"last_error_date": webhook.last_error_at, "last_error_message": webhook.last_error}
        if self.updates.allowed:
            info["allowed_updates"] = sorted(self.updates.allowed)
        return info

    def send_message(self, call: Call) -> Json:
        """A text."""
        if not call.get("text"):
            raise bad_request("message text is empty")
        return self._send(call, None, call.get("text"), call.get("entities"))

    def send_file(self, call: Call, kind: str) -> Json:
        """A file with a caption."""
        upload = call.files.get(kind)
        if upload is None:
            known = self.world.files.by_id.get(call.get(kind, ""))
            if known is None:
                raise bad_request(f"there is no {kind} in the request" if not call.get(kind) else "invalid file_id")
            upload = known
        if kind == "photo":
            check_photo(upload)
        upload = Upload(kind=kind, content=upload.content, filename=upload.filename, content_type=upload.content_type, size=upload.size)
        return self._send(call, upload, call.get("caption", ""), call.get("caption_entities"))

    def edit_text(self, call: Call) -> Json:
        """Our text reads differently."""
        if not call.get("text"):
            raise bad_request("message text is empty")
        return self._edit(call, "text", call.get("text"), call.get("entities"))

    def edit_caption(self, call: Call) -> Json:
        """Our caption reads differently."""
        return self._edit(call, "caption", call.get("caption", ""), call.get("caption_entities"))

    def delete_message(self, call: Call) -> Any:
        """A message is taken back: ours, or a person's in a private chat, for 48 hours."""
        chat, number = call.get("chat_id"), call.get("message_id")
        if chat is None:
            raise bad_request("chat identifier is not specified")
        if not number:
            raise bad_request("message identifier is not specified")
        with self.world.lock:
            self.world.check_chat(chat)
            kept = self.world.kept.get(("", chat), {}).get(number)
            if kept is None:
                raise bad_request("message to delete not found")
            if kept.message["date"] < self.world.now() - 48 * 3600 or not (kept.is_ours or chat > 0):
                raise bad_request("message can't be deleted for everyone")
            del self.world.kept["", chat][number]
        return True

    def delete_business(self, call: Call) -> Any:
        """Messages of a business chat are taken back."""
        business, numbers = call.get("business_connection_id", ""), call.get("message_ids") or []
        with self.world.lock:
            if business not in self.world.connections:
                raise bad_request("business connection not found")
            for (connection, _), space in self.world.kept.items():
                if connection == business:
                    for number in numbers:
                        space.pop(number, None)
        return True

    def read_business(self, call: Call) -> Any:
        """A customer's message is shown as read."""
        business, chat, number = call.get("business_connection_id", ""), call.get("chat_id"), call.get("message_id")
        with self.world.lock:
            if business not in self.world.connections:
                raise bad_request("business connection not found")
            if number not in self.world.kept.get((business, chat), {}):
                raise bad_request("message not found")
        self.read.append((business, chat, number))
        return True

    def get_file(self, call: Call) -> Json:
        """Where a file can be had for an hour."""
        file_id = call.get("file_id", "")
        if not file_id:
            raise bad_request("file_id not specified")
        upload = self.world.files.by_id.get(file_id)
        if upload is None:
            raise bad_request("invalid file_id")
        if upload.claimed > 20 * MEGABYTE:
            raise bad_request("file is too big")
        path = self.world.files.address(file_id, self.world.now())
        return {"file_id": file_id, "file_unique_id": file_id[-6:], "file_size": upload.claimed, "file_path": path}

    def send_action(self, call: Call) -> Any:
        """Typing, as seen by the customer."""
        self.world.check_chat(chat_of(call))
        return True

    def _send(self, call: Call, upload: Upload | None, text: str, entities: Any) -> Json:
        _refuse_parse_mode(call)
        chat, business = chat_of(call), call.get("business_connection_id", "")
        world = self.world
        with world.lock:
            world.check_chat(chat, business=business)
            topic = call.get("message_thread_id")
            if topic is not None and topic not in world.topics.get(chat, ()):
                raise bad_request("message thread not found")
            reply = self._reply(call, chat, business)
            check_markup(call, world.chats[chat]["type"])
            message = world.compose(chat, business=business, topic=topic, reply_to=reply)
            if world.chats[chat]["type"] != "channel":
                message["from"] = world.connections[business]["user"] if business else world.bot
            if business:
                message["sender_business_bot"] = world.bot
            world.fill(message, text, entities or [], upload)
            world.keep(message, is_ours=True, business=business)
            if business:
                world.publish("business_message", world.shown(message, business), f"{business}:{chat}")
            return dict(message)

    def _reply(self, call: Call, chat: int, business: str) -> int | None:
        wanted = call.get("reply_parameters")
        if not wanted:
            return None
        number = wanted.get("message_id")
        if not isinstance(number, int):
            raise bad_request('Field "message_id" must be of type Number' if number is not None else 'Can\'t find field "message_id"')
        if number in self.world.kept.get((business, chat), {}):
            return number
        if wanted.get("allow_sending_without_reply") is not True:
            raise bad_request("message to be replied not found")
        return None

    def _edit(self, call: Call, field: str, text: str, entities: Any) -> Json:
        _refuse_parse_mode(call)
        chat, number, business = call.get("chat_id"), call.get("message_id"), call.get("business_connection_id", "")
        if chat is None or not number:
            raise bad_request("message identifier is not specified")
        world = self.world
        with world.lock:
            world.check_chat(chat, business=business)
            kept = world.kept.get((business, chat), {}).get(number)
            if kept is None:
                raise bad_request("message to edit not found")
            if not kept.is_ours:
                raise bad_request("message can't be edited")
            if ("text" in kept.message) != (field == "text"):
                raise bad_request(f"there is no {field} in the message to edit")
            before = json.dumps(kept.message, sort_keys=True)
            changed = dict(kept.message)
            world.fill(changed, text, entities or [], None, as_caption=field == "caption")
            if json.dumps(changed, sort_keys=True) == before:
                raise bad_request(_NOT_MODIFIED)
            kept.message = changed | {"edit_date": int(world.now())}
            return dict(kept.message)


def _refuse_parse_mode(call: Call) -> None:
    if call.get("parse_mode"):
        raise bad_request("the stand-in reads no parse_mode; send entities, as nobody's text then breaks the markup")


def _file(kind: str) -> tuple[Callable[[Methods, Call], Any], dict[str, type], tuple[str, ...]]:
    def send(methods: Methods, call: Call) -> Any:
        return methods.send_file(call, kind)

    return send, {**SENDING, **CAPTION, "has_spoiler": bool, "duration": int, "disable_content_type_detection": bool}, (kind,)


_METHODS: dict[str, tuple[Callable[[Methods, Call], Any], dict[str, type], tuple[str, ...]]] = {
    "getme": (Methods.get_me, {}, ()),
    "getupdates": (Methods.get_updates, {"offset": int, "limit": int, "timeout": int, "allowed_updates": list}, ()),
    "setwebhook": (Methods.set_webhook, WEBHOOK, ()),
    "deletewebhook": (Methods.delete_webhook, {"drop_pending_updates": bool}, ()),
    "setmycommands": (Methods.set_commands, {"commands": list}, ()),
    "getwebhookinfo": (Methods.get_webhook_info, {}, ()),
    "sendmessage": (Methods.send_message, {**SENDING, **TEXT}, ()),
    "sendphoto": _file("photo"),
    "senddocument": _file("document"),
    "sendvideo": _file("video"),
    "sendaudio": _file("audio"),
    "sendvoice": _file("voice"),
    "sendanimation": _file("animation"),
    "editmessagetext": (Methods.edit_text, {**TARGET, **TEXT}, ()),
    "editmessagecaption": (Methods.edit_caption, {**TARGET, **CAPTION}, ()),
    "deletemessage": (Methods.delete_message, {"chat_id": int, "message_id": int}, ()),
    "deletebusinessmessages": (Methods.delete_business, {"business_connection_id": str, "message_ids": list}, ()),
    "readbusinessmessage": (Methods.read_business, {"business_connection_id": str, "chat_id": int, "message_id": int}, ()),
    "getfile": (Methods.get_file, {"file_id": str}, ()),
    "sendchataction": (Methods.send_action, {"chat_id": int, "action": str, "message_thread_id": int, "business_connection_id": str}, ()),
}
