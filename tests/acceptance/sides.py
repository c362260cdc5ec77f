"""Both sides of the scripted conversation on each network and helpdesk: customers by their platforms' own ways, agents by their helpdesks'."""

from __future__ import annotations

from typing import Any

from tests.acceptance.script import PRIVATE, PUBLIC
from tests.bluesky_customer import BlueskyCustomer, Post
from tests.faults.stage import Stage
from tests.matrix_customer import Customer
from tests.rt_agent import RtAgent
from tests.waiting import eventually
from ui_extensions.rehearsal.desk.rows import CLOSED, Article, Group, Ticket
from ui_extensions.rehearsal.network.model import Kind


class MatrixSide:
    """A public room, and a private one with the bot as soon as the customer writes there."""

    place, has_private = "channel:matrix", True

    def __init__(self, customer: Customer, bot: str, room: str) -> None:
        self._customer, self._bot, self._room = customer, bot, room
        self._direct = ""

    def post(self, words: str) -> None:
        """In the public room, once the bot is there."""
        eventually(lambda: self._bot in self._customer.members(self._room), seconds=60)
        self._customer.send(self._room, words)

    def message(self, words: str) -> None:
        """In a room of their own."""
        if not self._direct:
            self._direct = self._customer.create_room(self._bot)
            eventually(lambda: self._bot in self._customer.members(self._direct), seconds=60)
        self._customer.send(self._direct, words)

    def saw(self) -> list[tuple[str, str]]:
        """What the bot said in either room."""
        rooms = [(PUBLIC, self._room), *([(PRIVATE, self._direct)] if self._direct else [])]
        return [
            (where, event["content"]["body"])
            for where, room in rooms
            for event in self._customer.messages(room)
            if event["sender"] == self._bot
        ]


class BlueskySide:
    """A post that mentions the company, and the thread below it."""

    place, has_private = "channel:bluesky", False

    def __init__(self, customer: BlueskyCustomer, brand: BlueskyCustomer) -> None:
        self._customer, self._brand = customer, brand
        self._question: Post | None = None

    def post(self, words: str) -> None:
        """The question, then answers to what the company said last."""
        if self._question is None:
            self._question = self._customer.post(f"@{self._brand.handle} {words}", mentions=[self._brand])
            return
        ours = self._ours()
        self._customer.post(words, reply_to=ours[-1]["uri"] if ours else self._question.uri)

    def message(self, words: str) -> None:
        """There is no private way here."""
        raise AssertionError(f"the script has no private messages on Bluesky: {words}")

    def saw(self) -> list[tuple[str, str]]:
        """The company's posts in the thread."""
        return [(PUBLIC, post["record"]["text"]) for post in self._ours()]

    def _ours(self) -> list[dict[str, Any]]:
        if self._question is None:
            return []
        ours = [post for post in self._customer.all_below(self._question) if post["author"]["did"] == self._brand.did]
        return sorted(ours, key=lambda post: str(post["record"]["createdAt"]))


class PracticeSide:
    """The practice network."""

    place, has_private = "channel:practice", True

    def __init__(self, stage: Stage) -> None:
        self._network = stage.network
        self._customer = stage.network.add_customer("maria", "Maria Lindgren")
        self._first = ""

    def post(self, words: str) -> None:
        """A post that mentions the company, and answers below it."""
        made = self._network.publish(self._customer, f"@acme {words}", reply_to=self._first)
        self._first = self._first or made.post_id

    def message(self, words: str) -> None:
        """A message to the company."""
        self._network.publish(self._customer, words, kind=Kind.MESSAGE, to=self._network.company.user_id)

    def saw(self) -> list[tuple[str, str]]:
        """What the company said."""
        return [(PUBLIC if post.kind is Kind.POST else PRIVATE, post.text) for post in self._network.said_by(self._network.company)]


class PracticeDesk:
    """The practice desk, through its API as agents' browsers use it."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._desk = stage, stage.desk

    def reply(self, ticket: str, words: str) -> None:
        """A public article."""
        self._stage.answer(int(ticket), words)

    def note(self, ticket: str, words: str) -> None:
        """An internal article."""
        self._stage.answer(int(ticket), words, internal=True)

    def close(self, ticket: str) -> None:
        """Set the state to closed."""
        self._stage.close(int(ticket))

    def said(self, ticket: str) -> list[str]:
        """The bodies of all articles."""
        return [article.body for article in self._desk.all(Article) if article.ticket_id == int(ticket)]

    def look(self, ticket: str) -> tuple[str, bool]:
        """The group's name, and whether the state is closed."""
        with self._desk.lock:
            row = next(row for row in self._desk.all(Ticket) if row.id == int(ticket))
            (group,) = [group.name for group in self._desk.all(Group) if group.id == row.group_id]
            return group, row.state_id == CLOSED


class RtDesk:
    """A real Request Tracker."""

    def __init__(self, agent: RtAgent) -> None:
        self._agent = agent

    def reply(self, ticket: str, words: str) -> None:
        """Correspondence."""
        self._agent.reply(ticket, words, content_type="text/plain")

    def note(self, ticket: str, words: str) -> None:
        """A comment."""
        self._agent.comment(ticket, words, content_type="text/plain")

    def close(self, ticket: str) -> None:
        """Resolve it."""
        self._agent.resolve(ticket)

    def said(self, ticket: str) -> list[str]:
        """The bodies of all entries."""
        return [body for _, _, body in self._agent.texts(ticket)]

    def look(self, ticket: str) -> tuple[str, bool]:
        """The queue, and whether the status is a closed one."""
        shown = self._agent.ticket(ticket)
        return shown["Queue"]["Name"], shown["Status"] in {"resolved", "rejected"}
