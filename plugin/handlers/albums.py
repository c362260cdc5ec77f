"""Albums: files that a platform tells one by one, though the customer sent them as one message. Gathered into the first, none lost, none doubled.

The first waits a short while, and what follows it in the conversation waits behind it, so that the order stays. Then its event takes over
the words and files of the others, and the others' references lead to its message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from plugin.domain.codec import decode_event
from plugin.domain.events import MessageReceived
from plugin.domain.ids import MessageRef
from plugin.domain.text import join
from plugin.handlers import wording
from plugin.handlers.routing import Desktop
from plugin.store import events, messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """A message with all that was told of its album so far."""

    event: MessageReceived
    others: tuple[MessageRef, ...] = ()
    is_rewritten: bool = False

    def keep(self, desktop: Desktop, message_id: int, direction: str) -> None:
        """The message was made: the event holds the whole from now on, and whoever asks for one of the others finds it."""
        if self.is_rewritten:
            events.rewrite(desktop.connection, desktop.row.id, self.event)
        if not self.others:
            return
        messages.add_refs(
            desktop.connection,
            [messages.NewRef(place=desktop.place, ref=ref, message_id=message_id, part=part) for part, ref in enumerate(self.others, 1)],
        )
        events.wake_waiting(desktop.connection, desktop.place, desktop.held.id, self.others)
        desktop.batch.known.update(dict.fromkeys(self.others, direction))


def gather(desktop: Desktop, event: MessageReceived) -> Album | None:
    """The message with the rest of its album; None: it is too early to say."""
    if not event.album:
        return Album(event=event)
    if not desktop.has_gathered:
        return None
    rows = events.open_album(desktop.connection, desktop.held.id, event.album, besides=desktop.row.id)
    others = [cast(MessageReceived, decode_event(row.payload)) for row in rows]
    whole = _together([event, *others])
    if events.has_album(desktop.connection, desktop.held.id, event.album):
        whole = replace(whole, remarks=(*whole.remarks, wording.LATE_ALBUM))
    return Album(event=whole, others=tuple(other.message_ref for other in others), is_rewritten=whole != event)


def _together(parts: Sequence[MessageReceived]) -> MessageReceived:
    return replace(
        parts[0],
        text=join([part.text for part in parts if part.text], "\n"),
        attachments=tuple(attachment for part in parts for attachment in part.attachments),
        remarks=tuple(dict.fromkeys(remark for part in parts for remark in part.remarks)),
    )
