"""LinkedIn's notices of what people did with the organisation's posts, as its webhook sends them and as they can be asked for. Pure.

A notice names the comment and its words, but neither the comment that it answers nor its pictures. So one person below one post is one
conversation, pictures are a message of their own, and what our own people said is told by the poll, which knows to whom.
Sources: LinkedIn Marketing API, "Organization Social Action Notifications"; LinkedIn API guide, "Webhooks".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from plugin.contracts.batches import Member, read_members, unreadable
from plugin.contracts.http import WebhookAnswer, WebhookRequest
from plugin.contracts.reading import read_object, read_string
from plugin.contracts.signing import is_one_of, sign
from plugin.domain.errors import MalformedPayload, SignatureInvalid, UnsupportedEvent
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.ids import MessageRef
from plugin.domain.model import Visibility
from plugin.domain.text import Text
from plugin.platforms.linkedin.comments import contact, deleted, edited, read_millis
from plugin.platforms.linkedin.urns import CommentUrn, actor_urn, comment_urn, post_url, post_urn, thread_key

KIND = "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"
ASKED = ("SHARE_MENTION", "COMMENT_EDIT", "COMMENT_DELETE")
"""What the poll asks notices for; comments themselves it reads where they stand."""
WORDLESS = "undecorated"
"""What is left for whoever can look the words up."""
_HEADER = "x-li-signature"
_PREFIX = b"hmacsha256="
_CODE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_COUNTED = {
    "LIKE": "Somebody reacted to a post of the company, which is no message of a customer.",
    "SHARE": "Somebody shared a post of the company without addressing it.",
}


def verify(request: WebhookRequest, *secrets: str) -> None:
    """Compare LinkedIn's signature over the raw body. It signs no time: what comes twice is known by its ids.

    Raises:
        SignatureInvalid: it is not signed with the client secret.
    """
    given = request.headers.get(_HEADER, "").removeprefix("hmacsha256=")
    if request.method != "POST" or not is_one_of(given, *(sign(one, _PREFIX, request.body) for one in secrets if one)):
        raise SignatureInvalid(
            "The request does not bear LinkedIn's signature with this app's client secret; it was not stored. If the secret was renewed, put "
            "the new one into `client_secret` and the old one into `previous_client_secret`."
        )


def answer(request: WebhookRequest, secret: str) -> WebhookAnswer | None:
    """The answer to LinkedIn's challenge, which comes at registration and every two hours; None when the request is none.

    Raises:
        SignatureInvalid: the code is none that LinkedIn would send. The same secret signs deliveries: who could have any text answered
            could have a forgery signed.
    """
    code = request.query.get("challengeCode")
    if request.method != "GET" or code is None:
        return None
    if not _CODE.match(code):
        raise SignatureInvalid("The challenge is none that LinkedIn would send; it was not answered.")
    told = json.dumps({"challengeCode": code, "challengeResponse": sign(secret, code.encode())})
    return WebhookAnswer(status=200, body=told.encode(), content_type="application/json")


def read_delivery(body: Any, organization: str) -> Sequence[PlatformEvent]:
    """The events of a delivery for `organization`, each once, however many of its administrators subscribed.

    Raises:
        UnsupportedEvent: nothing in it is a kind that we carry here.
        MalformedPayload: it cannot be read.
    """
    if not isinstance(body, dict) or not isinstance(body.get("notifications"), list) or not isinstance(body.get("type"), str):
        raise MalformedPayload("This is no delivery of LinkedIn's; it was kept as it came.")
    if body["type"] != KIND:
        kind = body["type"][:60]
        raise UnsupportedEvent(f"LinkedIn told of {kind}, which Crossdesk did not ask for; it was counted.", detail=kind)
    if not body["notifications"]:
        raise MalformedPayload("A delivery of LinkedIn's holds no notice; it was kept as it came.")
    return read_members(_member(raw, organization) for raw in body["notifications"])


def _member(raw: Any, organization: str) -> Member:
    if not isinstance(raw, dict):
        return unreadable(raw, "A notice of LinkedIn's is no object; it was kept as it came.")
    urn, author = named(raw), actor_urn(read_object(read_object(raw.get("decoratedGeneratedActivity")).get("comment")).get("owner"))
    hint = thread_key(urn.post, author) if urn is not None and author and author != organization else None
    return Member(raw=raw, read=lambda: (read_notice(raw, organization),), thread_key=hint)


def read_notice(raw: Mapping[str, Any], organization: str) -> PlatformEvent:
    """One notice.

    Raises:
        UnsupportedEvent: it is not carried, or not by this way.
        MalformedPayload: it cannot be read.
    """
    action, owner = read_string(raw.get("action")), read_string(raw.get("organizationalEntity"))
    if owner != organization:
        if not actor_urn(owner):
            raise MalformedPayload("A notice of LinkedIn's does not say for whom it is; it was kept as it came.")
        raise UnsupportedEvent(f"This notice is for {owner}, and the channel is for {organization}; it was counted.", detail="other page")
    if action == "SHARE_MENTION":
        return _mention(raw)
    if action in _COUNTED:
        raise UnsupportedEvent(_COUNTED[action], detail=action.lower())
    if action not in ("COMMENT", "ADMIN_COMMENT", "COMMENT_EDIT", "COMMENT_DELETE"):
        raise UnsupportedEvent(f"LinkedIn told of {action[:60] or 'nothing'}, which is not carried; it was counted.", detail=action[:60])
    return _comment(raw, action, organization)


def named(raw: Mapping[str, Any]) -> CommentUrn | None:
    """The comment that a notice is about. Its URN stands in two places and two forms."""
    shown = read_object(read_object(raw.get("decoratedGeneratedActivity")).get("comment"))
    return comment_urn(shown.get("entity")) or comment_urn(raw.get("generatedActivity"))


def notice_key(raw: Mapping[str, Any]) -> str:
    """What names a notice that brought no event, for the ledger: LinkedIn's number of it, negative ones included."""
    number = raw.get("notificationId")
    if isinstance(number, int) and not isinstance(number, bool):
        return str(number)
    return hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _comment(raw: Mapping[str, Any], action: str, organization: str) -> PlatformEvent:
    shown, urn = read_object(read_object(raw.get("decoratedGeneratedActivity")).get("comment")), named(raw)
    if urn is None:
        raise MalformedPayload("A notice of LinkedIn's does not say which comment it is about; it was kept as it came.")
    at, author, words = read_millis(raw.get("lastModifiedAt")), actor_urn(shown.get("owner")), _words(shown)
    if action == "COMMENT_DELETE":
        return deleted(urn, at)
    if action == "ADMIN_COMMENT" or author == organization:
        raise UnsupportedEvent("The company itself commented; the poll tells of it, which knows whom it answers.", detail="own comment")
    if not words or (action == "COMMENT" and not author):
        raise UnsupportedEvent("LinkedIn told of a comment without its words; the poll brings it.", detail=WORDLESS)
    if action == "COMMENT_EDIT":
        if at is None:
            raise MalformedPayload("A notice of an edit on LinkedIn says no time; it was kept as it came.")
        return edited(urn, Text(words), at, is_own=False)
    return _said(urn, author, words, raw, shown)


