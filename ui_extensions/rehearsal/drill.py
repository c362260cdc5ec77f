"""A rehearsal that plays itself: customers post, agents answer, and what arrived is counted on both sides by reading them, not the bridge."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

_READY_SECONDS = 60.0
_SETTLE_SECONDS = 30.0
_STOP_SECONDS = 30.0
_PACE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a drill counted. Times in milliseconds, from the customer's post to its article and from the article to the reply, together."""

    received: int
    filed: int
    replied: int
    delivered: int
    lost: int
    doubled: int
    reordered: int
    p50_ms: float
    p99_ms: float

    @property
    def is_ok(self) -> bool:
        """Whether everything arrived once and in order."""
        return not (self.lost or self.doubled or self.reordered)


def play(command: Sequence[str], folder: Path, *, customers: int, messages: int, tell: Callable[[str], object] | None) -> Outcome:
    """Start a rehearsal with `command`, which practises in `folder`, play, stop it, and count.

    Raises:
        RuntimeError: it did not start; the sentence names its log.
    """
    say = tell or (lambda _: None)
    say("starting the rehearsal ...")
    with started(command, folder) as practice:
        stage = _Stage(practice)
        say(f"{customers} customers write {messages} messages each ...")
        stage.act(customers, messages)
        say("waiting until everything has arrived ...")
        return stage.count()


@contextlib.contextmanager
def started(command: Sequence[str], folder: Path) -> Iterator[dict[str, Any]]:
    """A rehearsal that runs while entered: its ports and secrets.

    Raises:
        RuntimeError: it did not start; the sentence names its log.
    """
    with (folder / "rehearsal.log").open("wb") as log:
        process = subprocess.Popen(list(command), stdout=log, stderr=subprocess.STDOUT, start_new_session=True)  # noqa: S603
    try:
        yield _ready(process, folder)
    finally:
        _stop(process)


