"""Webhooks and subscriptions: the challenge before an address is taken, signed deliveries, and the silence after a failed check.

Sources: X documentation, "Webhooks", "Webhooks quickstart", "X Activity API", "Account Activity API".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import queue
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from plugin.testing.standins.x.refusals import invalid, missing
from plugin.testing.standins.x.shapes import Json, Shapes, iso
from plugin.testing.standins.x.world import Message, Post, World

PRIVATE = frozenset({
    "post.mention.create", "post.reply.create", "post.quote.create", "post.repost.create", "dm.received", "dm.sent", "dm.read",
    "chat.received", "chat.sent", "like.create",
})  # fmt: skip
KINDS = PRIVATE | {"post.create", "post.delete", "profile.update.bio"}
_MOST_WEBHOOKS = 1


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST to a webhook and what came of it; status 0 means no answer."""

    body: bytes
    signature: str
    status: int


@dataclass(slots=True, kw_only=True)
class Webhook:
    """A registered address."""

    id: str
    url: str
    created_at: float
    is_valid: bool = True


@dataclass(slots=True, kw_only=True)
class Told:
    """Something that a webhook was to be told."""

    at: float
    webhook: str
    body: Json


@dataclass(slots=True)
class Hooks:
    """One app's webhooks. `duplicates` repeats each delivery; X documents no repeat of a failed one, so there is none."""

    world: World
    shapes: Shapes
    secret: str
    may_be_loopback: bool = True
    duplicates: int = 0
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    subscriptions: dict[str, Json] = field(default_factory=dict)
    followed: set[tuple[str, str]] = field(default_factory=set)
    """Webhook and account of the Account Activity API."""
    deliveries: list[Delivery] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    """Everything, whether it could be delivered or not."""
    _waiting: queue.Queue[tuple[Webhook, Json] | None] = field(default_factory=queue.Queue)
    _pump: threading.Thread | None = None

    def start(self) -> None:
        """Deliver from now on."""
        self._pump = threading.Thread(target=self._run, name="x-hooks", daemon=True)
        self._pump.start()

    def stop(self) -> None:
        """Deliver what waits, and end."""
        self._waiting.put(None)
        if self._pump is not None:
            self._pump.join()

    def settle(self) -> None:
        """Return when everything that happened until now has been delivered."""
        self._waiting.join()

    def create(self, url: str) -> Json:
        """A webhook, if the address passes the challenge.

        Raises:
            Refused: as X would.
        """
        parts = urlsplit(url)
        is_near = self.may_be_loopback and parts.hostname in ("127.0.0.1", "localhost")
        if not parts.hostname or (not is_near and (parts.scheme != "https" or parts.port is not None)) or len(url) > 200:
            raise invalid("The url is not a valid webhook url.", "UrlValidationFailed")
        if any(webhook.url == url for webhook in self.webhooks.values()):
            raise invalid("A webhook with this url exists already.", "DuplicateUrlFailed")
        if len(self.webhooks) >= _MOST_WEBHOOKS:
            raise invalid("The number of webhooks is limited.", "WebhookLimitExceeded")
        webhook = Webhook(id=self.world.mint(), url=url, created_at=self.world.now())
        if not self._passes(webhook):
            raise invalid("The CRC validation of the url failed.", "CrcValidationFailed")
        self.webhooks[webhook.id] = webhook
        return self.shown(webhook)

    def validate(self, one: str) -> Json:
        """Challenge a webhook again."""
        webhook = self._known(one)
        webhook.is_valid = self._passes(webhook)
        return {"valid": webhook.is_valid}

    def replay(self, given: Mapping[str, Any]) -> Json:
        """Deliver again what was told between two minutes: of the last day, and not of the last ten minutes."""
        webhook, now = self._known(given["webhook_id"]), self.world.now()
        if not webhook.is_valid:
            raise invalid("The webhook is not valid.")
        begin, end = (_minute(given[name]) for name in ("from_date", "to_date"))
        if not now - 86_400 <= begin < end <= now - 600:
            raise invalid("from_date and to_date must be within the last 24 hours and at least 10 minutes old, in this order.")
        job = {"webhook_id": webhook.id, "job_id": self.world.mint()}
        for one in [one for one in self.told if one.webhook == webhook.id and begin <= one.at <= end]:
            self._waiting.put((webhook, one.body))
        self._waiting.put(
            (webhook, {"replay_job_status": {**job, "job_state": "Complete", "job_state_description": "Job completed successfully"}})
        )
        return {**job, "created_at": iso(now)}

    def invalidate(self) -> None:
        """X finds the address wanting: nothing is delivered any more, and nobody is told."""
        for webhook in self.webhooks.values():
            webhook.is_valid = False

    def shown(self, webhook: Webhook) -> Json:
        """A webhook as the API shows it."""
        return {"id": webhook.id, "url": webhook.url, "valid": webhook.is_valid, "created_at": iso(webhook.created_at)}

    def subscribe(self, given: Mapping[str, Any]) -> Json:
        """A subscription of the X Activity API."""
        if given["event_type"] not in KINDS:
            raise invalid(f"event_type: {given['event_type']} is not one of the known ones.")
        self._known(given["webhook_id"])
        same = ("event_type", "filter", "webhook_id")
        if any(all(there[name] == given[name] for name in same) for there in self.subscriptions.values()):
            raise invalid("The subscription exists already.", "DuplicateSubscriptionFailed")
        one = self.world.mint()
        self.subscriptions[one] = {"subscription_id": one, **given}
        return self.subscriptions[one]

    def follow(self, webhook: str, account: str) -> None:
        """A subscription of the Account Activity API."""
        self._known(webhook)
        if (webhook, account) in self.followed:
            raise invalid("Subscription already exists.", "DuplicateSubscriptionFailed")
        self.followed.add((webhook, account))

    def publish(self, kind: str, thing: Any) -> None:
        """Tell the subscribers what happened in the world."""
        for account in {one["filter"].get("user_id") for one in self.subscriptions.values()} - {None}:
            for name, payload, includes in _activity(self.world, self.shapes, kind, thing, account):
                for one in self.subscriptions.values():
                    if one["event_type"] == name and one["filter"].get("user_id") == account:
                        self._send(one["webhook_id"], self._enveloped(one, payload, includes))
        for webhook, account in self.followed:
            for body in _old_activity(self.world, self.shapes, kind, thing, account):
                self._send(webhook, {"for_user_id": account, **body})

    def sign(self, body: bytes) -> str:
        """The signature of a body, and the answer to a token."""
        return "sha256=" + base64.b64encode(hmac.new(self.secret.encode(), body, hashlib.sha256).digest()).decode()

    def deliver(self, body: bytes, signature: str, url: str) -> int:
        """POST something to an address; its status, 0 for none."""
        status, _ = _asked("POST", url, body, {"content-type": "application/json", "x-twitter-webhooks-signature": signature})
        self.deliveries.append(Delivery(body, signature, status))
        return status

    def _known(self, one: str) -> Webhook:
        if one not in self.webhooks:
            raise missing("webhook", one)
        return self.webhooks[one]

    def _passes(self, webhook: Webhook) -> bool:
        token = secrets.token_urlsafe(30)
        status, answer = _asked("GET", f"{webhook.url}?{urlencode({'crc_token': token, 'nonce': secrets.token_hex(8)})}", None, {})
        try:
            told = json.loads(answer)["response_token"]
        except (ValueError, TypeError, KeyError):
            return False
        return status == 200 and hmac.compare_digest(str(told), self.sign(token.encode()))

    def _enveloped(self, subscription: Json, payload: Json, includes: Json | None) -> Json:
        number = int.from_bytes(secrets.token_bytes(8), signed=True)  # X's may be below zero
        told: Json = {
            "event_uuid": str(number),
            "filter": subscription["filter"],
            "event_type": subscription["event_type"],
            "payload": payload,
        }
        if "tag" in subscription:
            told["tag"] = subscription["tag"]
        if includes is not None:
            told["includes"] = includes
        spelt: Json = self.shapes.spelt({"data": told})
        return spelt

    def _send(self, webhook: str, body: Json) -> None:
        self.told.append(Told(at=self.world.now(), webhook=webhook, body=body))
        found = self.webhooks.get(webhook)
        if found is not None and found.is_valid:
            for _ in range(1 + self.duplicates):
                self._waiting.put((found, body))

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            webhook, told = item
            body = json.dumps(told, ensure_ascii=False).encode()
            self.deliver(body, self.sign(body), webhook.url)
            self._waiting.task_done()
        self._waiting.task_done()


