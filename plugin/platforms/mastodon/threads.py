"""To which conversation a status belongs: found by walking up what it answers, with as few calls as possible.

Source: Mastodon documentation, "View thread (Context)".
"""

from __future__ import annotations

from collections.abc import Mapping

from plugin.contracts.reading import read_objects
from plugin.platforms.mastodon.client import Client
from plugin.platforms.mastodon.keys import Thread
from plugin.platforms.mastodon.position import Watched
from plugin.platforms.mastodon.statuses import Status, read_status

_HIGHEST = 30


class Threads:
    """Finds conversations. `watched` is what is known already, and grows with the poll."""

    def __init__(self, client: Client, watched: Mapping[str, Watched], *, own: str) -> None:
        self._client = client
        self._own = own
        self.watched = dict(watched)

    def of_customer(self, status: Status) -> Thread:
        """The conversation of somebody else's status with its author."""
        return Thread(self._root(status), status.seen_by, status.author)

    def of_own(self, status: Status) -> Thread | None:
        """The conversation of a status of ours; None when it answers people who never addressed us."""
        above = self.watched.get(status.parent)
        if above is not None:
            return Thread(above.thread.root, status.seen_by, above.thread.customer)
        ancestors = self._above(status)
        theirs = [one for one in ancestors if one.author != self._own]
        if not theirs:
            return None
        customer = theirs[-1].author
        known = next((self.watched[one.id] for one in reversed(ancestors) if one.id in self.watched), None)
        is_ours = any(one.author == customer and self._own in one.mentions for one in theirs)
        if not is_ours and (known is None or known.thread.customer != customer):
            return None
        return Thread(known.thread.root if known else ancestors[0].id, status.seen_by, customer)

    def _root(self, status: Status) -> str:
        if not status.parent:
            return status.id
        if status.parent in self.watched:
            return self.watched[status.parent].thread.root
        ancestors = self._above(status)
        known = next((self.watched[one.id].thread.root for one in reversed(ancestors) if one.id in self.watched), "")
        return known or (ancestors[0].id if ancestors else status.parent)

    def _above(self, status: Status) -> list[Status]:
        """What stands above it, from the top down; empty when that is gone."""
        context = self._client.find("status_context", status.id)
        if context is not None:
            return [one for raw in read_objects(context.get("ancestors")) if (one := read_status(raw)) is not None]
        found: list[Status] = []
        above = status.parent
        while above and len(found) < _HIGHEST and above not in {one.id for one in found}:
            one = read_status(self._client.find("status", above))
            if one is None:
                break
            found.insert(0, one)
            above = one.parent
        return found
