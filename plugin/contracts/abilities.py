"""What an adapter can carry, in words: one list of rows for the READMEs, the matrix of the docs, `crossdesk platforms` and whoever else shows it.

Made from the declared capabilities and from nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from enum import Enum, IntEnum
from typing import Any

from plugin.contracts.capabilities import Capabilities, Idempotency, Level, Limits, Readback, Ruler
from plugin.domain.events import (
    ArticleAdded,
    ContactReachability,
    DeliveryUpdated,
    Event,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
    TicketChanged,
    TicketTouched,
)
from plugin.domain.model import Visibility
from plugin.domain.text import MarkKind

_LEVELS = {
    Level.REJECTED: "no",
    Level.DROPPED: "left out, with a remark",
    Level.FALLBACK: "in another form",
    Level.PARTIAL: "in part",
    Level.FULL: "yes",
}
_CARRIED = {
    "receives": "messages in",
    "replies_public": "public replies",
    "replies_private": "private replies",
    "attachments_in": "files in",
    "attachments_out": "files out",
    "edits_in": "edits by customers",
    "edits_out": "edits by agents",
    "deletes_in": "deletions by customers",
    "deletes_out": "deletions by agents",
    "threads": "threads",
    "reactions_in": "reactions",
    "delivery_reports": "delivery reports",
    "hides": "hiding what others said",
    "templates": "prepared texts when the reply window is shut",
    "listens": "saved searches",
}
_FILED = {
    "replies_public": "agents' replies in public conversations",
    "replies_private": "agents' replies in private conversations",
    "attachments_out": "customers' files",
    "attachments_in": "agents' files",
    "flips": "held replies made internal until they leave",
}
"""What counts at a helpdesk; the rest is the platform's affair."""
_EVENTS: dict[type[Event], str] = {
    MessageReceived: "messages",
    MessageEdited: "edits",
    MessageDeleted: "deletions",
    ReactionChanged: "reactions",
    DeliveryUpdated: "deliveries",
    ContactReachability: "whether a contact can be reached",
    ArticleAdded: "articles and notes",
    TicketTouched: "that a ticket changed",
    TicketChanged: "changes of tickets",
}
_OF_HELPDESKS = frozenset[type[Event]]([ArticleAdded, TicketTouched, TicketChanged])
_MARKS = {MarkKind.PRE: "code blocks", MarkKind.STRIKE: "struck out", MarkKind.LINK: "links", MarkKind.MENTION: "mentions"}


GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "What comes in",
        (
            "messages in",
            "files in",
            "edits by customers",
            "deletions by customers",
            "reactions",
            "delivery reports",
            "threads",
            "saved searches",
        ),
    ),
    (
        "What goes out",
        (
            "public replies",
            "private replies",
            "files out",
            "edits by agents",
            "deletions by agents",
            "formatting sent",
            "answers to press",
            "hiding what others said",
            "prepared texts when the reply window is shut",
        ),
    ),
    (
        "Limits",
        (
            "longest text",
            "files in one message",
            "largest file",
            "kinds of file",
            "can be edited for",
            "can be answered for",
            "can be answered for, in private",
        ),
    ),
    (
        "Rules",
        (
            "who may be answered in public",
            "a link in a public reply",
            "when no answer came to a call",
            "when no answer came to a call, in private",
        ),
    ),
)
"""The rows of platforms side by side: headings, and the names of the rows below each."""


def rows(capabilities: Capabilities) -> list[tuple[str, str]]:
    """Every ability and limit: what it is, and how far it goes."""
    return [*_abilities(capabilities), *_limits(capabilities.limits), *_private(capabilities), *_ends(capabilities)]


def as_data(capabilities: Capabilities) -> dict[str, Any]:
    """The same for programs: names as they are declared, levels as words, sizes in bytes, times in seconds, null where no limit is known."""
    return {field.name: _plain(getattr(capabilities, field.name)) for field in fields(capabilities)}


