"""What a desk keeps: users, groups, tickets, articles, files, links, webhook jobs. Knows nothing of HTTP or of Zammad's rules.

Times are text in Zammad's own form (`2026-11-21T20:45:24.246Z`, UTC, milliseconds), which sorts as time does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

STATES = {1: "new", 2: "open", 3: "pending reminder", 4: "closed", 5: "merged", 6: "removed", 7: "pending close"}
PRIORITIES = {1: "1 low", 2: "2 normal", 3: "3 high"}
SENDERS = {1: "Agent", 2: "Customer", 3: "System"}
TYPES = {
    1: "email",
    2: "sms",
    3: "chat",
    4: "fax",
    5: "phone",
    6: "twitter status",
    7: "twitter direct-message",
    8: "facebook feed post",
    9: "facebook feed comment",
    10: "note",
    11: "web",
    12: "telegram personal-message",
    13: "facebook direct-message",
}
ROLES = {1: "Admin", 2: "Agent", 3: "Customer"}

NEW, OPEN, PENDING_REMINDER, CLOSED, MERGED, PENDING_CLOSE = 1, 2, 3, 4, 5, 7
AGENT, CUSTOMER, SYSTEM = 1, 2, 3
CHAT, PHONE, NOTE, WEB = 3, 5, 10, 11
NOBODY = 1
"""The user `-`: owner of what nobody owns."""


def stamp(moment: datetime | None = None) -> str:
    """`moment` (now) as Zammad writes it."""
    at = moment or datetime.now(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


@dataclass(slots=True, kw_only=True)
class User:
    """Somebody with a login. `role_ids` as in `ROLES`; `group_ids` maps groups to rights (`full`, `read`, `create`, `change`)."""

    id: int
    login: str
    firstname: str = ""
    lastname: str = ""
    email: str = ""
    web: str = ""
    phone: str = ""
    mobile: str = ""
    note: str = ""
    active: bool = True
    source: str | None = None
    image_source: str | None = None
    preferences: dict[str, Any] = field(default_factory=dict)
    role_ids: list[int] = field(default_factory=lambda: [3])
    group_ids: dict[int, list[str]] = field(default_factory=dict)
    created_by_id: int = 1
    updated_by_id: int = 1
    created_at: str = ""
    updated_at: str = ""

    @property
    def name(self) -> str:
        """As people read it; the login where there is no name."""
        return f"{self.firstname} {self.lastname}".strip() or self.login

    @property
    def is_agent(self) -> bool:
        """Whether this is staff."""
        return 2 in self.role_ids or 1 in self.role_ids

    @property
    def is_admin(self) -> bool:
        """Whether this may do everything."""
        return 1 in self.role_ids


@dataclass(slots=True, kw_only=True)
class Group:
    """Where tickets are filed. `email_address_id` is None for a group without an address."""

    id: int
    name: str
    email_address_id: int | None = None
    active: bool = True
    note: str | None = None
    follow_up_possible: str = "yes"
    created_at: str = ""


@dataclass(slots=True, kw_only=True)
class AdminObject:
    """Something that an administrator made: `kind` is the route's name (`triggers`), `data` the row without its id."""

    id: int
    kind: str
    data: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Ticket:
    """A ticket with its own data; its articles are found by its id."""

    id: int
    number: str
    title: str
    group_id: int
    customer_id: int
    state_id: int = NEW
    priority_id: int = 2
    owner_id: int = NOBODY
    note: str | None = None
    preferences: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    custom: dict[str, Any] = field(default_factory=dict)
    """Values of attributes that an administrator added."""
    pending_time: str | None = None
    first_response_at: str | None = None
    first_response_in_min: int | None = None
    first_response_diff_in_min: int | None = None
    close_at: str | None = None
    last_close_at: str | None = None
    last_contact_at: str | None = None
    last_contact_agent_at: str | None = None
    last_contact_customer_at: str | None = None
    last_owner_update_at: str | None = None
    create_article_type_id: int | None = None
    create_article_sender_id: int | None = None
    created_by_id: int = 1
    updated_by_id: int = 1
    created_at: str = ""
    updated_at: str = ""


@dataclass(slots=True, kw_only=True)
class Article:
    """One entry of a ticket."""

    id: int
    ticket_id: int
    type_id: int
    sender_id: int
    body: str
    sent_from: str = ""
    to: str | None = None
    cc: str | None = None
    subject: str | None = None
    reply_to: str | None = None
    message_id: str | None = None
    in_reply_to: str | None = None
    references: str | None = None
    content_type: str = "text/plain"
    internal: bool = False
    preferences: dict[str, Any] = field(default_factory=dict)
    origin_by_id: int | None = None
    file_ids: list[int] = field(default_factory=list)
    created_by_id: int = 1
    updated_by_id: int = 1
    created_at: str = ""
    updated_at: str = ""


@dataclass(slots=True, kw_only=True)
class StoredFile:
    """An article's file; its bytes are kept by the journal."""

    id: int
    article_id: int
    filename: str
    size: int
    preferences: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Link:
    """`source` is `kind` of `target`: after a merge the target ticket is `parent` of the merged one."""

    id: int
    kind: str
    source_id: int
    target_id: int
    created_at: str = ""


@dataclass(slots=True, kw_only=True)
class HistoryEntry:
    """One line of a ticket's history."""

    id: int
    ticket_id: int
    facts: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Job:
    """A webhook that waits to be delivered. `due` is a POSIX time in seconds; `key` is the delivery's id, the same on each attempt."""

    id: int
    key: str
    trigger: str
    ticket_id: int
    article_id: int | None
    attempts: int = 0
    due: float = 0.0
    webhook_id: int | None = None
    """The webhook that an administrator made; None for the one that the desk was started with."""


Row = User | Group | AdminObject | Ticket | Article | StoredFile | Link | HistoryEntry | Job
KINDS: dict[str, type[Row]] = {
    kind.__name__: kind for kind in (User, Group, AdminObject, Ticket, Article, StoredFile, Link, HistoryEntry, Job)
}


def as_data(row: Row) -> dict[str, Any]:
    """The row as JSON data."""
    return asdict(row)


def from_data(kind: str, data: dict[str, Any]) -> Row:
    """The reverse of `as_data`."""
    if "group_ids" in data:
        data = {**data, "group_ids": {int(key): rights for key, rights in data["group_ids"].items()}}
    return KINDS[kind](**data)
