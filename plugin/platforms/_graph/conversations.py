"""The net below the webhooks: messages that were said while nobody listened, read from the Conversations API. Same events, same keys.

Source: Messenger Platform, "Conversations API". It names the newest conversations first; at most two calls a second are made by us.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from plugin.contracts.batches import unreadable_key
from plugin.contracts.platform import Polled, Skipped
from plugin.contracts.reading import read_object, read_objects, read_string
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.ids import ContactRef, MessageRef
from plugin.domain.model import Contact, Visibility
from plugin.domain.text import Text
from plugin.platforms._graph.client import Graph, segment
from plugin.platforms._graph.media import addresses, attachment
from plugin.platforms._graph.messages import private_thread
from plugin.platforms._graph.values import read_id, read_time

_FIRST_LOOK = timedelta(hours=1)
_OVERLAP = timedelta(minutes=10)
_MOST_PAGES = 20
_PER_PAGE = 25
_FIELDS = (
    "updated_time,messages.limit(25){id,created_time,from,to,message,sticker,attachments{mime_type,name,image_data,video_data,file_url}}"
)


@dataclass(slots=True)
class Look:
    """One poll: nothing before `floor` is taken, `newest` becomes the next position, `gaps` says what was not reached or could not be read."""

    floor: datetime
    newest: datetime
    gaps: list[Skipped]

    def sees(self, at: datetime | None) -> bool:
        """Whether something of this time is wanted; a time that is unknown is."""
        if at is None:
            return True
        self.newest = max(self.newest, at)
        return at >= self.floor

    def misses(self, what: str) -> None:
        """Remember that more was there than is read in one go."""
        reason = UnsupportedEvent(
            f"More {what} than a catch-up reads had changed since {self.floor.isoformat()}; the older of them were not read. Look at them on "
            "the platform."
        )
        self.gaps.append(Skipped(event_key=f"gap:{what}:{self.floor.isoformat()}", reason=reason))

    def loses(self, what: str, raw: Mapping[str, Any]) -> None:
        """Set something aside that cannot be read, under its id if it has one."""
        reason = MalformedPayload(f"A {what} could not be read when it was looked for; see it on the platform.")
        one = read_id(raw.get("id"))
        self.gaps.append(Skipped(event_key=f"{what}:{one}" if one else unreadable_key(raw), reason=reason, payload=dict(raw)))

    def polled(self, events: list[PlatformEvent]) -> Polled:
        """What the poll brought, oldest first."""
        events.sort(key=lambda event: event.occurred_at or self.floor)
        position = {"since": self.newest.isoformat()}
        return Polled(events=tuple(events), position=position, skipped=tuple(self.gaps))


def begin(position: Mapping[str, Any] | None, now: datetime) -> Look:
    """A poll from `position` on, a little earlier for what arrives late; without one, an hour back."""
    since = read_time(position.get("since")) if position else None
    if since is None:
        return Look(floor=now - _FIRST_LOOK, newest=now - _FIRST_LOOK, gaps=[])
    return Look(floor=since - _OVERLAP, newest=since, gaps=[])


def recent(
    look: Look, graph: Graph, path: str, params: Mapping[str, str], *, what: str, time: str = "updated_time"
) -> Iterator[Mapping[str, Any]]:
    """The members of a newest-first list that changed since the look's floor."""
    for count, page in enumerate(graph.pages(path, {**params, "limit": _PER_PAGE}, most=_MOST_PAGES), start=1):
        for one in page:
            at = read_time(one.get(time))
            if at is not None and at < look.floor:
                return
            look.sees(at)
            yield one
        if count == _MOST_PAGES and len(page) >= _PER_PAGE:
            look.misses(what)


def catch_up(look: Look, graph: Graph, owner: str, account: str, platform: str) -> list[PlatformEvent]:
    """Messages of `account` since the look's floor; `owner` is whose list of conversations it is, the Page's for Instagram too."""
    found: list[PlatformEvent] = []
    listed = recent(look, graph, f"/{segment(owner)}/conversations", {"platform": platform, "fields": _FIELDS}, what="conversations")
    for conversation in listed:
        messages = read_objects(read_object(conversation.get("messages")).get("data"))
        if not messages and not read_id(conversation.get("id")):
            look.loses("conversation", conversation)
        known = []
        for one in messages:
            event = _message(one, account)
            if event is None:
                look.loses("message", one)
            elif look.sees(event.occurred_at):
                known.append(event)
        found += known
        if messages and len(known) == len(messages) == _PER_PAGE:
            look.misses(f"messages of {known[0].thread_key}")
    return found


def _message(message: Mapping[str, Any], account: str) -> MessageReceived | None:
    mid, sender = read_id(message.get("id")), read_object(message.get("from"))
    sender_id = read_id(sender.get("id"))
    others = [read_id(one.get("id")) for one in read_objects(read_object(message.get("to")).get("data"))]
    is_own = sender_id == account
    customer = next((one for one in others if one != account), "") if is_own else sender_id
    if not mid or not customer:
        return None
    files = tuple(
        attachment(kind, mid, index, url, name=name, content_type=content_type)
        for index, (kind, url, name, content_type) in enumerate(addresses(message))
    )
    text = read_string(message.get("message"))
    return MessageReceived(
        event_key=f"message:{mid}",
        occurred_at=read_time(message.get("created_time")),
        message_ref=MessageRef(mid),
        thread_key=private_thread(customer),
        visibility=Visibility.PRIVATE,
        author=Contact(ref=ContactRef(sender_id), display_name=read_string(sender.get("name")), handle=read_string(sender.get("username"))),
        text=Text(text),
        attachments=files,
        is_own=is_own,
        remarks=() if text or files else ("This is a message of a kind that is not told when it is read later. Look on the platform.",),
    )
