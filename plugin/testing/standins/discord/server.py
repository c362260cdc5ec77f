"""The stand-in's HTTP: tokens, closed request bodies, faults, pages, nonces; and the people's side."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Response, request

from plugin.contracts.http import WebhookRequest
from plugin.testing.standins.closed import unknown_fields
from plugin.testing.standins.discord.world import BOT, GUILD, Channel, Refused, World, invalid
from plugin.testing.standins.serving import Json, Refusal, StandIn, reply

TOKEN = "MTAwMDAwMDAwMDAwMDAwMDQy.GstAnD.in0token0of0a0stand0in0which0opens0nothing"
_CREATE = ("content", "nonce", "enforce_nonce", "allowed_mentions", "message_reference", "attachments")
_PATCH = ("content", "allowed_mentions")
_LONGEST, _LARGEST, _NONCE, _NONCE_SECONDS = 2000, 10 << 20, 25, 300.0
_FORUM = 15


class DiscordStandIn(StandIn):
    """One server with one bot."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        super().__init__("discord", now=now)
        self.token = TOKEN
        self.typing: list[str] = []
        self._key = Ed25519PrivateKey.generate()
        self.world = World(now=now, host=lambda: self.host)
        self.bot: Json = {"id": BOT, "username": "helpdesk", "global_name": None, "bot": True, "avatar": None}
        self._answer_calls()

    @property
    def url(self) -> str:
        """The `api_url` for an adapter's settings."""
        return f"{self.host}/api/v10"

    @property
    def public_key(self) -> str:
        """The application's public key."""
        return self._key.public_key().public_bytes_raw().hex()

    def person(self, user: str, name: str) -> Json:
        """Somebody."""
        return {"id": user, "username": name.lower(), "global_name": name, "avatar": None}

    def opens(self, channel: str, *, kind: int = 0, parent: str = "", **changes: Any) -> Channel:
        """There is a channel, or a thread below one."""
        about = {"id": channel, "type": kind, "guild_id": GUILD, "name": f"c{channel[-3:]}", "last_message_id": None}
        self.world.channels[channel] = Channel(about={**about, **({"parent_id": parent} if parent else {})}, **changes)
        return self.world.channels[channel]

    def says(self, channel: str, author: Json, content: str, *, answers: str = "", **fields: Any) -> str:
        """Somebody says something; the message's id."""
        reference = {"message_reference": {"type": 0, "channel_id": channel, "message_id": answers}} if answers else {}
        with self.world.lock:
            return str(self.world.add(channel, author, content, **reference, **fields)["id"])

    def edits(self, channel: str, message: str, content: str) -> None:
        """Its author changes a message."""
        self.world.channels[channel].messages[message] |= {"content": content, "edited_timestamp": self.world.stamp()}

    def deletes(self, channel: str, message: str) -> None:
        """A message is taken away."""
        del self.world.channels[channel].messages[message]

    def reacts(self, channel: str, message: str, person: Json, emoji: str, custom: str = "") -> None:
        """Somebody reacts to a message, with an emoji of the server's own where `custom` is its id."""
        found = self.world.channels[channel].messages[message]
        name = f"{emoji}:{custom}" if custom else emoji
        people = self.world.reactions.setdefault((message, name), [])
        people.append(person)
        shown = [one for one in found.get("reactions", []) if one["emoji"] != {"id": custom or None, "name": emoji}]
        found["reactions"] = [*shown, {"count": len(people), "me": False, "emoji": {"id": custom or None, "name": emoji}}]

    def said_by_bot(self, channel: str) -> list[Json]:
        """What the bot said in a channel."""
        return [one for one in self.world.channels[channel].messages.values() if one["author"]["id"] == BOT]

    def signed(self, body: Any, *, at: float | None = None) -> WebhookRequest:
        """An interaction as Discord would send it."""
        raw, stamp = json.dumps(body).encode(), str(int(self.now() if at is None else at))
        headers = {"content-type": "application/json", "x-signature-timestamp": stamp}
        headers["x-signature-ed25519"] = self._key.sign(stamp.encode() + raw).hex()
        return WebhookRequest(method="POST", path="", headers=headers, query={}, body=raw)

    def too_many(self, seconds: float) -> Refusal:
        """How long it goes on stands in the answer and in a header."""
        told = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
        return Refusal(429, told, {"retry-after": str(int(seconds)), "x-ratelimit-bucket": "abcd1234"})

    def _answer_calls(self) -> None:
        routes: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", "/users/@me", lambda: self.bot),
            ("GET", "/applications/@me", lambda: {"id": BOT, "flags": (1 << 19) if self.world.reads_content else 0}),
            ("GET", "/channels/<channel>", lambda channel: self.world.channel(channel).about),
            ("GET", "/guilds/<guild>/threads/active", self._threads),
            ("GET", "/channels/<channel>/messages", self._page),
            ("POST", "/channels/<channel>/messages", self._create),
            (
                "GET",
                "/channels/<channel>/messages/<message>",
                lambda channel, message: self.world.shown(self.world.message(channel, message)),
            ),
            ("PATCH", "/channels/<channel>/messages/<message>", self._patch),
            ("DELETE", "/channels/<channel>/messages/<message>", self._delete),
            ("GET", "/channels/<channel>/messages/<message>/reactions/<emoji>", self._reactions),
            ("POST", "/channels/<channel>/typing", self._typing),
        ]
        for method, path, do in routes:
            self.app.add_url_rule(f"/api/v10{path}", endpoint=f"{method} {path}", view_func=self._guarded(method, do), methods=[method])
        self.app.add_url_rule("/attachments/<file_id>", view_func=self._file, methods=["GET"])

    def _guarded(self, method: str, do: Callable[..., Any]) -> Callable[..., Response]:
        def call(**ids: str) -> Response:
            if request.headers.get("Authorization") != f"Bot {self.token}":
                raise Refused(401, 0, "401: Unauthorized")
            if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
                raise Refused(403, 40333, "internal network error")
            self.calls.append((method, request.path.removeprefix("/api/v10"), _body() if method in ("POST", "PATCH") else {}))

            def act() -> Any:
                with self.world.lock:
                    return do(**ids)

            return reply(self.struck(method, act), headers={"x-ratelimit-remaining": "4"})

        return call

    def _threads(self, guild: str) -> Any:
        if guild != GUILD:
            raise Refused(404, 10004, "Unknown Guild")
        found = [one.about for one in self.world.channels.values() if "parent_id" in one.about and one.is_visible]
        return {"threads": found, "members": []}

    def _page(self, channel: str) -> Any:
        if unknown := unknown_fields(request.args, ("after", "limit")):
            raise invalid(unknown[0], "unknown")
        limit, after = int(request.args.get("limit", 50)), int(request.args.get("after", 0))
        if not 1 <= limit <= 100:
            raise invalid("limit", "int value should be between 1 and 100")
        place = self.world.channel(channel)
        if place.about["type"] == _FORUM:
            raise Refused(400, 50024, "Cannot execute action on this channel type")
        found = [one for one in place.messages.values() if int(one["id"]) > after][:limit]
        return [self.world.shown(one) for one in reversed(found)]

    def _create(self, channel: str) -> Any:
        place, given = self.world.channel(channel), _body()
        if not place.may_send:
            raise Refused(403, 50013, "Missing Permissions")
        _check(given, _CREATE)
        files = _files(given)
        if not given.get("content") and not files:
            raise Refused(400, 50006, "Cannot send an empty message")
        nonce = given.get("nonce", "")
        if not isinstance(nonce, str) or len(nonce) > _NONCE:
            raise invalid("nonce", "Must be 25 or fewer in length.")
        then, before = self.world.nonces.get(nonce, (0.0, {}))
        if nonce and given.get("enforce_nonce") is True and self.now() - then < _NONCE_SECONDS:
            return before
        reference = given.get("message_reference")
        fields: Json = {"attachments": [self.world.attach(*file) for file in files]}
        if reference is not None:
            if reference["message_id"] in place.messages:
                fields["message_reference"] = {"type": 0, "channel_id": channel, "message_id": reference["message_id"]}
            elif reference.get("fail_if_not_exists", True):
                raise invalid("message_reference", "Unknown message")
        made = self.world.add(channel, self.bot, str(given.get("content", "")).strip(), **fields)
        answer = {**made, "nonce": nonce}
        self.world.nonces[nonce] = (self.now(), answer)
        return answer

    def _patch(self, channel: str, message: str) -> Any:
        found, given = self.world.message(channel, message), _body()
        _check(given, _PATCH)
        if found["author"]["id"] != BOT:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        self.edits(channel, message, given["content"])
        return found

    def _delete(self, channel: str, message: str) -> Response:
        if self.world.message(channel, message)["author"]["id"] != BOT:
            raise Refused(403, 50013, "Missing Permissions")
        self.deletes(channel, message)
        return Response(status=204)

    def _reactions(self, channel: str, message: str, emoji: str) -> Any:
        self.world.message(channel, message)
        if unknown := unknown_fields(request.args, ("after", "limit", "type")):
            raise invalid(unknown[0], "unknown")
        limit = int(request.args.get("limit", 25))
        if not 1 <= limit <= 100:
            raise invalid("limit", "int value should be between 1 and 100")
        people = self.world.reactions.get((message, emoji))
        if people is None:
            raise Refused(400, 10014, "Unknown Emoji")
        return people[:limit]

    def _typing(self, channel: str) -> Response:
        self.world.channel(channel)
        self.typing.append(channel)
        return Response(status=204)

    def _file(self, file_id: str) -> Response:
        if "hm" not in request.args or file_id not in self.world.files:
            return Response("This content is no longer available.", status=404)
        if request.headers.get("Authorization"):
            return Response("The token does not belong here.", status=400)
        return Response(self.world.files[file_id], mimetype="application/octet-stream")


