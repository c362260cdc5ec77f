"""Saved searches: a hashtag's timeline, or the server's own full-text search. What addresses us is left to the poll.

Sources: Mastodon documentation, "View hashtag timeline", "Perform a search".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from plugin.contracts.platform import Polled
from plugin.contracts.reading import read_objects
from plugin.domain.errors import RemoteRejected
from plugin.domain.model import Visibility
from plugin.platforms.mastodon.client import Client
from plugin.platforms.mastodon.intake import unread
from plugin.platforms.mastodon.lists import PAGE, Entries, walk
from plugin.platforms.mastodon.position import Edge
from plugin.platforms.mastodon.server import Server
from plugin.platforms.mastodon.statuses import Status, read_status, received
from plugin.platforms.mastodon.threads import Threads

LOOK_BACK = timedelta(minutes=15)
_HASHTAG = re.compile(r"[\w·・]+")


class Search:
    """One saved search of one account at one moment."""

    def __init__(self, client: Client, server: Server, *, now: datetime) -> None:
        self._client = client
        self._server = server
        self._now = now

    def ask(self, name: str, query: str, data: Mapping[str, Any] | None, *, most: int) -> Polled:
        """What was posted since the position in `data`, oldest first, and the new position.

        Raises:
            RemoteRejected: the query is no hashtag and no words, or the server refuses it.
            RemoteError: any other of its kinds.
        """
        own, domain = self._server.own().id, self._server.instance().domain
        edge = Edge("", (self._now - LOOK_BACK).isoformat(timespec="seconds")) if data is None else Edge(data["id"], data["floor"])
        entries, reached, has_more = walk(_list_of(self._client, query.strip()), edge, limit=min(most, PAGE), pages=1)
        threads = Threads(self._client, {}, own=own)
        read = [(entry, read_status(entry)) for entry in entries]
        events = tuple(
            received(status, threads.of_customer(status), own=own, domain=domain, found_by=name)
            for _, status in read
            if status is not None and _is_for_us(status, own)
        )
        lost = tuple(unread(entry, "found status", "A post that was found cannot be read.") for entry, status in read if status is None)
        return Polled(events=events, position={"id": reached.id, "floor": reached.floor}, has_more=has_more, skipped=lost)


def _list_of(client: Client, query: str) -> Callable[..., Entries]:
    """The list that `query` asks for, page by page: it comes bare, or stands in an object."""
    tag = query.removeprefix("#")
    if not query or (tag != query and not _HASHTAG.fullmatch(tag)):
        raise RemoteRejected(f"{query!r} is no hashtag and no words to search for. Write one hashtag such as #printers, or words.")
    if tag != query:
        return partial(client.page, "timeline_hashtag", tag)
    ask = partial(client.get, "search_v2", q=query, result_type="statuses", resolve=False, exclude_unreviewed=False)
    return lambda **at: read_objects(ask(**at).get("statuses"))


def _is_for_us(status: Status, own: str) -> bool:
    """Somebody else's own public words which do not address us: those come by the notifications."""
    return status.author != own and own not in status.mentions and status.seen_by is Visibility.PUBLIC and not status.raw.get("reblog")