def _minute(text: str) -> float:
    if len(text) != 12 or not text.isdigit():
        raise invalid("from_date and to_date are written yyyymmddhhmm.")
    return datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=UTC).timestamp()


def _activity(world: World, shapes: Shapes, kind: str, thing: Any, account: str) -> list[tuple[str, Json, Json | None]]:
    """What the X Activity API makes of a fact for one account: kind, payload, includes."""
    if kind == "post":
        return [(name, shapes.post(thing), shapes.includes([thing])) for name in _names(world, thing, account)]
    if kind == "deletion":
        return [("post.delete", {"id": thing.id, "author_id": thing.author}, None)] if thing.author == account else []
    if kind == "message" and account in (thing.sender, thing.recipient):
        people = {one: {"data": shapes.user(world.people[one])} for one in (thing.sender, thing.recipient)}
        name = "dm.sent" if thing.sender == account else "dm.received"
        return [(name, {"direct_message_events": [shapes.old_message(thing)], "users": people}, None)]
    if kind == "reading" and thing[1].sender == account:
        return [("dm.read", {"direct_message_mark_read_events": [_reading(world, *thing)]}, None)]
    if kind == "chat" and account in thing[:2]:
        sender, recipient, one, at = thing
        told = {
            "id": f"chat-{one}",
            "created_at_msec": str(int(at * 1000)),
            "sender_id": sender,
            "conversation_id": f"{sender}:{recipient}",
        }
        return [("chat.sent" if sender == account else "chat.received", {**told, "encoded_event": "CwABAAAAEzIwODA0MDA4"}, None)]
    return []


