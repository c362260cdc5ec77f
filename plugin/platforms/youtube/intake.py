"""One poll: new comments, new answers in threads that are watched, edits of first comments; a second look; and saved searches.

YouTube cannot be asked for what is new: lists come newest first, so they are walked down to where the last poll stood. An answer does not
bring its thread up, so threads that were seen are asked for again by id, fifty in one call.
Sources: YouTube Data API, "CommentThreads: list", "Comments: list", "Search: list".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.platform import Polled, Skipped
from plugin.contracts.reading import read_string, read_time
from plugin.domain.errors import MalformedPayload, RemoteError, RemoteUnavailable, UnsupportedEvent
from plugin.domain.events import MessageReceived, PlatformEvent
from plugin.domain.ids import MessageRef
from plugin.platforms._oauth.values import read_count, read_id
from plugin.platforms.youtube import comments
from plugin.platforms.youtube.client import Client
from plugin.platforms.youtube.comments import Comment, Thread
from plugin.platforms.youtube.quota import READ, SEARCH

AT_ONCE = 50
"""Ids that one call may name."""
_LOOK_BACK = timedelta(minutes=15)
_PAGE, _PAGES = 100, 10
_WATCHED = 300
_CONFIRMED = 10
"""Deletions that are looked after in one go; the others have their turn later."""
_PLAIN = {"textFormat": "plainText"}


@dataclass(slots=True)
class _Watched:
    """What was last seen of a thread: its count of answers, the newest one's time, and the first comment's last change."""

    count: int
    seen: str
    revision: str


@dataclass(slots=True)
class _Found:
    events: list[Any] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def leave(self, one: str, reason: MalformedPayload | UnsupportedEvent, raw: Any = None) -> None:
        self.skipped.append(Skipped(event_key=f"skipped:{one}", reason=reason, payload=raw))


class Intake:
    """Polls of one channel at one moment. `turn` rotates which of the older threads are looked at again."""

    def __init__(self, client: Client, *, now: datetime, turn: int) -> None:
        self._client = client
        self._account = client.settings.channel_id
        self._now = now
        self._turn = turn
        self._found = _Found()
        self._watched: dict[str, _Watched] = {}
        self._floor = ""

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What happened since `position`; nothing while the day's units for looking are used up."""
        if not self._client.quota.has_room(4 * READ):
            return Polled(events=(), position=None)
        given = position or {}
        self._floor = read_string(given.get("floor")) or _stamp(self._now - _LOOK_BACK)
        self._watched = _load(given.get("threads"))
        on_page = self._take_newest()
        self._take_watched([one for one in self._watched if one not in on_page])
        events = sorted(self._with_profiles(), key=lambda event: event.occurred_at or self._now)
        newest = sorted(self._watched.items(), key=lambda pair: max(pair[1].seen, pair[1].revision))[-_WATCHED:]
        following = {
            "floor": max([self._floor, *(_stamp(event.occurred_at) for event in events if _begins(event))]),
            "threads": {one: [entry.count, entry.seen, entry.revision] for one, entry in newest},
        }
        return Polled(events=tuple(events), position=following, skipped=tuple(self._found.skipped))

    def recheck(self, message_refs: Sequence[MessageRef]) -> Sequence[PlatformEvent]:
        """Edits and deletions among comments."""
        wanted = [one for ref in message_refs if (one := comments.comment_id(ref))]
        told: list[PlatformEvent] = []
        if not self._client.quota.has_room(READ * (1 + len(wanted) // AT_ONCE)):
            return told
        for some in _batches(wanted):
            body = self._client.listed("comments", {"part": "snippet", "id": ",".join(some), **_PLAIN})
            shown = {read_id(raw.get("id")): raw for raw in body["items"]}
            told += map(comments.deleted, self._gone("comments", some, set(shown)))
            for one in filter(shown.__contains__, some):
                try:
                    comment = comments.read_comment(shown[one])
                except MalformedPayload:
                    continue  # surely there
                told += [comments.edited(comment, account=self._account)] if comment.revision else []
        return told

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """One page of videos: the newest first, then, page by page, down to where the search before this one began."""
        if not self._client.quota.has_room(SEARCH):
            return Polled(events=(), position=None)
        given = position or {}
        since, page = read_string(given.get("since")) or _stamp(self._now - timedelta(days=1)), read_string(given.get("page"))
        asked: dict[str, str | int] = {
            "part": "snippet", "q": query, "type": "video", "order": "date", "publishedAfter": since, "maxResults": max(1, min(AT_ONCE, most)),
        }  # fmt: skip
        body = self._client.listed("search", {**asked, **({"pageToken": page} if page else {})}, units=SEARCH)
        for raw in body["items"]:
            try:
                event = comments.found_video(raw, name)
            except MalformedPayload as problem:
                self._found.leave(f"{name}:{len(self._found.skipped)}", problem, raw)
                continue
            if event.author.ref == self._account:
                self._found.leave(event.event_key, UnsupportedEvent("A video of this channel itself; the search left it out."), raw)
            else:
                self._found.events.append(event)
        events = sorted(self._found.events, key=lambda event: event.occurred_at or self._now)[-most:] if most else []
        top = max([read_string(given.get("top")) or since, *(_stamp(event.occurred_at) for event in events)])
        token = read_string(body.get("nextPageToken")) if body["items"] else ""
        following = {"since": since, "top": top, "page": token} if token else {"since": top}
        return Polled(events=tuple(events), position=following, has_more=bool(token), skipped=tuple(self._found.skipped))

    def _take_newest(self) -> set[str]:
        """Walk the newest threads down to the floor; returns which were seen."""
        seen: set[str] = set()
        asked: dict[str, str | int] = {
            "part": "snippet,replies", "allThreadsRelatedToChannelId": self._account, "order": "time", "maxResults": _PAGE, **_PLAIN,
        }  # fmt: skip
        for _ in range(_PAGES):
            body = self._client.listed("commentThreads", asked)
            ats = [self._take(raw, seen) for raw in body["items"]]
            token = read_string(body.get("nextPageToken"))
            if not token or not ats or min(ats) < self._floor:
                return seen
            asked["pageToken"] = token
        gap = UnsupportedEvent(f"More than {_PAGE * _PAGES} comments since the last look: older ones were not taken in.", detail="gap")
        self._found.skipped.append(Skipped(event_key=f"gap:{self._floor}", reason=gap))
        return seen

    def _take_watched(self, older: Sequence[str]) -> None:
        """Ask again for the newest of the watched threads, and for a share of the others."""
        rest = older[:-AT_ONCE]
        at = self._turn * AT_ONCE % len(rest) if rest else 0
        for some in filter(None, (older[-AT_ONCE:], [*rest[at:], *rest[:at]][:AT_ONCE])):
            seen: set[str] = set()
            for raw in self._client.listed("commentThreads", {"part": "snippet,replies", "id": ",".join(some), **_PLAIN})["items"]:
                self._take(raw, seen)
            for one in self._gone("commentThreads", some, seen):
                del self._watched[one]
                self._found.events.append(comments.deleted(one))

    def _gone(self, what: str, asked: Sequence[str], shown: set[str]) -> Iterable[str]:
        """Which of `asked` are surely gone. How many of them one answer holds is documented nowhere, so what it left out is asked for alone."""
        missing = [one for one in asked if one not in shown]
        for one in missing[:_CONFIRMED]:
            if len(asked) == 1 or not self._client.listed(what, {"part": "snippet", "id": one, **_PLAIN})["items"]:
                yield one

    def _take(self, raw: Mapping[str, Any], seen: set[str]) -> str:
        """Read a thread; returns when it began."""
        try:
            thread = comments.read_thread(raw)
        except MalformedPayload as problem:
            if one := read_id(raw.get("id")):
                seen.add(one)
            self._found.leave(read_id(raw.get("id")) or "unreadable", problem, dict(raw))
            return _stamp(self._now)
        top, at = thread.top, _stamp(thread.top.at)
        seen.add(top.id)
        known = self._watched.get(top.id)
        if known is None and at >= self._floor:
            self._tell(top, thread, raw)
        elif known is not None and top.revision > known.revision:
            self._found.events.append(comments.edited(top, account=self._account))
        since = known.seen if known is not None else self._floor
        answers = self._answers(thread, known)
        for answer in answers:
            if _stamp(answer.at) >= since:
                self._tell(answer, thread, raw)
        newest = max([since, at, *(_stamp(answer.at) for answer in answers)])
        self._watched[top.id] = _Watched(thread.count, newest, top.revision)
        return at

    def _answers(self, thread: Thread, known: _Watched | None) -> Sequence[Comment]:
        """The answers of a thread that may be new; the whole list where what is shown is not all."""
        if known is not None and thread.count == known.count and all(_stamp(one.at) <= known.seen for one in thread.shown):
            return ()
        is_old = known is None and _stamp(thread.top.at) < self._floor
        if thread.count <= len(thread.shown) or is_old:
            return thread.shown
        return tuple(answers_of(self._client, thread.top.id, self._found))

    def _tell(self, comment: Comment, thread: Thread, raw: Mapping[str, Any]) -> None:
        if comment.author.ref == self._account == thread.top.author.ref:
            says = "A comment of this channel itself below its own video or comment; it belongs to no ticket."
            self._found.leave(comment.id, UnsupportedEvent(says, detail="own"), dict(raw))
            return
        self._found.events.append(comments.received(comment, thread, account=self._account))

    def _with_profiles(self) -> Iterable[Any]:
        """The events, with what the customers' channels tell; without it where that is not to be had now."""
        told = self._found.events
        people = {event.author.ref for event in told if isinstance(event, MessageReceived) and not event.is_own}
        known: dict[str, Mapping[str, Any]] = {}
        for some in _batches(sorted(one for one in people if one.startswith("UC"))):
            try:
                body = self._client.listed("channels", {"part": "snippet,statistics", "id": ",".join(some), "maxResults": AT_ONCE})
            except RemoteError:
                break
            known |= {read_id(raw.get("id")): raw for raw in body["items"]}
        for event in told:
            profile = known.get(event.author.ref) if isinstance(event, MessageReceived) else None
            yield replace(event, author=comments.with_profile(event.author, profile)) if profile is not None else event


def answers_of(client: Client, thread: str, found: _Found | None = None) -> Iterable[Comment]:
    """All answers below a comment.

    Raises:
        RemoteUnavailable: there are more than can be walked.
        RemoteError: any other of its kinds.
    """
    asked: dict[str, str | int] = {"part": "snippet", "parentId": thread, "maxResults": _PAGE, **_PLAIN}
    for _ in range(_PAGES):
        body = client.listed("comments", asked)
        for raw in body["items"]:
            try:
                yield comments.read_comment(raw)
            except MalformedPayload as problem:
                if found is not None:
                    found.leave(read_id(raw.get("id")) or thread, problem, dict(raw))
        token = read_string(body.get("nextPageToken"))
        if not token:
            return
        asked["pageToken"] = token
    raise RemoteUnavailable(f"The thread has more than {_PAGE * _PAGES} answers, and not all can be looked at; it is tried again.")


def _begins(event: Any) -> bool:
    return isinstance(event, MessageReceived) and event.parent_ref is None


def _batches(wanted: Sequence[str]) -> Iterable[Sequence[str]]:
    return (wanted[at : at + AT_ONCE] for at in range(0, len(wanted), AT_ONCE))


def _stamp(at: datetime | None) -> str:
    """A moment as text that sorts as time does, and as YouTube takes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else ""


def _load(kept: Any) -> dict[str, _Watched]:
    found = {}
    for one, entry in (kept if isinstance(kept, dict) else {}).items():
        count, seen, revision = entry if isinstance(entry, list) and len(entry) == 3 else (0, "", "")
        found[one] = _Watched(read_count(count) or 0, _stamp(read_time(seen)), read_string(revision))
    return found
