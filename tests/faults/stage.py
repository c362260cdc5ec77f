"""Both sides of the bridge, in the harness's own process, so that they outlive every kill: customers write, an agent answers, an oracle reads.

The oracle never asks the bridge what it did. What a side holds is read from that side; only what is missing there is looked up in the ledger.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from tests.servers.registry import free_port
from ui_extensions.rehearsal.app import Rehearsal, create_rehearsal
from ui_extensions.rehearsal.desk.app import DeskSettings, Staff
from ui_extensions.rehearsal.desk.rows import CUSTOMER, Article
from ui_extensions.rehearsal.desk.webhooks import Endpoint
from ui_extensions.rehearsal.network.app import NetworkSettings
from ui_extensions.rehearsal.network.model import Kind, Post, User
from ui_extensions.rehearsal.serving import background, bind

_OURS = secrets.token_hex(5)
"""Two runs on one machine may come by the same port, one after the other: what is sent to the other's receiver must be refused there."""
SECRETS = {
    **{
        name: f"{name.replace('_', '-')}-{_OURS}"
        for name in (
            "company_token",
            "network_secret",
            "bridge_token",
            "agent_token",
            "desk_secret",
            "control_token",
        )
    },
    "key": "ZmF1bHQtaGFybmVzcy1mYXVsdC1oYXJuZXNzLTAwMDA=",
}
_WORDS = re.compile(r"\b([qa])(\d+)\.(\d+)(e\d+)?\b")
_TOMBSTONE = "deleted this message"
_LATE = "the platform told of it late"


