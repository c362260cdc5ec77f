"""Reddit's comments, posts and private messages as messages. Pure.

Source: Reddit's API documentation, "fullnames", listings of /message, /user, /r and /search; its archived wiki, "JSON" (`link_author`); recorded answers in
PRAW's tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plugin.contracts.reading import read_object, read_string
from plugin.domain.errors import MalformedPayload
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived
from plugin.domain.ids import ContactRef, MessageRef, ThreadKey
from plugin.domain.model import Contact, Visibility
from plugin.domain.text import Text
from plugin.platforms._oauth.values import read_id, read_seconds

COMMENT, POST, MESSAGE = "t1", "t3", "t4"
REMOVED = frozenset({"[deleted]", "[removed]"})
_PUBLIC, _PRIVATE = "public/", "private/"
_IN_PATH = re.compile(r"/comments/([a-z0-9]{1,16})(?:/|\Z)")
_FULLNAME = re.compile(r"t[134]_[a-z0-9]{1,16}\Z")
_LOCKED = "This post is locked or archived on Reddit: nobody can answer below it."


def fullname(value: Any) -> str:
    """`value` if it is the full name of a comment, a post or a message; else empty."""
    text = read_string(value)
    return text if _FULLNAME.match(text) else ""


def name_of(raw: Mapping[str, Any]) -> str:
    """The full name of a thing.

    Raises:
        MalformedPayload: it has none.
    """
    found = fullname(raw.get("name"))
    if not found:
        raise MalformedPayload("What Reddit told has no full name; it was kept as it came.")
    return found


def post_of(raw: Mapping[str, Any]) -> str:
    """The full name of the post below which a comment stands; the inbox tells it only in the comment's address."""
    if found := fullname(raw.get("link_id")):
        return found
    in_path = _IN_PATH.search(read_string(raw.get("context")) or read_string(raw.get("permalink")))
    return f"{POST}_{in_path[1]}" if in_path is not None else ""


def asker_of(kind: str, raw: Mapping[str, Any], *, account: str) -> str:
    """Below whose post a comment stands that is not said to us: whoever speaks there is a bystander. Empty where the author speaks for themselves."""
    asker, author = read_id(raw.get("link_author")), read_id(raw.get("author"))
    is_to_us = f"u/{account}".lower() in read_string(raw.get("body")).lower()
    if kind != COMMENT or is_to_us or asker in REMOVED or asker.lower() in (account.lower(), author.lower()):
        return ""
    return asker


def public_key(post: str, customer: str) -> ThreadKey:
    """One customer below one post."""
    return ThreadKey(f"{_PUBLIC}{post}/{customer}")


def private_key(first: str) -> ThreadKey:
    """A private conversation, by its first message."""
    return ThreadKey(_PRIVATE + first)


def target_of(key: ThreadKey) -> str:
    """What an answer stands below where no message is named: the post, or the first private message."""
    return fullname(key.removeprefix(_PRIVATE)) or fullname(key.removeprefix(_PUBLIC).partition("/")[0])


def spoken(
    kind: str,
    raw: Mapping[str, Any],
    *,
    account: str,
    site: str,
    customer: str = "",
    found_by: str = "",
    people: Mapping[str, Any] | None = None,
) -> MessageReceived:
    """A comment, post or private message. `customer`: in whose conversation it is said, if not in its author's own. `people`: see `person`.

    Raises:
        MalformedPayload: it cannot be read.
    """
    name, author, body = name_of(raw), read_id(raw.get("author")), _words(kind, raw)
    if kind not in (COMMENT, POST, MESSAGE) or not author or not body or author in REMOVED:
        raise MalformedPayload("What Reddit told has no author or no text (any more); it was kept as it came.")
    is_own = author.lower() == account.lower()
    is_private = kind == MESSAGE
    post = name if kind == POST else post_of(raw)
    if not is_private and not post:
        raise MalformedPayload("A comment on Reddit does not say below which post it stands; it was kept as it came.")
    first = fullname(raw.get("first_message_name")) or name
    path = read_string(raw.get("permalink")) or read_string(raw.get("context")).partition("?")[0]
    is_shut = raw.get("locked") is True or raw.get("archived") is True
    parent = fullname(raw.get("parent_id"))
    return MessageReceived(
        event_key=f"thing:{name}",
        occurred_at=read_seconds(raw.get("created_utc")),
        message_ref=MessageRef(name),
        thread_key=private_key(first) if is_private else public_key(post, (customer or author).lower()),
        visibility=Visibility.PRIVATE if is_private else Visibility.PUBLIC,
        author=person(author, site, raw.get("author_fullname"), people),
        text=Text(body),
        parent_ref=MessageRef(parent) if parent else None,
        url=site + path if path.startswith("/") else f"{site}/message/messages/{name[3:]}" if is_private else "",
        is_own=is_own,
        found_by=found_by,
        no_reply=_LOCKED if is_shut and not is_own else "",
    )


def change_in(kind: str, raw: Mapping[str, Any], *, account: str) -> MessageEdited | MessageDeleted | None:
    """What a second look at a comment or post shows.

    Raises:
        MalformedPayload: it cannot be read.
    """
    name, author, body = name_of(raw), read_string(raw.get("author")), _words(kind, raw)
    is_own = author.lower() == account.lower()
    # What moderators remove keeps its author for them; what its author deletes has neither.
    if body in REMOVED or author in REMOVED:
        return MessageDeleted(event_key=f"thing:{name}:deleted", occurred_at=None, message_ref=MessageRef(name))
    at = read_seconds(raw.get("edited"))
    if at is None or not body:
        return None
    revision = f"{at.timestamp():017.3f}"
    return MessageEdited(
        event_key=f"thing:{name}:edited:{revision}",
        occurred_at=at,
        message_ref=MessageRef(name),
        revision=revision,
        text=Text(body),
        is_own=is_own,
    )


def made_by(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The comment that an answer to a write tells of; empty where it tells of none."""
    things = read_object(read_object(answer.get("json")).get("data")).get("things")
    first = things[0] if isinstance(things, list) and things else None
    return read_object(read_object(first).get("data"))


def _words(kind: str, raw: Mapping[str, Any]) -> str:
    parts = ("title", "selftext") if kind == POST else ("subject", "body") if kind == MESSAGE else ("body",)
    told = [read_string(raw.get(part)).strip() for part in parts]
    if kind == MESSAGE and (told[0].lower().startswith("re:") or fullname(raw.get("first_message_name"))):
        told = told[1:]
    if kind == POST and not told[1] and raw.get("is_self") is False:
        told.append(read_string(raw.get("url")))
    if kind == POST and told[1] in REMOVED:
        return told[1]
    return "\n\n".join(filter(None, told))


def person(name: str, site: str, account: object = None, people: Mapping[str, Any] | None = None) -> Contact:
    """Somebody by name. `people`: what Reddit tells of accounts, by their full names, of which `account` is one."""
    told = read_object((people or {}).get(read_string(account)))
    return Contact(
        ref=ContactRef(name.lower()),
        display_name=name,
        handle=name,
        url=f"{site}/user/{name}",
        avatar_url=read_string(told.get("profile_img")),
        created_at=read_seconds(told.get("created_utc")),
        reputation=_karma(told),
    )


def _karma(told: Mapping[str, Any]) -> int | None:
    """What people gave for posts and for comments together; it may be below nought."""
    found = [told.get(name) for name in ("link_karma", "comment_karma")]
    given = [one for one in found if isinstance(one, int) and not isinstance(one, bool) and abs(one) < 10**12]
    return sum(given) if given else None