def _body() -> Json:
    if request.mimetype == "multipart/form-data":
        body = json.loads(request.form.get("payload_json", "{}"))
        if unknown := unknown_fields(request.form, ("payload_json",)):
            raise invalid(unknown[0], "unknown")
    elif request.mimetype == "application/json":
        body = request.get_json(silent=True)
    elif not request.get_data():
        body = {}
    else:
        raise Refused(400, 50109, "The request body contains invalid JSON.")
    if not isinstance(body, dict):
        raise Refused(400, 50109, "The request body contains invalid JSON.")
    return body


def _check(given: Json, known: tuple[str, ...]) -> None:
    if unknown := unknown_fields(given, known):
        raise invalid(unknown[0], "unknown")
    if len(given.get("content", "")) > _LONGEST:
        raise invalid("content", f"Must be {_LONGEST} or fewer in length.")


def _files(given: Json) -> list[tuple[str, bytes, str]]:
    named = {str(one["id"]): one for one in given.get("attachments", [])}
    found = []
    for name, file in request.files.items():
        content, number = file.read(), name.removeprefix("files[").removesuffix("]")
        if number not in named:
            raise invalid("attachments", "The file is not named.")
        if len(content) > _LARGEST:
            raise Refused(413, 40005, "Request entity too large")
        found.append((str(named[number]["filename"]).replace(" ", "_"), content, file.mimetype))
    return found