def _names(world: World, post: Post, account: str) -> list[str]:
    """The kinds of event that a post is for an account."""
    if world.people[post.author].is_protected:
        return []
    if post.author == account:
        return ["post.create"]
    parent, quoted, reposted = (world.posts.get(one) for one in (post.parent, post.quoted, post.reposted))
    found = ["post.mention.create"] if account in world.named(post.text) else []
    for name, other in (("reply", parent), ("quote", quoted), ("repost", reposted)):
        found += [f"post.{name}.create"] if other is not None and other.author == account else []
    return found


def _old_activity(world: World, shapes: Shapes, kind: str, thing: Any, account: str) -> list[Json]:
    """What the Account Activity API makes of a fact for one account."""
    if kind == "post":
        parent = world.posts.get(thing.parent)
        concerns = {thing.author, *world.named(thing.text), *thing.addressed, *((parent.author,) if parent is not None else ())}
        if account not in concerns:
            return []
        has_blocked = account in world.people[thing.author].has_blocked
        return [{"user_has_blocked": has_blocked, "tweet_create_events": [shapes.old_post(thing)]}]
    if kind == "deletion" and thing.author == account:
        return [{"tweet_delete_events": [{"status": {"id": thing.id, "user_id": account}, "timestamp_ms": str(int(world.now() * 1000))}]}]
    if kind == "message" and account in (thing.sender, thing.recipient):
        people = {one: {**shapes.old_user(world.people[one]), "id": one} for one in (thing.sender, thing.recipient)}
        return [{"direct_message_events": [shapes.old_message(thing)], "apps": {}, "users": people}]
    if kind == "reading" and thing[1].sender == account:
        return [{"direct_message_mark_read_events": [_reading(world, *thing)], "users": {}}]
    return []


def _reading(world: World, reader: str, message: Message) -> Json:
    return {
        "created_timestamp": str(int(world.now() * 1000)),
        "sender_id": reader,
        "target": {"recipient_id": message.sender},
        "last_read_event_id": message.id,
    }


def _asked(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
    parts = urlsplit(url)
    kind: Callable[..., http.client.HTTPConnection] = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=10.0)
    try:
        connection.request(method, f"{parts.path or '/'}?{parts.query}", body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
