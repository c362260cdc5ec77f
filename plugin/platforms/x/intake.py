"""One poll: mentions and answers, what our own people posted, direct messages; and saved searches. The net below the webhooks.

X lists newest first and can name only the newest entry to stop at, so a list is walked to its end before anything of it is told.
Sources: X documentation, "User mention timeline" (the newest 800), "Direct Messages lookup" (30 days), "Search Posts" (7 days).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.contracts.batches import unreadable_key
from plugin.contracts.platform import Polled, Skipped
from plugin.domain.errors import RemoteRejected, UnsupportedEvent
from plugin.domain.events import PlatformEvent
from plugin.platforms.x.asking import NOTICED, for_messages, for_posts, found_in, next_page
from plugin.platforms.x.client import Client
from plugin.platforms.x.keys import rank
from plugin.platforms.x.posts import read_post
from plugin.platforms.x.private import received
from plugin.platforms.x.public import spoken
from plugin.platforms.x.values import read_id, read_string

_LOOK_BACK = timedelta(minutes=15)
_FEWEST, _PAGE, _MESSAGES = 10, 100, 20
_PAGES = 8
"""Pages of 100: X keeps the newest 800 mentions."""
Read = Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[PlatformEvent]]
Ask = Callable[[str | None], Mapping[str, Any]]


@dataclass(slots=True)
class _Found:
    """What a poll brings, by X's ids, which rise with time."""

    events: list[tuple[tuple[int, str], Sequence[PlatformEvent]]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def take(self, raw: Mapping[str, Any], includes: Mapping[str, Any], read: Read) -> None:
        """Read one thing of a list; what cannot be used is told of."""
        one = read_id(raw.get("id"))
        try:
            self.events.append((rank(one), read(raw, includes)))
        except NOTICED as problem:
            key = f"skipped:{one}" if one else unreadable_key(raw)
            self.skipped.append(Skipped(event_key=key, reason=problem, payload=raw))

    def told(self) -> tuple[PlatformEvent, ...]:
        """The events, oldest first, each once."""
        found = [event for _, several in sorted(self.events, key=lambda pair: pair[0]) for event in several]
        return tuple({event.event_key: event for event in reversed(found)}.values())[::-1]


class Intake:
    """Polls of one account."""

    def __init__(self, client: Client, *, now: datetime) -> None:
        self._client = client
        self._settings = client.settings
        self._now = now

    def poll(self, position: Mapping[str, Any] | None) -> Polled:
        """What happened since `position`."""
        stands = dict(position) if position else {"floor": (self._now - _LOOK_BACK).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        found, sdk = _Found(), self._client.sdk
        asked = {**for_posts(self._settings.spelling), "max_results": _PAGE, "return_json": True}
        account = self._settings.account_id

        def mentions(token: str | None) -> Mapping[str, Any]:
            return sdk.get_mentions(account, pagination_token=token, **self._since(stands, "mentions"), **asked)  # type: ignore[no-any-return]

        def own(token: str | None) -> Mapping[str, Any]:
            since = self._since(stands, "own")
            return sdk.get_timelines(account, pagination_token=token, exclude="retweets", **since, **asked)  # type: ignore[no-any-return]

        newest = {"mentions": self._walk(mentions, self._post, found), "own": self._walk(own, self._post, found)}
        if self._settings.direct_messages:
            newest["messages"] = self._messages(stands, found)
        stands |= {name: max((stands.get(name, ""), one), key=rank) for name, one in newest.items() if one}
        return Polled(events=found.told(), position=stands, skipped=tuple(found.skipped))

    def search(self, name: str, query: str, position: Mapping[str, Any] | None, *, most: int) -> Polled:
        """One page of what was said: the newest first, then, page by page, down to where the search before this one began."""
        stands = dict(position or {})
        since, until = read_string(stands.get("since")), read_string(stands.get("until"))
        try:
            body = self._client.sdk.search_tweets(
                f"({query}) -is:retweet",
                since_id=since or None,
                until_id=until or None,
                max_results=max(_FEWEST, min(_PAGE, most)),
                return_json=True,
                **for_posts(self._settings.spelling),
            )
        except RemoteRejected as refusal:
            if not any(stands.get(name) and f"{name}_id" in refusal.detail for name in ("since", "until")):
                raise
            # X looks back seven days and takes no older post to begin or end at: what is below it is out of reach, what is above is asked for.
            top = read_string(stands.get("top"))
            return Polled(events=(), position={"since": top if until else ""}, has_more=True)
        page = sorted(found_in(body), key=lambda pair: rank(read_id(pair[0].get("id"))), reverse=True)
        taken, found = page[:most], _Found()
        for raw, includes in taken:
            found.take(raw, includes, lambda raw, includes: self._heard(raw, includes, name))
        ids = [one for raw, _ in taken if (one := read_id(raw.get("id")))]
        top = read_string(stands.get("top")) or (ids[0] if ids else since)
        goes_on = bool(ids) and (len(page) > most or bool(next_page(body)))
        following = {"since": since, "until": ids[-1], "top": top} if goes_on else {"since": top}
        return Polled(events=found.told(), position=following, has_more=goes_on, skipped=tuple(found.skipped))

    def _heard(self, raw: Mapping[str, Any], includes: Mapping[str, Any], name: str) -> Sequence[PlatformEvent]:
        post = read_post(raw, includes)
        if post.author.ref == self._settings.account_id:
            raise UnsupportedEvent("A post of this account; the search left it out.", detail="own post")
        if self._settings.account_id in post.mentioned:
            raise UnsupportedEvent(
                "A post that names this account: it comes in as a mention, and the search left it out.", detail="mention"
            )
        return spoken(post, self._settings.account_id, found_by=name)

    def _post(self, raw: Mapping[str, Any], includes: Mapping[str, Any]) -> Sequence[PlatformEvent]:
        return spoken(read_post(raw, includes), self._settings.account_id)

    def _message(self, raw: Mapping[str, Any], includes: Mapping[str, Any]) -> Sequence[PlatformEvent]:
        return (received(raw, includes, self._settings.account_id),)

    def _since(self, stands: Mapping[str, Any], name: str) -> dict[str, str]:
        known = read_string(stands.get(name))
        return {"since_id": known} if known else {"start_time": read_string(stands.get("floor"))}

    def _walk(self, ask: Ask, read: Read, found: _Found) -> str:
        """Take a whole list in; returns its newest id."""
        token, newest = None, ""
        for _ in range(_PAGES):
            body = ask(token)
            for raw, includes in found_in(body):
                newest = max(newest, read_id(raw.get("id")), key=rank)
                found.take(raw, includes, read)
            token = next_page(body)
            if not token:
                return newest
        gap = UnsupportedEvent(
            "More was said than X hands over at once (800 posts): what is older than these is not to be had.", detail="gap"
        )
        found.skipped.append(Skipped(event_key=f"gap:{newest}", reason=gap))
        return newest

    def _messages(self, stands: Mapping[str, Any], found: _Found) -> str:
        """Take in the direct messages since the last one that was seen; X cannot be asked for just those."""
        known, floor = read_string(stands.get("messages")), read_string(stands.get("floor"))
        token, newest = None, known
        for _ in range(_PAGES):
            body = self._client.sdk.get_dm_events(
                max_results=_MESSAGES, pagination_token=token, return_json=True, **for_messages(self._settings.spelling)
            )
            page = list(found_in(body))
            for raw, includes in page:
                one = read_id(raw.get("id"))
                if _is_old(raw, known, floor):
                    continue
                newest = max(newest, one, key=rank)
                found.take(raw, includes, self._message)
            token = next_page(body)
            if not token or any(_is_old(raw, known, floor) for raw, _ in page):
                break
        return newest


def _is_old(raw: Mapping[str, Any], known: str, floor: str) -> bool:
    """What bears no id or no time is taken: it is told of, and its key keeps it single."""
    one, at = read_id(raw.get("id")), read_string(raw.get("created_at"))
    return (bool(one) and rank(one) <= rank(known)) if known else bool(at) and at < floor
