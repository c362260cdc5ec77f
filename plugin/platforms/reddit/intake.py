"""One poll: mentions and answers, subreddits, private messages, and what our own people said; second looks, and saved searches.

Reddit's listings come newest first and lose their place when what a cursor names is deleted; so they are walked by time, down to where the
last poll stood, with an overlap that the keys absorb. Source: Reddit's API documentation, "listings".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.batches import unreadable_key
from plugin.contracts.platform import Polled, Skipped
from plugin.contracts.reading import read_string
from plugin.domain.errors import MalformedPayload, RemoteRejected, TargetGone, UnsupportedEvent
from plugin.domain.events import MessageDeleted, MessageEdited, MessageReceived, PlatformEvent
from plugin.domain.ids import MessageRef
from plugin.platforms._oauth.values import read_id, read_seconds
from plugin.platforms.reddit.client import Client, Thing
from plugin.platforms.reddit.modmail import Modmail
from plugin.platforms.reddit.things import MESSAGE, REMOVED, asker_of, change_in, fullname, name_of, spoken

AT_ONCE = 100
"""Full names that one call may name, and entries of a page."""
_LOOK_BACK = 900.0
_OVERLAP = 120.0
_PAGES = 10
_ACCOUNT = re.compile(r"t2_[a-z0-9]{1,16}\Z")


class Intake:
    """Polls of one account at one moment."""

    def __init__(self, client: Client, *, now: datetime) -> None:
        self._client = client
        self._settings = client.settings
        self._now = now.timestamp()
        self._skipped: list[Skipped] = []
        self._people: dict[str, Any] = {}
        self._events: dict[str, MessageReceived | MessageEdited | MessageDeleted] = {}

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What happened since `position`."""
        floor = _number((position or {}).get("at")) or self._now - _LOOK_BACK
        name, subreddits = self._settings.username, "+".join(self._settings.subreddits)
        paths = ["/message/mentions", "/message/comments", "/message/selfreply"]
        paths += [f"/r/{subreddits}/comments", f"/r/{subreddits}/new"] if subreddits else []
        own: list[Thing] = []
        told: list[Thing] = []
        to_us: set[str] = set()
        for path in paths:
            for thing in self._walk(path, floor):
                (own if read_string(thing[1].get("author")).lower() == name.lower() else told).append(thing)
                to_us |= {fullname(thing[1].get("name"))} if path.startswith("/message/") else set()
        self._meet(told)
        for kind, raw in told:
            is_to_us = fullname(raw.get("name")) in to_us
            self._take((kind, raw), customer="" if is_to_us else asker_of(kind, raw, account=name))
        if self._settings.private_messages:
            self._take_private(floor)
        if self._settings.modmail and self._settings.subreddits:
            self._take_modmail(floor)
        self._take_own([*own, *self._walk(f"/user/{name}/comments", floor)])
        return Polled(events=self._told(), position={"at": max(floor, self._now - _OVERLAP)}, skipped=tuple(self._skipped))

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Edits and deletions among comments and posts; private messages can be neither."""
        wanted = [one for ref in message_refs if (one := fullname(ref)) and not one.startswith(MESSAGE)]
        told: list[PlatformEvent] = []
        for kind, raw in self._named(wanted):
            try:
                change = change_in(kind, raw, account=self._settings.username)
            except MalformedPayload:
                continue  # surely there, and nothing to tell of
            told += [change] if change is not None else []
        return told

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """One page of posts: the newest first, then, page by page, down to where the search before this one began."""
        given = position or {}
        since = _number(given.get("since")) or self._now - timedelta(days=1).total_seconds()
        top, after = max(since, _number(given.get("top"))), fullname(given.get("after"))
        asked: dict[str, str | int] = {"q": query, "sort": "new", "type": "link", "limit": max(1, min(AT_ONCE, most))}
        page, following = self._client.listing("/search", {**asked, **({"after": after} if after else {})})
        fresh = [thing for thing in page if _at(thing[1]) >= since]
        for thing in fresh[:most]:
            if read_string(thing[1].get("author")).lower() == self._settings.username.lower():
                self._leave(thing, UnsupportedEvent("A post of this account; the search left it out.", detail="own post"))
            elif read_string(thing[1].get("subreddit")).lower() not in {one.lower() for one in self._settings.subreddits}:
                self._take(thing, found_by=name)
        top = max([top, *(_at(raw) for _, raw in fresh)])
        goes_on = bool(following) and len(fresh) == len(page) > 0
        stands: dict[str, Any] = {"since": since, "top": top, "after": following} if goes_on else {"since": top}
        return Polled(events=self._told(), position=stands, has_more=goes_on, skipped=tuple(self._skipped))

    def _walk(self, path: str, floor: float) -> list[Thing]:
        """The entries of a listing since `floor`."""
        found: list[Thing] = []
        after = ""
        for _ in range(_PAGES):
            page, after = self._client.listing(path, {"limit": AT_ONCE, **({"after": after} if after else {})})
            for thing in page:
                if not read_string(thing[1].get("name")):
                    self._leave(thing, MalformedPayload("Reddit listed something that has no name; look at the account's inbox."))
                    continue
                is_new = _at(thing[1]) >= floor and read_string(thing[1].get("author")) not in REMOVED
                found += [thing] if is_new else []
                if not is_new and thing[0] != MESSAGE:
                    self._change(thing, floor)
            if not after or not page or _at(page[-1][1]) < floor:
                return found
        gap = UnsupportedEvent("More was said than Reddit hands over (1000 entries): what is older is not to be had.", detail="gap")
        self._skipped.append(Skipped(event_key=f"gap:{path}:{floor:.0f}", reason=gap))
        return found

    def _take(self, thing: Thing, *, customer: str = "", found_by: str = "") -> None:
        kind, raw = thing
        try:
            settings = self._settings
            given = {"account": settings.username, "site": settings.site_url, "customer": customer, "found_by": found_by}
            event = spoken(kind, raw, **given, people=self._people)
        except MalformedPayload as problem:
            self._leave(thing, problem)
            return
        self._events[event.event_key] = event

    def _change(self, thing: Thing, floor: float) -> None:
        """What a list shows of an older entry: changed since the last poll, or gone."""
        try:
            change = change_in(*thing, account=self._settings.username)
        except MalformedPayload:
            return  # it was told of when it was new
        if isinstance(change, MessageDeleted) or (change is not None and change.occurred_at and change.occurred_at.timestamp() >= floor):
            self._events[change.event_key] = change

    def _meet(self, things: Sequence[Thing]) -> None:
        """Since when people are there: one call for all who spoke. It is not worth losing what they said."""
        wanted = list(dict.fromkeys(one for _, raw in things if _ACCOUNT.match(one := read_string(raw.get("author_fullname")))))
        for at in range(0, len(wanted), AT_ONCE):
            try:
                self._people |= self._client.ask("/api/user_data_by_account_ids", {"ids": ",".join(wanted[at : at + AT_ONCE])})
            except (RemoteRejected, TargetGone):
                return

    def _take_modmail(self, floor: float) -> None:
        """What people write to the moderators; a subreddit of which the account is none tells so, once a day."""
        try:
            events, skipped = Modmail(self._client).hear(datetime.fromtimestamp(floor, UTC))
        except (RemoteRejected, TargetGone) as refusal:
            says = (
                f"Reddit does not hand out the moderators' inbox ({refusal}) See that the account moderates every subreddit of the channel."
            )
            self._skipped.append(Skipped(event_key=f"refused:modmail:{self._now // 86_400:.0f}", reason=UnsupportedEvent(says)))
            return
        self._events |= {event.event_key: event for event in events}
        self._skipped += skipped

    def _take_private(self, floor: float) -> None:
        """Private messages, theirs and ours, as far as Reddit hands them out: it has begun to close them."""
        for path in ("/message/messages", "/message/sent"):
            try:
                things = self._walk(path, floor)
            except RemoteRejected as refusal:
                says = f"Reddit does not hand out private messages ({refusal}) Set `private_messages` to false to ask no more."
                self._skipped.append(Skipped(event_key=f"refused:{path}:{self._now // 86_400:.0f}", reason=UnsupportedEvent(says)))
                return
            for thing in things:
                # A mail from Reddit itself has no author.
                if thing[0] == MESSAGE and thing[1].get("author"):
                    self._take(thing)

    def _take_own(self, things: Sequence[Thing]) -> None:
        """Our own comments: echoes of what the bridge posted, and what staff answered on Reddit. What they answer says to whom."""
        parents = {
            one: raw
            for _, raw in self._named([fullname(raw.get("parent_id")) for _, raw in things])
            if (one := read_string(raw.get("name")))
        }
        for thing in things:
            parent = parents.get(read_string(thing[1].get("parent_id")), {})
            customer = read_id(parent.get("author"))
            if customer and customer.lower() != self._settings.username.lower():
                self._take(thing, customer=customer)
            else:
                self._leave(
                    thing, UnsupportedEvent("Our own account said this to nobody in particular; it belongs to no ticket.", detail="own")
                )

    def _named(self, wanted: Sequence[str]) -> list[Thing]:
        once = list(dict.fromkeys(filter(None, wanted)))
        found: list[Thing] = []
        for at in range(0, len(once), AT_ONCE):
            found += self._client.listing("/api/info", {"id": ",".join(once[at : at + AT_ONCE])})[0]
        return found

    def _leave(self, thing: Thing, reason: MalformedPayload | UnsupportedEvent) -> None:
        try:
            one = name_of(thing[1])
        except MalformedPayload:
            one = unreadable_key([thing[0], thing[1]])
        self._skipped.append(Skipped(event_key=f"skipped:{one}", reason=reason, payload=dict(thing[1])))

    def _told(self) -> tuple[MessageReceived | MessageEdited | MessageDeleted, ...]:
        return tuple(sorted(self._events.values(), key=lambda event: event.occurred_at.timestamp() if event.occurred_at else self._now))


def _at(raw: Mapping[str, Any]) -> float:
    at = read_seconds(raw.get("created_utc"))
    return at.timestamp() if at is not None else 1e11


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
