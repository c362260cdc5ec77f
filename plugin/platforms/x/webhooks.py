"""Webhooks: the challenge, the signature, and the two forms of what is delivered. Pure.

One secret both answers X's challenge and signs what X delivers. Whoever could have any text answered as a challenge could have forgeries
signed; so only what looks like X's own token is answered, and no JSON does.
Sources: X documentation, "Webhooks quickstart" (CRC, signature), "X Activity API event payloads"; "Account Activity API".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from plugin.contracts.batches import Member, read_members, unreadable
from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.signing import is_one_of
from plugin.domain.errors import MalformedPayload, SignatureInvalid, UnsupportedEvent
from plugin.domain.events import PlatformEvent
from plugin.platforms.x.people import people_of
from plugin.platforms.x.posts import read_old_post, read_post
from plugin.platforms.x.private import encrypted, read_by, received_old
from plugin.platforms.x.public import deleted, spoken
from plugin.platforms.x.schema import Settings
from plugin.platforms.x.values import need_id, pick, read_object, read_objects, read_string

SIGNATURE_HEADER = "x-twitter-webhooks-signature"
_TOKEN = re.compile(r"[A-Za-z0-9_.~+/=-]{1,256}\Z")
_SUMMONING = frozenset({"post.mention.create", "post.quote.create"})
_POSTS = _SUMMONING | {"post.create", "post.reply.create"}
_MESSAGES = frozenset({"dm.received", "dm.sent"})
_LISTED = {**dict.fromkeys(_MESSAGES, "direct_message_events"), "dm.read": "direct_message_mark_read_events"}
_CHATS = frozenset({"chat.received", "chat.sent"})
_REVOKED = "The account took back what it allowed this app; the next call will say so, and the channel stops then."


def signature(secret: str, body: bytes) -> str:
    """What X writes beside a body, and what it wants as the answer to a token."""
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def answer(request: WebhookRequest, settings: Settings) -> WebhookAnswer | None:
    """The answer to X's challenge; None when the request is none.

    Raises:
        SignatureInvalid: the token is none that X would send.
    """
    token = request.query.get("crc_token")
    if request.method != "GET" or token is None:
        return None
    if not settings.consumer_secret or not _TOKEN.match(token):
        raise SignatureInvalid("The challenge is none that X would send; it was not answered.")
    told = json.dumps({"response_token": signature(settings.consumer_secret, token.encode())})
    return WebhookAnswer(status=200, body=told.encode(), content_type="application/json")


def verify(request: WebhookRequest, settings: Settings) -> None:
    """Compare X's signature over the raw body. X signs no time: what is delivered twice is known by its ids."""
    secrets = [one for one in (settings.consumer_secret, settings.previous_consumer_secret) if one]
    given = request.headers.get(SIGNATURE_HEADER, "")
    if request.method != "POST" or not is_one_of(given, *(signature(one, request.body) for one in secrets)):
        raise SignatureInvalid("The request is not signed with this app's API Key Secret; it was not stored.")


def events(body: Any, account: str) -> Sequence[PlatformEvent]:
    """The events that a delivery brings for `account`.

    Raises:
        UnsupportedEvent: nothing in it is a kind that we carry.
        MalformedPayload: it cannot be read.
    """
    return read_members(_members(body, account))


def _members(body: Any, account: str) -> Iterator[Member]:
    if not isinstance(body, dict):
        raise MalformedPayload("This X delivery is no object; it was kept as it came.")
    if isinstance(body.get("data"), dict):
        yield from _activity_members(body["data"], account)
        return
    if "data" in body and not any(name in body for name in _OLD):
        raise MalformedPayload("This X delivery holds no event; it was kept as it came.")
    if body.get("for_user_id") not in (None, account):
        raise UnsupportedEvent("A delivery for another account; it was counted and left out.", detail="another account's")
    known = False
    for name, read in _OLD.items():
        known = known or name in body
        listed = body.get(name)
        if listed is not None and not isinstance(listed, list):
            yield unreadable({name: listed}, f"This X delivery's {name} is no list; it was kept as it came.")
            continue
        for raw in listed or ():
            if isinstance(raw, dict):
                yield Member(raw=raw, read=partial(read, raw, body, account))
            else:
                yield unreadable(raw, f"A member of this X delivery's {name} is no object; it was kept as it came.")
    if not known:
        raise UnsupportedEvent("Nothing in this delivery is a kind that is carried; it was counted.", detail="nothing known")


def _activity_members(data: Mapping[str, Any], account: str) -> Iterator[Member]:
    """One event of the X Activity API; direct messages stand in a list of their own in it."""
    payload, name = read_object(data.get("payload")), _LISTED.get(read_string(data.get("event_type")), "")
    listed = payload.get(name)
    if not name or not isinstance(listed, list) or len(listed) < 2:
        yield Member(raw=data, read=partial(_activity, data, account))
        return
    for raw in listed:
        yield Member(raw=raw, read=partial(_activity, {**data, "payload": {**payload, name: [raw]}}, account))


def _activity(data: Mapping[str, Any], account: str) -> Sequence[PlatformEvent]:
    kind, payload = read_string(data.get("event_type")), data.get("payload")
    if not kind:
        raise MalformedPayload("This X event does not say what it is; it was kept as it came.")
    if kind == "oauth.revoke":
        raise UnsupportedEvent(_REVOKED, detail=kind)
    if read_object(data.get("filter")).get("user_id") not in (None, account):
        raise UnsupportedEvent("An event of another account; it was counted and left out.", detail="another account's")
    if not isinstance(payload, dict):
        raise MalformedPayload("This X event has no content; it was kept as it came.")
    if kind in _POSTS:
        return spoken(read_post(payload, read_object(data.get("includes"))), account, is_summoned=kind in _SUMMONING)
    if kind == "post.delete":
        return (deleted(need_id(payload, "id"), is_own=payload.get("author_id") == account),)
    if kind in _CHATS:
        return (encrypted(payload, account),)
    if kind in _MESSAGES:
        people = people_of(payload.get("users"))
        return [received_old(raw, people, account) for raw in _needed(payload, _LISTED[kind])]
    if kind == "dm.read":
        return [read_by(raw, account) for raw in _needed(payload, _LISTED[kind])]
    raise UnsupportedEvent(f"X events of the kind {kind[:60]} are not carried; it was counted.", detail=kind[:60])


def _needed(payload: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = read_objects(payload.get(name))
    if not found:
        raise MalformedPayload(f"This X event has no {name}; it was kept as it came.")
    return found


def _old_post(raw: Mapping[str, Any], body: Mapping[str, Any], account: str) -> Sequence[PlatformEvent]:
    return spoken(read_old_post(raw), account, is_blocked=body.get("user_has_blocked") is True)


def _old_deletion(raw: Mapping[str, Any], body: Mapping[str, Any], account: str) -> Sequence[PlatformEvent]:
    del body
    status = read_object(raw.get("status"))
    return (deleted(need_id(status, "id"), is_own=pick(status, "user_id") == account),)


def _old_message(raw: Mapping[str, Any], body: Mapping[str, Any], account: str) -> Sequence[PlatformEvent]:
    return (received_old(raw, people_of(body.get("users")), account),)


def _old_reading(raw: Mapping[str, Any], body: Mapping[str, Any], account: str) -> Sequence[PlatformEvent]:
    del body
    return (read_by(raw, account),)


_OLD: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], str], Sequence[PlatformEvent]]] = {
    "tweet_create_events": _old_post,
    "tweet_delete_events": _old_deletion,
    "direct_message_events": _old_message,
    "direct_message_mark_read_events": _old_reading,
}
