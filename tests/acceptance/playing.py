"""Plays a script on a platform and a helpdesk through a running bridge, and compares both sides with it after every step.

What the customer and the agents see is read from their own sides; the bridge's database is asked only for what has no side: stage, decisions,
what is held, and whether all work is done.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Protocol

from sqlalchemy import text

from plugin.handlers import pressing
from plugin.handlers.pressing import Press
from plugin.store.database import Database
from tests.acceptance.script import CLOSED, PUBLIC, Step

_SECONDS = 120.0
_COURTESY = "We will answer by"
"""A receipt out of hours: whether one comes depends on when the test runs, and at most one does."""
_LOST = frozenset({"fold: one clock per person", "receipt: out of hours"})


class Network(Protocol):
    """The customer's side."""

    place: str
    has_private: bool

    def post(self, words: str) -> None:
        """Say something in public."""
        ...

    def message(self, words: str) -> None:
        """Say something in private."""
        ...

    def saw(self) -> list[tuple[str, str]]:
        """Everything that the company said, in order of each place: (where, words)."""
        ...


class Desk(Protocol):
    """The agent's side."""

    def reply(self, ticket: str, words: str) -> None:
        """Answer the customer."""
        ...

    def note(self, ticket: str, words: str) -> None:
        """Write for colleagues alone."""
        ...

    def close(self, ticket: str) -> None:
        """Close the ticket as agents do."""
        ...

    def said(self, ticket: str) -> list[str]:
        """Every entry in the ticket, oldest first."""
        ...

    def look(self, ticket: str) -> tuple[str, bool]:
        """The ticket's group, and whether it is closed."""
        ...


