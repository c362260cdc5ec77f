"""The net below the feed's webhooks: visitors' posts and comments on the newest posts, read from the Page itself. Same events, same keys.

Source: Pages API, "Comments and @Mentions" and "Posts". A comment on a post older than the newest fifty is told by the webhook alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.ids import MessageRef
from plugin.domain.model import Visibility
from plugin.domain.text import Text
from plugin.platforms._graph.client import Graph, segment
from plugin.platforms._graph.conversations import Look
from plugin.platforms._graph.media import addresses, attachment
from plugin.platforms._graph.values import read_id, read_time
from plugin.platforms.facebook.feed import contact, thread_of

_COMMENTS = 50
_FIELDS = (
    "id,from,message,created_time,updated_time,permalink_url,"
    f"comments.filter(stream).order(reverse_chronological).limit({_COMMENTS})"
    "{id,from,message,created_time,permalink_url,parent{id},attachment}"
)
_PAGES = 2


def catch_up(look: Look, graph: Graph, page: str) -> list[PlatformEvent]:
    """What stands on the newest posts since the look's floor."""
    found: list[PlatformEvent] = []
    for posts in graph.pages(f"/{segment(page)}/feed", {"fields": _FIELDS, "limit": 25}, most=_PAGES):
        for post in posts:
            found += _post(look, post, page)
    return found


def _post(look: Look, post: Mapping[str, Any], page: str) -> list[PlatformEvent]:
    post_id = read_id(post.get("id"))
    updated = read_time(post.get("updated_time"))
    if not post_id:
        look.loses("post", post)
        return []
    if updated is not None and updated < look.floor:
        return []
    found: list[PlatformEvent] = []
    if read_id(read_object(post.get("from")).get("id")) not in ("", page) and look.sees(read_time(post.get("created_time"))):
        found.append(_message(post, post_id, "", "", page))
    comments = read_objects(read_object(post.get("comments")).get("data"))
    for one in comments:
        if not read_id(one.get("id")):
            look.loses("comment", one)
    known = [one for one in comments if read_id(one.get("id")) and look.sees(read_time(one.get("created_time")))]
    if len(known) == _COMMENTS:
        look.misses(f"comments on {post_id}")
    found += (_message(one, post_id, read_id(one.get("id")), read_id(read_object(one.get("parent")).get("id")), page) for one in known)
    return found


def _message(said: Mapping[str, Any], post: str, comment: str, parent: str, page: str) -> MessageReceived:
    thread_key, author = thread_of(post, comment, parent, page), read_object(said.get("from"))
    ref = MessageRef(comment or post)
    files = tuple(
        attachment(kind, ref, index, url, name=name, content_type=content_type)
        for index, (kind, url, name, content_type) in enumerate(addresses(said))
    )
    text = read_string(said.get("message"))
    return MessageReceived(
        event_key=f"message:{ref}",
        occurred_at=read_time(said.get("created_time")),
        message_ref=ref,
        thread_key=thread_key,
        visibility=Visibility.PUBLIC,
        author=contact(read_id(author.get("id")), read_string(author.get("name")), thread_key),
        text=Text(text),
        attachments=files,
        parent_ref=MessageRef(parent) if comment and parent and parent != post else None,
        url=read_string(said.get("permalink_url")) or f"https://www.facebook.com/{ref}",
        is_own=read_id(author.get("id")) == page,
        remarks=() if text or files else ("This was posted without words, in a form that is not told. Look on Facebook.",),
    )