@dataclass(slots=True)
class Said:
    """One conversation as the stage knows it: what was written on either side, in order."""

    number: int
    customer: User
    is_private: bool
    posts: list[Post] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    questions: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What the oracle saw. `missing` names what a side lacks; `doubled` and `reordered` what it holds twice or in the wrong place."""

    written: int
    filed: int
    answered: int
    delivered: int
    missing: tuple[str, ...]
    doubled: tuple[str, ...]
    reordered: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


class Stage:
    """A practice network and a practice desk at `url`, whose webhooks go to `receiver_port`."""

    def __init__(self, rehearsal: Rehearsal, url: str, receiver_port: int) -> None:
        self.rehearsal, self.url, self.receiver_port = rehearsal, url, receiver_port
        self.network, self.desk = rehearsal.network.network, rehearsal.desk.desk
        self.conversations: list[Said] = []
        self._agent = Client(rehearsal.desk_side.wsgi_app._application)  # type: ignore[attr-defined]
        self._answered_to = 0
        self._lock = threading.Lock()

    # -- what people do

    def open(self, count: int) -> None:
        """Add conversations: every other one is private."""
        for number in range(len(self.conversations), len(self.conversations) + count):
            customer = self.network.add_customer(f"customer{number}", f"Customer {number}")
            self.conversations.append(Said(number, customer, is_private=number % 2 == 1))

    def write(self, said: Said) -> str:
        """The customer says the next thing."""
        words = f"q{said.number}.{len(said.questions)}"
        with self._lock:
            said.questions.append(words)
        if said.is_private:
            post = self.network.publish(said.customer, words, kind=Kind.MESSAGE, to=self.network.company.user_id)
        else:
            post = self.network.publish(said.customer, f"@acme {words}", reply_to=said.posts[0].post_id if said.posts else "")
        said.posts.append(post)
        return words

    def edit(self, said: Said, index: int) -> None:
        """The customer changes something that still stands."""
        post = said.posts[index]
        words = f"q{said.number}.{index}e{len(said.edits)}"
        with self._lock:
            said.edits.append(words)
        said.posts[index] = self.network.edit(said.customer, post.post_id, kind=post.kind, text=words)

    def delete(self, said: Said, index: int) -> None:
        """The customer takes something back."""
        post = said.posts[index]
        with self._lock:
            said.deleted.add(f"q{said.number}.{index}")
        self.network.delete(said.customer, post.post_id, kind=post.kind)

    def answer_new(self, every: int = 2) -> int:
        """The agent answers each `every`-th question that was not looked at before. Returns how many."""
        made = 0
        for article in self._articles(after=self._answered_to):
            self._answered_to = article.id
            found = _WORDS.search(article.body)
            if found is None or article.sender_id != CUSTOMER or found[4] or int(found[3]) % every:
                continue
            said = self.conversations[int(found[2])]
            words = f"a{found[2]}.{found[3]}"
            if words in said.answers:
                continue  # A doubled question; the count will tell.
            self.answer(article.ticket_id, f"answer {words}")
            with self._lock:
                said.answers.append(words)
            made += 1
        return made

    def answer(self, ticket_id: int, text: str, *, internal: bool = False) -> None:
        """The agent writes into a ticket, past every fault."""
        self._put(ticket_id, {"article": {"type": "phone", "internal": internal, "body": text, "content_type": "text/plain"}})

    def close(self, ticket_id: int) -> None:
        """The agent closes a ticket."""
        self._put(ticket_id, {"state": "closed"})

    def _put(self, ticket_id: int, change: dict[str, Any]) -> None:
        headers = {"Authorization": f"Token token={SECRETS['agent_token']}", "Accept": "application/json"}
        answer = self._agent.put(f"/api/v1/tickets/{ticket_id}", json=change, headers=headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)

    # -- the oracle

    def count(self) -> Count:
        """Read both sides."""
        with self._lock:
            wanted = {words for said in self.conversations for words in (*said.questions, *said.edits, *said.answers)}
            tombstones = {said.number: len(said.deleted) for said in self.conversations}
            asked = [words for said in self.conversations for words in said.answers]
            answers = {said.number: list(said.answers) for said in self.conversations}
        filed, buried, twisted = self._filed()
        delivered = self._delivered()
        held = [*filed, *delivered]
        missing = sorted(wanted - set(held))
        doubled = sorted({words for words in held if held.count(words) > 1}) if len(held) != len(set(held)) else []
        for number, deletions in tombstones.items():
            missing += [f"tombstone of {number}"] * max(0, deletions - buried.get(number, 0))
            doubled += [f"tombstone of {number}"] * max(0, buried.get(number, 0) - deletions)
        for number, expected in answers.items():
            seen = list(dict.fromkeys(words for words in delivered if words.startswith(f"a{number}.")))
            twisted += [words for words, right in zip(seen, [words for words in expected if words in seen], strict=False) if words != right]
        return Count(
            written=sum(len(said.questions) + len(said.edits) + len(said.deleted) for said in self.conversations),
            filed=len(set(filed)) + sum(buried.values()),
            answered=len(asked),
            delivered=len(set(delivered)),
            missing=tuple(missing),
            doubled=tuple(doubled),
            reordered=tuple(twisted),
        )

    def _filed(self) -> tuple[list[str], dict[int, int], list[str]]:
        """What the desk holds: words, tombstones of each conversation, and words that stand in the wrong place."""
        words: list[str] = []
        twisted: list[str] = []
        buried: dict[int, int] = {}
        conversation_of: dict[int, int] = {}
        last: dict[int, int] = {}
        seen: set[str] = set()
        for article in self._articles():
            if _TOMBSTONE in article.body:
                number = conversation_of.get(article.ticket_id, -1)
                buried[number] = buried.get(number, 0) + 1
                continue
            found = _WORDS.search(article.body)
            if found is None or found[1] != "q" or article.sender_id != CUSTOMER:
                continue
            words.append(found[0])
            number, turn = int(found[2]), int(found[3])
            conversation_of[article.ticket_id] = number
            if found[4]:
                twisted += [found[0]] if f"q{number}.{turn}" not in seen else []
            elif found[0] not in seen:
                # What a platform told too late can only stand further down; then it must say so.
                twisted += [found[0]] if turn < last.get(number, -1) and _LATE not in article.body else []
                last[number] = max(turn, last.get(number, -1))
            seen.add(found[0])
        return words, buried, twisted

    def _delivered(self) -> list[str]:
        posts = self.network.said_by(self.network.company)
        return [found[0] for post in posts if (found := _WORDS.search(post.text)) and found[1] == "a"]

    def _articles(self, *, after: int = 0) -> list[Article]:
        with self.desk.lock:
            return sorted((article for article in self.desk.all(Article) if article.id > after), key=lambda article: article.id)


def configuration(stage: Stage, folder: Path, *, database: str, redis: str, **engine: str | float) -> Path:
    """A `crossdesk.toml` for the stage with the engine's times scaled down."""
    settings: dict[str, str | float] = {
        "lease_seconds": 2,
        "turn_seconds": 1.5,
        "settle_seconds": 1.0,
        "backoff_base": 0.1,
        "backoff_cap": 1.0,
        "sweep_seconds": 0.2,
        "poll_floor_seconds": 0.2,
        "reply_wait_seconds": 1,
        "parent_wait_seconds": 20,
        "loop_turns": 1000,
        "loop_pace_seconds": 0,
        **engine,
    }
    path = folder / "crossdesk.toml"
    path.write_text(
        f"""[crossdesk]
public_url = "http://127.0.0.1:{stage.receiver_port}"
data_dir = "{folder / "data"}"

[database]
url = "{database}"

[redis]
url = "{redis}"

[receiver]
port = {stage.receiver_port}

[worker]
threads = 4

[secrets]
keys = ["{SECRETS["key"]}"]

[engine]
{chr(10).join(f"{name} = {value}" for name, value in settings.items())}

[helpdesk.desk]
kind = "zammad"
url = "{stage.url}/desk"
group = "Social"
token = "{SECRETS["bridge_token"]}"
webhook_token = "{SECRETS["desk_secret"]}"
poll_seconds = 1
timeout = 2

[channel.practice]
platform = "rehearsal"
url = "{stage.url}/network"
token = "{SECRETS["company_token"]}"
webhook_secret = "{SECRETS["network_secret"]}"
poll_seconds = 1
""",
        encoding="utf-8",
    )
    path.chmod(0o600)
    return path