class Play:
    """One conversation being played."""

    def __init__(self, network: Network, desk: Desk, database: Database) -> None:
        self._network, self._desk, self._database = network, desk, database
        self._said, self._replied = 0, 0
        self._saw: Counter[tuple[str, str]] = Counter()
        self._entries: list[str] = []
        self._held: set[int] = set()
        self._decisions = 0
        self._courtesies = 0

    def play(self, steps: tuple[Step, ...]) -> None:
        """All of it; the first step of which something else came fails, with what came."""
        for step in steps:
            self._do(step)
            self._compare(step)
        self._count(steps)

    def _do(self, step: Step) -> None:
        match step.does:
            case "posts":
                self._said += 1
                self._network.post(step.words)
            case "writes privately":
                self._said += 1
                self._network.message(step.words)
            case "replies":
                self._replied += 1
                self._desk.reply(self._ticket, step.words)
            case "notes":
                self._desk.note(self._ticket, step.words)
            case "closes the ticket":
                self._desk.close(self._ticket)
            case _:
                action = step.does.removeprefix("presses ")
                pressing.press(self._database, self._first, Press(action=action, actor="Ada Agent", role=step.who, reason=step.reason))

    def _compare(self, step: Step) -> None:
        until = time.monotonic() + _SECONDS
        number = ""
        while True:
            is_quiet = self._is_quiet()
            number = number or str(self._value("SELECT ticket_number FROM conversation WHERE id = :id", id=self._first) or "")
            wanted = self._wanted(step, number)
            found = self._found(step) if is_quiet and number else {}
            if found == wanted:
                break
            assert time.monotonic() < until, f"{self._network.place}, {step}: {found or 'still at work'}, wanted {wanted}"
            time.sleep(0.2)
        self._keep()

    def _wanted(self, step: Step, number: str) -> dict[str, Any]:
        return {
            "sees": sorted((where, words.replace("{number}", number)) for where, words in step.sees),
            "held": sorted(step.held),
            "notes": sorted(step.notes),
            "decided": sorted(step.decided),
            "stage": step.stage,
            "group": step.group,
            "ticket": step.ticket,
        }

    def _found(self, step: Step) -> dict[str, Any]:
        """What came of the step in the script's own words where they are in it, else whole."""
        number = str(self._value("SELECT ticket_number FROM conversation WHERE id = :id", id=self._first))
        sees = [(where, words.replace("{number}", number)) for where, words in step.sees]
        saw = [seen for seen in (Counter(self._network.saw()) - self._saw).elements() if not is_courtesy(seen[1])]
        held = [f"{row.reason}: {row.reason_text}" for row in self._wishes() if row.id not in self._held]
        new = self._desk.said(self._ticket)[len(self._entries) :]
        group, is_closed = self._desk.look(self._ticket)
        rules = self._rules()[self._decisions :]
        return {
            "sees": sorted((where, _shortened(words, [want for place, want in sees if place == where])) for where, words in saw),
            "held": sorted(_shortened(why, step.held) for why in held),
            "notes": sorted(note for note in step.notes if any(note in entry for entry in new)),
            "decided": sorted(
                rule for rule in rules if rule in step.decided or rule.startswith(("crossover", "answer", "action", "broken"))
            ),
            "stage": self._value(
                "SELECT stage FROM conversation WHERE id = (SELECT COALESCE(continued_by, id) FROM conversation WHERE id = :id)",
                id=self._first,
            ),
            "group": group,
            "ticket": CLOSED if is_closed else "open",
        }

    def _keep(self) -> None:
        self._saw = Counter(self._network.saw())
        self._courtesies = sum(is_courtesy(words) for _, words in self._saw.elements())
        self._entries = self._desk.said(self._ticket)
        self._held = {row.id for row in self._wishes()}
        self._decisions = len(self._rules())

    def _count(self, steps: tuple[Step, ...]) -> None:
        """At the end: every message once on the other side, nothing of ours where it does not belong, and the end that was confirmed."""
        seen, entries = [words for _, words in self._network.saw()], self._desk.said(self._ticket)
        for step in steps:
            if step.who == "customer" and len(step.words) > 1:
                assert sum(step.words in entry for entry in entries) == 1, (step, entries)
            if step.does == "notes":
                assert not any(step.words in words for words in seen), seen
            if step.does == "replies":
                assert sum(step.words in words for words in seen) <= 1, (step, seen)
        told = [words for words in seen if "you will hear from us by" in words.casefold() or "This is now ticket" in words]
        assert len(told) == 1, told
        assert self._courtesies <= 1, seen
        outcome = (
            "SELECT crossover->>'outcome' FROM conversation WHERE id = (SELECT COALESCE(continued_by, id) FROM conversation WHERE id = :id)"
        )
        assert self._value(outcome, id=self._first) == "confirmed"
        assert len(set(self._tickets())) == 1
        if self._network.has_private:
            handed = next(index for index, step in enumerate(steps) if step.stage == "handoff")
            for step in steps[handed:]:
                assert not any(where == PUBLIC and step.words in words for where, words in self._network.saw() if step.does == "replies")

    # What the database knows

    @property
    def _first(self) -> int:
        return int(self._value("SELECT COALESCE(min(id), 0) FROM conversation WHERE place = :place", place=self._network.place))

    @property
    def _ticket(self) -> str:
        return str(self._value("SELECT ticket_ref FROM conversation WHERE id = :id", id=self._first))

    def _tickets(self) -> list[str]:
        return [row.ticket_ref for row in self._rows("SELECT ticket_ref FROM conversation WHERE place = :place", place=self._network.place)]

    def _wishes(self) -> list[Any]:
        query = "SELECT i.id, i.reason, i.reason_text FROM intent i JOIN conversation c ON c.id = i.conversation_id WHERE i.state = 'held' AND c.place = :place"
        return self._rows(query, place=self._network.place)

    def _rules(self) -> list[str]:
        query = "SELECT d.kind, d.rule FROM decision d JOIN conversation c ON c.id = d.conversation_id WHERE c.place = :place ORDER BY d.id"
        found = [f"{row.kind}: {row.rule}" for row in self._rows(query, place=self._network.place)]
        return [rule for rule in found if rule not in _LOST]

    def _is_quiet(self) -> bool:
        """Whether what was done has arrived, and nothing is being worked on."""
        (row,) = self._rows(
            """
            SELECT (SELECT count(*) FROM message m JOIN conversation c ON c.id = m.conversation_id
                    WHERE c.place = :place AND m.direction = 'inbound') AS said,
                   (SELECT count(*) FROM message m JOIN conversation c ON c.id = m.conversation_id
                    WHERE c.place = :place AND m.direction = 'outbound') AS replied,
                   (SELECT count(*) FROM receipt WHERE state IN ('new', 'retry'))
                   + (SELECT count(*) FROM inbound_event e JOIN conversation c ON c.id = e.conversation_id
                      WHERE c.place = :place AND (e.state IN ('accepted', 'retry') OR (e.state = 'waiting' AND e.kind <> 'TimerElapsed')))
                   + (SELECT count(*) FROM intent i JOIN conversation c ON c.id = i.conversation_id
                      WHERE c.place = :place AND i.state IN ('pending', 'sending', 'unknown')) AS open
            """,
            place=self._network.place,
        )
        return bool(row.said >= self._said and row.replied >= self._replied and row.open == 0)

    def _value(self, query: str, **parameters: Any) -> Any:
        rows = self._rows(query, **parameters)
        return rows[0][0] if rows else None

    def _rows(self, query: str, **parameters: Any) -> list[Any]:
        with self._database.begin() as connection:
            return list(connection.execute(text(query), parameters).all())


def is_courtesy(words: str) -> bool:
    """Whether it is a receipt out of hours."""
    return _COURTESY in words


def _shortened(words: str, wanted: Any) -> str:
    """The wanted words that are in it, else all of them."""
    return next((want for want in wanted if want in words), words)
