"""A person with a Matrix client, for tests: registers on the test homeserver and does what customers do, over plain HTTP."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import quote

import requests

Json = dict[str, Any]


class Customer:
    """One registered user. Every call raises `requests.HTTPError` when the homeserver refuses it."""

    def __init__(self, info: Json, name: str = "customer", *, session: Json | None = None) -> None:
        """Register a fresh user on the homeserver that `tests.servers.synapse.start` described, or go on with a `session` kept before."""
        self._url, self._session = info["url"], requests.Session()
        self.session: Json = session or self._register(info["shared_secret"], name)
        self.user_id: str = self.session["user_id"]
        self._session.headers["Authorization"] = f"Bearer {self.session['access_token']}"

    def _register(self, shared_secret: str, name: str) -> Json:
        admin = "/_synapse/admin/v1/register"
        nonce = self.call("GET", admin)["nonce"]
        username, password = f"{name}-{secrets.token_hex(4)}", secrets.token_hex(8)
        mac = hmac.new(shared_secret.encode(), f"{nonce}\0{username}\0{password}\0notadmin".encode(), hashlib.sha1)
        account = {"nonce": nonce, "username": username, "password": password, "admin": False, "mac": mac.hexdigest()}
        return self.call("POST", admin, json=account)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def call(self, method: str, path: str, **arguments: Any) -> Json:
        """One call; `path` from the root."""
        answer = self._session.request(method, self._url + path, timeout=60, **arguments)
        answer.raise_for_status()
        return cast(Json, answer.json())

    def create_room(self, *invite: str, public: bool = False, **more: Any) -> str:
        """A new room's id; direct and private unless `public`."""
        preset = "public_chat" if public else "trusted_private_chat"
        room = {"preset": preset, "is_direct": not public, "invite": list(invite), **more}
        return str(self.call("POST", "/_matrix/client/v3/createRoom", json=room)["room_id"])

    def invite(self, room: str, user_id: str) -> None:
        """Invite someone."""
        self.call("POST", f"{_room(room)}/invite", json={"user_id": user_id})

    def join(self, room: str) -> None:
        """Join a room."""
        self.call("POST", f"{_room(room)}/join", json={})

    def kick(self, room: str, user_id: str) -> None:
        """Remove someone."""
        self.call("POST", f"{_room(room)}/kick", json={"user_id": user_id})

    def members(self, room: str) -> set[str]:
        """Who is in the room."""
        return set(self.call("GET", f"{_room(room)}/joined_members")["joined"])

    def send_event(self, room: str, content: Json, *, kind: str = "m.room.message") -> str:
        """Send any event; its id."""
        return str(self.call("PUT", f"{_room(room)}/send/{kind}/{secrets.token_hex(8)}", json=content)["event_id"])

    def send(self, room: str, body: str, **content: Any) -> str:
        """Say something; the event's id."""
        return self.send_event(room, {"msgtype": "m.text", "body": body, **content})

    def reply(self, room: str, event_id: str, body: str) -> str:
        """Answer a message."""
        return self.send(room, body, **{"m.relates_to": {"m.in_reply_to": {"event_id": event_id}}})

    def edit(self, room: str, event_id: str, body: str) -> str:
        """Make a message say something else."""
        new = {"msgtype": "m.text", "body": body}
        return self.send(room, f"* {body}", **{"m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": event_id}})

    def react(self, room: str, event_id: str, emoji: str) -> str:
        """React to a message."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": emoji}
        return self.send_event(room, {"m.relates_to": relation}, kind="m.reaction")

    def redact(self, room: str, event_id: str) -> str:
        """Take a message back."""
        return str(self.call("PUT", f"{_room(room)}/redact/{quote(event_id, safe='')}/{secrets.token_hex(8)}", json={})["event_id"])

    def read(self, room: str, event_id: str) -> None:
        """Show that everything up to an event was read."""
        self.call("POST", f"{_room(room)}/receipt/m.read/{quote(event_id, safe='')}", json={})

    def upload(self, content: bytes, *, filename: str, content_type: str) -> str:
        """Put a file on the homeserver; its `mxc://` address."""
        path = f"/_matrix/media/v3/upload?filename={quote(filename, safe='')}"
        return str(self.call("POST", path, data=content, headers={"Content-Type": content_type})["content_uri"])

    def send_file(self, room: str, content: bytes, *, filename: str, content_type: str) -> str:
        """Upload and send a file; the event's id."""
        msgtype = "m.image" if content_type.startswith("image/") else "m.file"
        info = {"mimetype": content_type, "size": len(content)}
        address = self.upload(content, filename=filename, content_type=content_type)
        return self.send(room, filename, msgtype=msgtype, url=address, info=info, filename=filename)

    def download(self, address: str) -> bytes:
        """The bytes behind an `mxc://` address."""
        path = "/_matrix/client/v1/media/download/" + address.removeprefix("mxc://")
        answer = self._session.get(self._url + path, timeout=60)
        answer.raise_for_status()
        return answer.content

    def events(self, room: str, *, limit: int = 100) -> list[Json]:
        """The last events of a room, oldest first."""
        chunk = self.call("GET", f"{_room(room)}/messages", params={"dir": "b", "limit": limit})["chunk"]
        return list(reversed(chunk))

    def messages(self, room: str) -> list[Json]:
        """The last messages of a room, oldest first."""
        return [event for event in self.events(room) if event["type"] == "m.room.message"]

    def wait_for(self, room: str, wanted: Callable[[Json], bool], *, seconds: float = 30.0) -> Json:
        """The first message that `wanted` accepts, as soon as it stands in the room."""
        until = time.monotonic() + seconds
        while True:
            for event in self.messages(room):
                if wanted(event):
                    return event
            if time.monotonic() > until:
                raise AssertionError(f"the message did not come within {seconds:.0f} s; the room has {self.messages(room)!r}")
            time.sleep(0.2)


def _room(room: str) -> str:
    return f"/_matrix/client/v3/rooms/{quote(room, safe='')}"
