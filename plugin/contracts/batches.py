"""Deliveries that tell several facts at once: each member is read by itself, so that one that cannot be read costs only itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from plugin.contracts.http import storable_text
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import MemberUnreadable, PlatformEvent
from plugin.domain.ids import ThreadKey

_EXCERPT = 500
_NOTHING = "The delivery is empty."


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of a delivery. `read` makes its events, or raises `MalformedPayload` or `UnsupportedEvent`.

    `raw` is the member as it came, JSON data: what tells it from others, and of which an admin sees the beginning when it cannot be read.
    """

    raw: object = field(repr=False)
    read: Callable[[], Iterable[PlatformEvent]]
    thread_key: ThreadKey | None = None
    """Its conversation, as far as that is plain without reading it."""


def unreadable(raw: object, why: str) -> Member:
    """A member that is not even of the shape of one."""

    def refuse() -> Iterable[PlatformEvent]:
        raise MalformedPayload(why)

    return Member(raw=raw, read=refuse)


def unreadable_key(raw: object) -> str:
    """A key for what bears no id that can be read: the same for the same content."""
    return _key(_shown(raw))


def read_members(members: Iterable[Member]) -> list[PlatformEvent]:
    """The events of all members in their order, each key once; a `MemberUnreadable` for each that cannot be read.

    What we do not carry is passed over; only when that is all there is, is it said. Where nothing at all could be read, the delivery is
    kept as the one thing that it is.

    Raises:
        MalformedPayload: members cannot be read, and nothing else is told.
        UnsupportedEvent: nothing in it is carried.
    """
    found: dict[str, PlatformEvent] = {}
    lost: list[tuple[MemberUnreadable, MalformedPayload]] = []
    passed: list[str] = []
    for member in members:
        try:
            events = list(member.read())
        except UnsupportedEvent as kind:
            passed.append(str(kind))
            continue
        except MalformedPayload as problem:
            events = [_lost(member, problem)]
            lost.append((events[0], problem))  # type: ignore[arg-type]
        for event in events:
            found.setdefault(event.event_key, event)
    if lost and all(isinstance(event, MemberUnreadable) for event in found.values()):
        raise lost[0][1]
    if not found:
        raise UnsupportedEvent("; ".join(dict.fromkeys(passed))[:_EXCERPT] or _NOTHING)
    return list(found.values())


def _lost(member: Member, problem: MalformedPayload) -> MemberUnreadable:
    shown = _shown(member.raw)
    return MemberUnreadable(
        event_key=_key(shown),
        reason=storable_text(f"{problem} {problem.detail}".strip()),
        excerpt=shown[:_EXCERPT],
        thread_key=member.thread_key,
    )


def _shown(raw: object) -> str:
    return storable_text(json.dumps(raw, sort_keys=True, ensure_ascii=False, default=repr))


def _key(shown: str) -> str:
    return f"unreadable:{sha256(shown.encode()).hexdigest()[:32]}"