@contextmanager
def raised(receiver_port: int | None = None, *, groups: Sequence[str] = ("Users", "Social")) -> Iterator[Stage]:
    """A stage that stands while entered. Its webhooks come again quickly: the harness cannot wait for a platform's patience."""
    receiver = receiver_port or free_port()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    network = NetworkSettings(
        token=SECRETS["company_token"],
        webhook_url=f"http://127.0.0.1:{receiver}/in/channel/practice",
        webhook_secret=SECRETS["network_secret"],
        control_token=SECRETS["control_token"],
    )
    desk = DeskSettings(
        bridge=Staff(login="crossdesk@acme.example", token=SECRETS["bridge_token"], firstname="Crossdesk"),
        staff=(Staff(login="ada@acme.example", token=SECRETS["agent_token"], firstname="Ada", lastname="Okafor"),),
        webhook=Endpoint(url=f"http://127.0.0.1:{receiver}/in/helpdesk/desk", token=SECRETS["desk_secret"], base_url=url, time_scale=0.02),
        control_token=SECRETS["control_token"],
        groups=tuple(groups),
    )
    with ExitStack() as stack:
        rehearsal = create_rehearsal(network, desk, base_url=url)
        stack.callback(rehearsal.stop)
        rehearsal.network.pump._first_delay = 0.05
        stack.enter_context(background(bind(lambda _: rehearsal, port=port)))
        yield Stage(rehearsal, url, receiver)


def secrets_in(text: str) -> list[Any]:
    """The names of the stage's secrets that `text` shows."""
    return [name for name, secret in SECRETS.items() if secret in text]