def _ready(process: subprocess.Popen[bytes], folder: Path) -> dict[str, Any]:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError, ValueError, requests.RequestException):
            practice: dict[str, Any] = json.loads((folder / "practice.json").read_text(encoding="utf-8"))
            is_up = requests.get(f"http://127.0.0.1:{practice['receiver_port']}/readyz", timeout=2).ok
            if is_up and requests.get(f"http://127.0.0.1:{practice['port']}/healthz", timeout=2).ok:
                return practice
        time.sleep(_PACE)
    tail = (folder / "rehearsal.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"The rehearsal did not start within {_READY_SECONDS:.0f} s; nothing is left running. Its last words:\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class _Stage:
    """The practice network and desk, seen as customers and agents see them."""

    def __init__(self, practice: dict[str, Any]) -> None:
        base = f"http://127.0.0.1:{practice['port']}"
        self._network, self._desk = f"{base}/network", f"{base}/desk/api/v1"
        self._control = {"Authorization": f"Bearer {practice['control_token']}"}
        self._company = {"Authorization": f"Bearer {practice['company_token']}"}
        self._agent = {"Authorization": f"Token token={practice['agent_token']}0", "Accept": "application/json"}
        self._said: dict[str, float] = {}
        self._answered: dict[str, float] = {}
        self._lock = threading.Lock()
        self._tickets: dict[str, int] = {}

    def act(self, customers: int, messages: int) -> None:
        """Everybody writes at once; an agent answers each message as soon as it stands in its ticket."""
        over = threading.Event()
        with ThreadPoolExecutor(customers + 1) as pool:
            agent = pool.submit(self._answer_all, over, customers * messages)
            for writing in [pool.submit(self._write, number, messages) for number in range(customers)]:
                writing.result()
            over.set()
            agent.result()

    def _write(self, number: int, messages: int) -> None:
        wanted = {"handle": f"customer{number}", "name": f"Customer {number}"}
        customer = requests.post(f"{self._network}/rehearsal/customers", json=wanted, headers=self._control, timeout=10).json()
        signed = {"Authorization": f"Bearer {customer['token']}"}
        is_private = number % 2 == 1
        first: str | None = None
        for turn in range(messages):
            words = f"question {number}.{turn:03}"
            if is_private:
                path, body = "messages", {"to": "u_acme", "text": words}
            else:
                path, body = "posts", {"text": f"@acme {words}", **({"reply_to": first} if first else {})}
            answer = requests.post(f"{self._network}/api/v1/{path}", json=body, headers=signed, timeout=10)
            answer.raise_for_status()
            first = first or answer.json()["id"]
            with self._lock:
                self._said[words] = time.monotonic()
            time.sleep(_PACE)

    def _answer_all(self, over: threading.Event, wanted: int) -> None:
        until: float | None = None
        done: set[str] = set()
        while until is None or time.monotonic() < until:
            if over.is_set() and until is None:
                until = time.monotonic() + _SETTLE_SECONDS
            for ticket, article in self._questions():
                words = _question(article["body"])
                if words and words not in done:
                    done.add(words)
                    reply = {"type": "phone", "internal": False, "body": f"answer to {words}", "content_type": "text/plain"}
                    requests.put(
                        f"{self._desk}/tickets/{ticket}", json={"article": reply}, headers=self._agent, timeout=10
                    ).raise_for_status()
                    self._answered[words] = time.monotonic()
            if len(done) >= wanted:
                return
            time.sleep(_PACE)

    def _questions(self) -> list[tuple[int, dict[str, Any]]]:
        found = []
        for ticket in self._all_tickets():
            found += [(ticket, article) for article in self._articles(ticket) if article["sender"] == "Customer"]
        return found

    def _all_tickets(self) -> list[int]:
        query = {"condition": {"ticket.updated_at": {"operator": "after (absolute)", "value": "2000-01-01T00:00:00Z"}}, "limit": 200}
        found = requests.post(f"{self._desk}/tickets/search?expand=true", json=query, headers=self._agent, timeout=10).json()
        return [ticket["id"] for ticket in found]

    def _articles(self, ticket: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requests.get(
            f"{self._desk}/ticket_articles/by_ticket/{ticket}", headers=self._agent, timeout=10
        ).json()
        return found

    def count(self) -> Outcome:
        """Wait until all is there, or long enough, then read both sides."""
        until = time.monotonic() + _SETTLE_SECONDS
        replies = self._replies()
        while len({words for words, _ in replies}) < len(self._answered) and time.monotonic() < until:
            time.sleep(0.2)
            replies = self._replies()
        filed = [(ticket, _question(article["body"])) for ticket, article in self._questions()]
        questions = [(str(ticket), words) for ticket, words in filed if words]
        lost = len(self._said) - len({words for _, words in questions}) + len(self._answered) - len({words for words, _ in replies})
        doubled = len(questions) - len(set(questions)) + len(replies) - len({words for words, _ in replies})
        by_reply = [(words.partition(".")[0], words) for words, _ in replies]
        times = sorted(self._latencies())
        return Outcome(
            received=len(self._said),
            filed=len({words for _, words in questions}),
            replied=len(self._answered),
            delivered=len({words for words, _ in replies}),
            lost=lost,
            doubled=doubled,
            reordered=_out_of_order(questions) + _out_of_order(by_reply),
            p50_ms=_percentile(times, 0.5),
            p99_ms=_percentile(times, 0.99),
        )

    def _replies(self) -> list[tuple[str, str]]:
        """What the network holds of our account, oldest first: the question that each reply answers, and when."""
        found, after = [], None
        while True:
            query = {"limit": "200", **({"after": after} if after else {})}
            page = requests.get(f"{self._network}/api/v1/events", params=query, headers=self._company, timeout=10).json()
            for event in page["events"]:
                said = event.get("post") or event.get("message") or {}
                if said.get("author", {}).get("is_company") and event["type"].endswith(".created"):
                    found.append((_question(said["text"]), said["created_at"]))
            after = page["next"]
            if not page["has_more"]:
                return found

    def _latencies(self) -> list[float]:
        return [(self._answered[words] - said) * 1000 for words, said in self._said.items() if words in self._answered]


def _question(text: str) -> str:
    at = text.find("question ")
    return text[at : at + len("question ")] + text[at + len("question ") :].split(maxsplit=1)[0] if at >= 0 else ""


def _out_of_order(items: list[tuple[str, str]]) -> int:
    """How many stand before one that was said earlier in the same conversation."""
    latest: dict[str, str] = {}
    wrong = 0
    for key, words in items:
        wrong += words < latest.get(key, "")
        latest[key] = max(words, latest.get(key, ""))
    return wrong


def _percentile(times: list[float], share: float) -> float:
    return round(times[min(len(times) - 1, int(share * len(times)))], 1) if times else 0.0
