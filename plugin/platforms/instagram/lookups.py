"""What Instagram tells only those who ask: comments that no webhook told, and comments that were deleted. Same events, same keys.

Sources: Instagram Platform, "Comment Moderation" and "IG Media". A comment on media older than the newest fifty is told by the webhook alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugin.contracts.reading import read_object, read_objects
from plugin.domain.errors import TargetGone
from plugin.domain.events import MessageDeleted, PlatformEvent
from plugin.domain.ids import MessageRef
from plugin.platforms._graph.client import Graph, segment
from plugin.platforms._graph.conversations import Look
from plugin.platforms._graph.oauth import require_scopes
from plugin.platforms._graph.values import read_id, read_time
from plugin.platforms.instagram.comments import comment
from plugin.platforms.instagram.keys import is_comment

_COMMENTS = 50
_INNER = "id,text,timestamp,username,from"
_FIELDS = f"id,timestamp,comments.limit({_COMMENTS}){{{_INNER},replies{{{_INNER}}}}}"
_PAGES = 2


def catch_up(look: Look, graph: Graph, account: str) -> list[PlatformEvent]:
    """Comments on the newest media since the look's floor."""
    found: list[PlatformEvent] = []
    for listed in graph.pages(f"/{segment(account)}/media", {"fields": _FIELDS, "limit": 25}, most=_PAGES):
        for media in listed:
            media_id = read_id(media.get("id"))
            if not media_id:
                look.loses("post", media)
            comments = read_objects(read_object(media.get("comments")).get("data"))
            new = 0
            for one in comments if media_id else ():
                new += _take(look, found, one, media_id, "", account)
                for reply in read_objects(read_object(one.get("replies")).get("data")):
                    _take(look, found, reply, media_id, read_id(one.get("id")), account)
            if new == _COMMENTS:
                look.misses(f"comments on {media_id}")
    return found


def _take(look: Look, found: list[PlatformEvent], said: Mapping[str, Any], media: str, parent: str, account: str) -> int:
    at = read_time(said.get("timestamp"))
    if not read_id(said.get("id")):
        look.loses("comment", said)
        return 0
    if not look.sees(at):
        return 0
    found.append(comment(said, media=media, parent=parent, account=account, at=at))
    return 1


def recheck(graph: Graph, refs: Sequence[MessageRef], *, needed: tuple[str, ...]) -> list[PlatformEvent]:
    """MessageDeleted for the comments that are gone. Graph calls a comment gone, too, when we may not see it: the permission is looked at."""
    gone: list[MessageRef] = []
    for ref in refs:
        if is_comment(ref):
            try:
                graph.read(f"/{segment(ref)}", {"fields": "id"})
            except TargetGone:
                gone.append(ref)
    if gone:
        require_scopes(graph.scopes(), needed)
    return [MessageDeleted(event_key=f"deleted:{ref}", occurred_at=None, message_ref=ref) for ref in gone]