def _plain(value: Any) -> Any:
    match value:
        case IntEnum():
            return value.name.lower()
        case Enum():
            return value.value
        case Ruler():
            return {"name": value.name, "unit": value.unit}
        case Limits():
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        case frozenset():
            return sorted(item.__name__ if isinstance(item, type) else str(_plain(item)) for item in value)
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _abilities(capabilities: Capabilities) -> Iterator[tuple[str, str]]:
    for name, words in (_FILED if capabilities.events <= _OF_HELPDESKS else _CARRIED).items():
        yield words, _LEVELS[getattr(capabilities, name)]
    if not capabilities.events <= _OF_HELPDESKS:
        yield "answers to press", _choices(capabilities)
    yield "conversations", _list(one.value for one in capabilities.visibilities)
    yield "formatting sent", _list(sorted(_MARKS.get(kind, kind.value) for kind in capabilities.marks))
    yield "tells of", _list(words for kind, words in _EVENTS.items() if kind in capabilities.events)


def _choices(capabilities: Capabilities) -> str:
    limits, level = capabilities.limits_of(Visibility.PRIVATE), _LEVELS[capabilities.choices]
    if not limits.choices_per_message:
        return level
    longest = f" of {limits.choice_length} characters" if limits.choice_length is not None else ""
    return f"{level}, in private: {limits.choices_per_message}{longest}"


def _ends(capabilities: Capabilities) -> Iterator[tuple[str, str]]:
    if capabilities.edits_out >= Level.PARTIAL:
        yield "can be edited for", _span(capabilities.limits.edit_window)
    if not capabilities.events <= _OF_HELPDESKS:
        yield "can be answered for", _span(capabilities.limits.reply_window)
        private = capabilities.limits_of(Visibility.PRIVATE).reply_window
        if private != capabilities.limits.reply_window:
            yield "can be answered for, in private", _span(private)
        yield "who may be answered in public", capabilities.may_answer or "everybody who can be read"
        if capabilities.link_cost:
            yield "a link in a public reply", capabilities.link_cost
    silence = {visibility: _after_silence(capabilities, visibility) for visibility in Visibility}
    yield "when no answer came to a call", silence[Visibility.PUBLIC]
    if silence[Visibility.PRIVATE] != silence[Visibility.PUBLIC]:
        yield "when no answer came to a call, in private", silence[Visibility.PRIVATE]


def _after_silence(capabilities: Capabilities, visibility: Visibility) -> str:
    if capabilities.idempotency_of(visibility) is not Idempotency.NONE:
        return "it is made again; the same call twice has one effect"
    if capabilities.readback_of(visibility) is Readback.NONE:
        return "a person looks and decides; it is never made again by itself"
    lag = capabilities.lag_of(visibility)
    return "it is looked up before it is made again" + (f", {_span(lag)} later" if lag else "")


def _limits(limits: Limits) -> Iterator[tuple[str, str]]:
    unit = limits.ruler.unit if limits.ruler is not None else "characters"
    yield "longest text", _count(limits.text_length, unit)
    if limits.caption_length is not None:
        yield "longest text beside a file", _count(limits.caption_length, unit)
    yield "files in one message", str(limits.files_per_message or "none")
    if limits.files_per_message:
        yield "largest file", _size(limits.file_bytes)
        yield "kinds of file", ", ".join(f"`{kind}`" for kind in limits.content_types) or "any"
    yield "calls in a second", "no known limit" if limits.calls_per_second is None else f"{limits.calls_per_second:g}"
    yield "calls at once", str(limits.concurrency)


def _private(capabilities: Capabilities) -> Iterator[tuple[str, str]]:
    """Where private messages have limits of their own: those that differ."""
    if capabilities.private_limits is not None:
        public = set(_limits(capabilities.limits))
        yield from (
            (f"{words}, in private", value) for words, value in _limits(capabilities.private_limits) if (words, value) not in public
        )


def _list(items: Iterator[str] | list[str]) -> str:
    return ", ".join(items) or "none"


def _count(number: int | None, unit: str) -> str:
    return "no known limit" if number is None else f"{number:,} {unit}"


def _size(number: int | None) -> str:
    if number is None:
        return "no known limit"
    for size, unit in ((1 << 20, "MiB"), (1_000_000, "MB"), (1_000, "kB")):
        if number % size == 0:
            return f"{number // size:,} {unit}"
    return f"{number:,} bytes"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "no known limit"
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} seconds"
