"""A second look at statuses of open tickets: Mastodon tells nobody that a mention was edited or deleted. Keeps nothing.

The poll looks at the newest few by itself, which is quicker; the rest is asked about here, under the same keys.
Source: Mastodon documentation, "View multiple statuses", "View a single status".
"""

from __future__ import annotations

from collections.abc import Sequence

from plugin.contracts.reading import read_string
from plugin.domain.events import MessageDeleted, MessageEdited
from plugin.domain.ids import MessageRef
from plugin.platforms.mastodon.client import Client
from plugin.platforms.mastodon.statuses import Status, edited, read_status

AT_ONCE = 20
"""Statuses that one call may name (Mastodon's own limit)."""


class Looking:
    """Looks again, for one account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def again(self, message_refs: Sequence[MessageRef], *, own: str) -> list[MessageEdited | MessageDeleted]:
        """Edits and deletions among `message_refs`; `own` is our account's id.

        Raises:
            RemoteError: any of its kinds.
        """
        told: list[MessageEdited | MessageDeleted] = []
        for at in range(0, len(message_refs), AT_ONCE):
            told += self._some(message_refs[at : at + AT_ONCE], own)
        return told

    def _some(self, wanted: Sequence[MessageRef], own: str) -> list[MessageEdited | MessageDeleted]:
        page = self._client.find_page("statuses", ids=list(wanted))
        shown = {status.id: status for raw in page or () if (status := read_status(raw)) is not None}
        told: list[MessageEdited | MessageDeleted] = []
        for ref in wanted:
            status = shown.get(ref)
            if status is None:
                raw = self._client.find("status", ref)
                if raw is None:
                    told.append(deleted(ref))
                    continue
                status = read_status(raw)
            if status is not None and (edit := _edit(status, own)) is not None:
                told.append(edit)
        return told


def deleted(ref: MessageRef) -> MessageDeleted:
    """A status that is not there any more, or not for us."""
    return MessageDeleted(event_key=f"{ref} deleted", occurred_at=None, message_ref=ref)


def _edit(status: Status, own: str) -> MessageEdited | None:
    """The latest wording, where the server tells when it was made: only a comparison could tell elsewhere."""
    return edited(status, None, own=own) if read_string(status.raw.get("edited_at")) else None
