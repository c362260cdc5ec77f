"""The desk's memory: rows by id, the indexes that keep every call from scanning, one lock, and the journal behind it.

Knows nothing of HTTP, rights or Zammad's rules (`rules.py`). Readers may hold on to a row; only `rules.py` changes one, inside `writing()`.
"""

from __future__ import annotations

import bisect
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from ui_extensions.rehearsal.desk.journal import Journal
from ui_extensions.rehearsal.desk.rows import (
    NOBODY,
    AdminObject,
    Article,
    Group,
    HistoryEntry,
    Job,
    Link,
    Row,
    StoredFile,
    Ticket,
    User,
    as_data,
    from_data,
    stamp,
)

R = TypeVar("R", User, Group, AdminObject, Ticket, Article, StoredFile, Link, HistoryEntry, Job)


class Desk:
    """All rows of one helpdesk. Every public method may be called from any thread."""

    def __init__(self, file: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.listeners: list[Callable[[], None]] = []
        """Called, without the lock, after each change that was kept."""
        self._journal = Journal(file)
        self._tables: dict[Any, dict[int, Any]] = defaultdict(dict)
        self._next: dict[Any, int] = defaultdict(lambda: 1)
        self._unsaved: dict[tuple[type[Row], int], Row | None] = {}
        self._depth = 0
        self._login: dict[str, int] = {}
        self._email: dict[str, int] = {}
        self._number: dict[str, int] = {}
        self._of_customer: dict[int, set[int]] = defaultdict(set)
        self._customer_of: dict[int, int] = {}
        self._by_update: list[tuple[str, int]] = []
        self._update_of: dict[int, str] = {}
        self._of_ticket: dict[int, list[int]] = defaultdict(list)
        self._ticket_of: dict[int, int] = {}
        self._message: dict[str, list[int]] = defaultdict(list)
        self._links: dict[int, list[int]] = defaultdict(list)
        self._history: dict[int, list[int]] = defaultdict(list)
        for kind, data in self._journal.load():
            row = from_data(kind, data)
            self._enter(row)
        with self.writing():
            if not self._tables[User]:
                self.put(User(id=NOBODY, login="-", firstname="-", active=False, role_ids=[], created_at=stamp(), updated_at=stamp()))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock; keep what was changed even when the block raises, as the real server's articles are."""
        saved = False
        with self.lock:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0 and self._unsaved:
                    unsaved, self._unsaved = self._unsaved, {}
                    self._journal.save((kind.__name__, key, None if row is None else as_data(row)) for (kind, key), row in unsaved.items())
                    saved = True
        if saved:
            for listener in self.listeners:
                listener()

    def close(self) -> None:
        """Let go of the file."""
        with self.lock:
            self._journal.close()

    def new_id(self, kind: type[Row]) -> int:
        """The next free id of a kind."""
        key = self._next[kind]
        self._next[kind] = key + 1
        return key

    def put(self, row: Row) -> None:
        """Keep a new or changed row. Only inside `writing()`."""
        self._enter(row)
        self._unsaved[type(row), row.id] = row

    def remove(self, row: Row) -> None:
        """Forget a row. Only inside `writing()`."""
        self._leave(row)
        del self._tables[type(row)][row.id]
        self._unsaved[type(row), row.id] = None

    def keep_file(self, key: int, content: bytes) -> None:
        """Keep a file's bytes."""
        with self.lock:
            self._journal.keep_file(key, content)

    def file_content(self, key: int) -> bytes:
        """A file's bytes."""
        with self.lock:
            return self._journal.file(key)

    def get(self, kind: type[R], key: int | None) -> R | None:
        """The row of this kind and id, or None."""
        row: R | None = self._tables[kind].get(key) if key is not None else None
        return row

    def all(self, kind: type[R]) -> list[R]:
        """Every row of a kind by rising id."""
        with self.lock:
            return [row for _, row in sorted(self._tables[kind].items())]

    def user_called(self, login: str) -> User | None:
        """The user with this login; logins are kept in lower case."""
        return self.get(User, self._login.get(login.strip().lower()))

    def user_with_email(self, email: str) -> User | None:
        """The user with this e-mail address."""
        return self.get(User, self._email.get(email.strip().lower())) if email.strip() else None

    def group_called(self, name: str) -> Group | None:
        """The group of this name."""
        return next((group for group in self.all(Group) if group.name == name), None)

    def admin_objects(self, kind: str) -> list[AdminObject]:
        """What administrators made of this kind, oldest first."""
        return [row for row in self.all(AdminObject) if row.kind == kind]

    def ticket_numbered(self, number: str) -> Ticket | None:
        """The ticket with this number."""
        return self.get(Ticket, self._number.get(number))

    def tickets_of(self, customer_id: int) -> list[Ticket]:
        """A customer's tickets by rising id."""
        with self.lock:
            return [self._tables[Ticket][key] for key in sorted(self._of_customer.get(customer_id, ()))]

    def tickets_after(self, since: str) -> list[Ticket]:
        """Tickets changed after `since`, oldest change first."""
        with self.lock:
            start = bisect.bisect_right(self._by_update, (since, 1 << 62))
            return [self._tables[Ticket][key] for _, key in self._by_update[start:]]

    def articles_of(self, ticket_id: int) -> list[Article]:
        """A ticket's articles by rising id."""
        with self.lock:
            return [self._tables[Article][key] for key in self._of_ticket.get(ticket_id, ())]

    def articles_with(self, message_id: str) -> list[Article]:
        """Articles with exactly this message id."""
        with self.lock:
            return [self._tables[Article][key] for key in self._message.get(message_id, ())]

    def files_of(self, article: Article) -> list[StoredFile]:
        """An article's files."""
        return [self._tables[StoredFile][key] for key in article.file_ids]

    def links_of(self, ticket_id: int) -> list[Link]:
        """Links that have this ticket on either side."""
        with self.lock:
            return [self._tables[Link][key] for key in self._links.get(ticket_id, ())]

    def history_of(self, ticket_id: int) -> list[HistoryEntry]:
        """A ticket's history, oldest first."""
        with self.lock:
            return [self._tables[HistoryEntry][key] for key in self._history.get(ticket_id, ())]

    def jobs(self) -> list[Job]:
        """Webhooks that wait, oldest first."""
        return self.all(Job)

    def log(self, ticket: Ticket, by: User, **facts: Any) -> None:
        """Add a line to the ticket's history. Only inside `writing()`."""
        entry = {**facts, "created_by_id": by.id, "created_at": later()}
        self.put(HistoryEntry(id=self.new_id(HistoryEntry), ticket_id=ticket.id, facts=entry))

    def _enter(self, row: Row) -> None:
        self._tables[type(row)][row.id] = row
        self._next[type(row)] = max(self._next[type(row)], row.id + 1)
        if isinstance(row, User):
            self._login[row.login] = row.id
            if row.email:
                self._email[row.email] = row.id
        elif isinstance(row, Ticket):
            self._enter_ticket(row)
        elif isinstance(row, Article):
            self._enter_article(row)
        elif isinstance(row, Link):
            for key in {row.source_id, row.target_id}:
                if row.id not in self._links[key]:
                    self._links[key].append(row.id)
        elif isinstance(row, HistoryEntry):
            self._history[row.ticket_id].append(row.id)

    def _enter_ticket(self, row: Ticket) -> None:
        self._number[row.number] = row.id
        before = self._customer_of.get(row.id)
        if before is not None:
            self._of_customer[before].discard(row.id)
        self._customer_of[row.id] = row.customer_id
        self._of_customer[row.customer_id].add(row.id)
        self._forget_update(row.id)
        self._update_of[row.id] = row.updated_at
        bisect.insort(self._by_update, (row.updated_at, row.id))

    def _enter_article(self, row: Article) -> None:
        before = self._ticket_of.get(row.id)
        if before != row.ticket_id:
            if before is not None:
                self._of_ticket[before].remove(row.id)
            elif row.message_id:
                self._message[row.message_id].append(row.id)
            self._ticket_of[row.id] = row.ticket_id
            bisect.insort(self._of_ticket[row.ticket_id], row.id)

    def _leave(self, row: Row) -> None:
        if isinstance(row, Article):
            self._of_ticket[self._ticket_of.pop(row.id)].remove(row.id)
            if row.message_id:
                self._message[row.message_id].remove(row.id)
        elif isinstance(row, Ticket):
            self._number.pop(row.number, None)
            self._of_customer[self._customer_of.pop(row.id)].discard(row.id)
            self._forget_update(row.id)
        elif isinstance(row, Link):
            for key in {row.source_id, row.target_id}:
                self._links[key].remove(row.id)

    def _forget_update(self, ticket_id: int) -> None:
        at = self._update_of.pop(ticket_id, None)
        if at is not None:
            self._by_update.pop(bisect.bisect_left(self._by_update, (at, ticket_id)))


def later(than: str = "") -> str:
    """Now, but at least a millisecond after `than`, so that each change of a row has its own time."""
    now = stamp()
    if now > than:
        return now
    return stamp(datetime.strptime(than, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) + timedelta(milliseconds=1))


def as_stamp(value: str) -> str:
    """A time as sent (`2026-11-21T20:50:00Z`) in the form of the rows, so that both sort as text."""
    plain = value.removesuffix("Z")
    return plain + ("Z" if "." in plain else ".000Z")
