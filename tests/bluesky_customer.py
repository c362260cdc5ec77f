"""A person on the Bluesky network, as plain HTTP: what a customer does in an app. Knows nothing of the bridge."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests

T = TypeVar("T")
POST = "app.bsky.feed.post"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Post:
    """A post: its address and the hash of its content."""

    uri: str
    cid: str

    @property
    def strong(self) -> dict[str, str]:
        """As others refer to it."""
        return {"uri": self.uri, "cid": self.cid}

    @property
    def rkey(self) -> str:
        """Its record's key."""
        return self.uri.rpartition("/")[2]


class BlueskyCustomer:
    """One account on the PDS at `pds`, made now. `call` raises for every refusal."""

    def __init__(self, pds: str, name: str = "customer", *, chat: str = "") -> None:
        self.pds = pds
        self.chat = chat
        self.password = "hunter2-hunter2"
        self._token = ""
        handle = f"{name}-{os.getpid() % 10000}-{next(_numbers)}.test"
        made = self.call(
            "POST", "com.atproto.server.createAccount", json={"handle": handle, "email": f"{handle}@mail.test", "password": self.password}
        )
        self.did, self.handle, self._token = made["did"], made["handle"], made["accessJwt"]

    def call(self, verb: str, method: str, **how: Any) -> Any:
        """One XRPC call, signed in if there is a session."""
        headers = {**({"authorization": f"Bearer {self._token}"} if self._token else {}), **how.pop("headers", {})}
        answer = requests.request(verb, f"{self.pds}/xrpc/{method}", headers=headers, timeout=30, **how)
        if not answer.ok:
            raise RuntimeError(f"{method}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else {}

    def app_password(self, name: str = "crossdesk", *, opens_chats: bool = False) -> str:
        """A new app password, as an admin makes one for the bridge."""
        return str(self.call("POST", "com.atproto.server.createAppPassword", json={"name": name, "privileged": opens_chats})["password"])

    def post(
        self,
        text: str,
        *,
        mentions: Sequence[BlueskyCustomer] = (),
        reply_to: str | None = None,
        images: Sequence[bytes] = (),
        created_at: datetime | None = None,
        **fields: Any,
    ) -> Post:
        """Say something. Every `@handle` of `mentions` in the text becomes a mention; `reply_to` is a post's address."""
        record = self._record(text, mentions=mentions, created_at=created_at, **fields)
        if reply_to is not None:
            parent = self.strong(reply_to)
            above = self.record(reply_to).get("reply")
            record["reply"] = {"root": above["root"] if above else parent, "parent": parent}
        if images:
            record["embed"] = {
                "$type": "app.bsky.embed.images",
                "images": [{"image": self.upload(content), "alt": f"picture {number}"} for number, content in enumerate(images, 1)],
            }
        made = self.call("POST", "com.atproto.repo.createRecord", json={"repo": self.did, "collection": POST, "record": record})
        return Post(made["uri"], made["cid"])

    def edit(self, post: Post, text: str, *, mentions: Sequence[BlueskyCustomer] = ()) -> Post:
        """Replace a post by another wording, as some apps do."""
        kept = {name: item for name, item in self.record(post.uri).items() if name in {"reply", "embed", "createdAt"}}
        record = {**self._record(text, mentions=mentions), **kept}
        body = {"repo": self.did, "collection": POST, "rkey": post.rkey, "record": record}
        made = self.call("POST", "com.atproto.repo.putRecord", json=body)
        return Post(made["uri"], made["cid"])

    def delete(self, post: Post) -> None:
        """Take a post back."""
        self.call("POST", "com.atproto.repo.deleteRecord", json={"repo": self.did, "collection": POST, "rkey": post.rkey})

    def limit_replies(self, post: Post) -> None:
        """Let nobody answer below a post."""
        record = {"$type": "app.bsky.feed.threadgate", "post": post.uri, "allow": [], "createdAt": _now()}
        body = {"repo": self.did, "collection": "app.bsky.feed.threadgate", "rkey": post.rkey, "record": record}
        self.call("POST", "com.atproto.repo.createRecord", json=body)

    def block(self, other: BlueskyCustomer) -> None:
        """Block someone."""
        record = {"$type": "app.bsky.graph.block", "subject": other.did, "createdAt": _now()}
        self.call("POST", "com.atproto.repo.createRecord", json={"repo": self.did, "collection": "app.bsky.graph.block", "record": record})

    def let_write(self, whom: str) -> None:
        """Who may begin a chat with this person: `all`, `following` or `none`."""
        record = {"$type": "chat.bsky.actor.declaration", "allowIncoming": whom}
        body = {"repo": self.did, "collection": "chat.bsky.actor.declaration", "rkey": "self", "record": record}
        self.call("POST", "com.atproto.repo.putRecord", json=body)

    def chat_with(self, other: BlueskyCustomer) -> str:
        """The chat with somebody, begun now if there is none."""
        return str(self.in_chats("GET", "getConvoForMembers", params={"members": [other.did]})["convo"]["id"])

    def say(self, chat: str, text: str) -> str:
        """Say something in a chat; returns the message's name."""
        return str(self.in_chats("POST", "sendMessage", json={"convoId": chat, "message": {"text": text}})["id"])

    def hear(self, chat: str) -> Any:
        """What was said in a chat, oldest first."""
        return self.in_chats("GET", "getMessages", params={"convoId": chat})["messages"][::-1]

    def in_chats(self, verb: str, method: str, **how: Any) -> Any:
        """One call to the chat service."""
        return self.call(verb, f"chat.bsky.convo.{method}", headers={"atproto-proxy": self.chat}, **how)

    def unblock(self, other: BlueskyCustomer) -> None:
        """Lift the block of someone."""
        listed = self.call("GET", "com.atproto.repo.listRecords", params={"repo": self.did, "collection": "app.bsky.graph.block"})[
            "records"
        ]
        for record in listed:
            if record["value"]["subject"] == other.did:
                body = {"repo": self.did, "collection": "app.bsky.graph.block", "rkey": record["uri"].rpartition("/")[2]}
                self.call("POST", "com.atproto.repo.deleteRecord", json=body)

    def upload(self, content: bytes, content_type: str = "image/png") -> Any:
        """Hand over a file."""
        return self.call("POST", "com.atproto.repo.uploadBlob", data=content, headers={"content-type": content_type})["blob"]

    def record(self, uri: str) -> Any:
        """What a post's record says, anyone's."""
        return self._found(uri)["value"]

    def strong(self, uri: str) -> dict[str, str]:
        """A post's address and hash."""
        found = self._found(uri)
        return {"uri": found["uri"], "cid": found["cid"]}

    def blob(self, did: str, cid: str) -> bytes:
        """A file's bytes."""
        url = f"{self.pds}/xrpc/com.atproto.sync.getBlob"
        answer = requests.get(url, params={"did": did, "cid": cid}, timeout=30)
        answer.raise_for_status()
        return answer.content

    def replies(self, post: Post) -> list[dict[str, Any]]:
        """The answers directly below a post, as this person's app shows them: post views, oldest first."""
        return [
            reply["post"] for reply in sorted(self._thread(post).get("replies", []), key=lambda reply: reply["post"]["record"]["createdAt"])
        ]

    def all_below(self, post: Post) -> list[dict[str, Any]]:
        """Everything below a post, from the top down: post views."""

        def below(node: dict[str, Any]) -> list[dict[str, Any]]:
            return [view for reply in node.get("replies", []) for view in (reply["post"], *below(reply))]

        return below(self._thread(post))

    def views(self, *uris: str) -> Any:
        """Posts as this person's app shows them; what is deleted, hidden or not known yet is missing."""
        return self.call("GET", "app.bsky.feed.getPosts", params={"uris": list(uris)})["posts"]

    def notified(self) -> Any:
        """This person's notifications, newest first."""
        return self.call("GET", "app.bsky.notification.listNotifications", params={"limit": 50})["notifications"]

    def is_known(self) -> bool:
        """Whether the network shows this account yet; it takes about a second after its making."""
        try:
            self.call("GET", "app.bsky.actor.getProfile", params={"actor": self.did})
        except RuntimeError:
            return False
        return True

    def _thread(self, post: Post) -> Any:
        return self.call("GET", "app.bsky.feed.getPostThread", params={"uri": post.uri, "depth": 20})["thread"]

    def _found(self, uri: str) -> Any:
        repo, collection, rkey = uri.removeprefix("at://").split("/")
        return self.call("GET", "com.atproto.repo.getRecord", params={"repo": repo, "collection": collection, "rkey": rkey})

    def _record(
        self, text: str, *, mentions: Sequence[BlueskyCustomer] = (), created_at: datetime | None = None, **fields: Any
    ) -> dict[str, Any]:
        octets = text.encode()
        facets = []
        for other in mentions:
            start = octets.index(f"@{other.handle}".encode())
            index = {"byteStart": start, "byteEnd": start + len(other.handle) + 1}
            facets.append({"index": index, "features": [{"$type": "app.bsky.richtext.facet#mention", "did": other.did}]})
        facets += fields.pop("facets", [])
        return {"$type": POST, "text": text, "createdAt": _now(created_at), **({"facets": facets} if facets else {}), **fields}


def _now(moment: datetime | None = None) -> str:
    return (moment or datetime.now(UTC)).isoformat().replace("+00:00", "Z")
