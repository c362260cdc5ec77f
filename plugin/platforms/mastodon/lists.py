"""Walking a list of the server forward, page by page, from the newest entry that was seen. Knows nothing of what the entries say.

Mastodon's `min_id` brings the entries next above an id, newest first. Servers that take no notice of it bring the newest ones instead:
what is known ends such a page. Source: Mastodon documentation, "Paginating through API responses".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from plugin.contracts.reading import read_time
from plugin.platforms.mastodon.position import Edge
from plugin.platforms.mastodon.values import read_id

PAGE = 40
_BACK = 25
"""Pages of a first look back: it is over a quarter of an hour, or over what came before anything was seen."""
Entries = list[Mapping[str, Any]]


def walk(page_at: Callable[..., Entries], edge: Edge, *, limit: int = PAGE, pages: int = _BACK) -> tuple[Entries, Edge, bool]:
    """What stands above `edge`, oldest first; the edge after it; and whether there is more. `pages` bounds the first look back.

    `page_at` brings a page of the list: it is called with `limit`, and `min_id` or `max_id`.
    Entries without an id, of which nobody knows where they stand, come before the others.
    """
    if not edge.id:
        odd, entries = _look_back(page_at, edge.floor, limit=limit, pages=pages)
        return [*odd, *entries], Edge(read_id(entries[-1].get("id")), edge.floor) if entries else edge, False
    odd, page = _newest_first(page_at(limit=limit, min_id=edge.id))
    ids = [read_id(entry.get("id")) for entry in page]
    is_forward = edge.id not in ids
    if not is_forward:
        page = page[: ids.index(edge.id)]
    entries, is_full = page[::-1], len(odd) + len(page) >= limit
    return [*odd, *entries], Edge(read_id(entries[-1].get("id")), edge.floor) if entries else edge, is_forward and bool(page) and is_full


def _look_back(page_at: Callable[..., Entries], floor: str, *, limit: int, pages: int) -> tuple[Entries, Entries]:
    since = read_time(floor)
    nameless: Entries = []
    found: Entries = []
    known: set[str] = set()
    last = ""
    for _ in range(pages):
        odd, page = _newest_first(page_at(limit=limit, max_id=last or None))
        nameless += odd
        fresh = [entry for entry in page if read_id(entry.get("id")) not in {*known, ""} and _is_since(entry, since)]
        found += fresh
        known |= {read_id(entry.get("id")) for entry in page}
        if len(fresh) < len(page) or not page:
            break
        last = read_id(page[-1].get("id"))
    return nameless, found[::-1]


def _newest_first(page: Entries) -> tuple[Entries, Entries]:
    """The entries that have no id, and the others the right way round."""
    odd = [entry for entry in page if not read_id(entry.get("id"))]
    page = [entry for entry in page if read_id(entry.get("id"))]
    first, last = (read_time(page[at].get("created_at")) for at in (0, -1)) if page else (None, None)
    return odd, page[::-1] if first is not None and last is not None and first < last else page


def _is_since(entry: Mapping[str, Any], since: datetime | None) -> bool:
    at = read_time(entry.get("created_at"))
    return since is None or at is None or at >= since