def _said(urn: CommentUrn, author: str, words: str, raw: Mapping[str, Any], shown: Mapping[str, Any]) -> MessageReceived:
    parent = comment_urn(shown.get("parentComment")) or comment_urn(shown.get("object"))
    return MessageReceived(
        event_key=f"comment:{urn.id}",
        occurred_at=read_millis(raw.get("lastModifiedAt")),
        message_ref=urn.ref,
        thread_key=thread_key(urn.post, author),
        visibility=Visibility.PUBLIC,
        author=contact(author, urn),
        text=Text(words),
        parent_ref=parent.ref if parent is not None and parent != urn else None,
        url=urn.url,
    )


def _mention(raw: Mapping[str, Any]) -> MessageReceived:
    """A post that mentions the organisation. LinkedIn tells of mentions in posts, and of none in comments."""
    shown = read_object(read_object(raw.get("decoratedGeneratedActivity")).get("share"))
    activity = post_urn(raw.get("generatedActivity")) or post_urn(shown.get("entity"))
    post = post_urn(shown.get("entity")) or activity
    if not post:
        raise MalformedPayload("A notice of LinkedIn's does not say in which post the company was mentioned; it was kept as it came.")
    author, words = actor_urn(shown.get("owner")), _words(shown)
    person = contact(author, post)
    return MessageReceived(
        event_key=f"mention:{activity}",
        occurred_at=read_millis(raw.get("lastModifiedAt")),
        message_ref=MessageRef(post),
        thread_key=thread_key(post, person.ref),
        visibility=Visibility.PUBLIC,
        author=person,
        text=Text(words),
        url=post_url(post),
        remarks=() if words else ("LinkedIn told only that the company was mentioned here; open the post to read it.",),
    )


def _words(shown: Mapping[str, Any]) -> str:
    """The words, which stand as text, or in an object of their own."""
    text = shown.get("text")
    return (
        read_string(text) or read_string(read_object(text).get("text")) or read_string(read_object(shown.get("message")).get("text"))
    ).replace("\x00", "\ufffd")
