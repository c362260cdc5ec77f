"""A whole conversation on the rehearsal, from the first post to the confirmed end, with what everybody saw at each step.

A customer, an agent and a supervisor act by the network's and the desk's own API and by presses; the engine that answers is the real one.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import requests
from sqlalchemy import text

from plugin.domain.errors import StoreUnavailable
from plugin.handlers import pressing
from plugin.handlers.pressing import Press
from plugin.store import ledger
from plugin.store.database import Database
from ui_extensions.rehearsal.visiting import PageVisitor

_SECONDS = 60.0
_PAUSE = 0.1
_EXCHANGES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that somebody did, and what came of it. `held` is what does not leave since then, each with why and what to do."""

    number: int
    who: str
    does: str
    stage: str
    rules: tuple[str, ...]
    customer_saw: tuple[str, ...]
    held: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended."""

    policy: str
    steps: tuple[Step, ...]
    stage: str
    outcome: str
    ticket_is_closed: bool
    told_of_handoff: int
    public_after_handoff: int
    """Agents' replies that appeared in public after the handoff: none may."""
    ledger_is_ok: bool

    @property
    def is_ok(self) -> bool:
        """Whether the contract was kept."""
        ended = self.stage == "resolved" and self.outcome == "confirmed" and self.ticket_is_closed
        return ended and self.told_of_handoff == 1 and self.public_after_handoff == 0 and self.ledger_is_ok

    def plain(self) -> dict[str, Any]:
        """As data, for programs."""
        return {"ok": self.is_ok, **asdict(self)}


class Play:
    """One play. `practice` is what the rehearsal wrote about itself; `tell` is handed each step as it is done."""

    def __init__(
        self,
        practice: Mapping[str, Any],
        database: Database,
        *,
        policy: str,
        by_page: bool = False,
        tell: Callable[[Step], object] | None = None,
    ) -> None:
        base = f"http://127.0.0.1:{practice['port']}"
        self._network, self._desk = f"{base}/network", f"{base}/desk/api/v1"
        self._control = {"Authorization": f"Bearer {practice['control_token']}"}
        self._company = {"Authorization": f"Bearer {practice['company_token']}"}
        self._agent = {"Authorization": f"Token token={practice['agent_token']}0", "Accept": "application/json"}
        self._database, self._policy, self._tell = database, policy, tell or (lambda _: None)
        self._customer: dict[str, str] = {}
        self._first = ""
        self._said, self._replied = 0, 0
        self._seen_posts, self._seen_answers, self._seen_decisions = 0, 0, 0
        self._seen_held: set[int] = set()
        self._steps: list[Step] = []
        self._leaked = 0
        self._page = PageVisitor() if by_page else None

    def play(self) -> Outcome:
        """The conversation, step by step.

        Raises:
            RuntimeError: a step did not come to its end in time.
        """
        wanted = {"handle": "maria", "name": "Maria Lindgren"}
        customer = requests.post(f"{self._network}/rehearsal/customers", json=wanted, headers=self._control, timeout=10).json()
        self._customer = {"Authorization": f"Bearer {customer['token']}"}
        self._post("Hello, I need a hand with my account")
        for number in range(1, _EXCHANGES + 1):
            self._reply(f"Have you tried to sign in again? (answer {number})")
            if self._stage() != "social":
                break
            self._post("Yes I did, and now my invoice shows the wrong amount")
            if self._stage() != "social":
                break
        if self._stage() == "social":
            self._press("handoff", who="Ada Okafor", reason="It needs the account.")
        self._reply("Just tell me your customer number right here", is_leak=True)
        self._post("Is anybody there?")
        if self._page is not None:
            self._open_page(self._page)
        self._message("It is me, Maria. My customer number is 4711.")
        self._reply("Thank you, the amount is corrected.")
        self._press("confirm", who="Ada Okafor")
        self._press("confirm", who="Ada Okafor")
        self._message("status?")
        self._message("no, it is still wrong")
        self._reply("Now it is right, please look again.")
        self._press("confirm", who="Ada Okafor")
        self._message("Yes, thank you!")
        self._message("5")
        return self._outcome()

    # What people do

    def _post(self, words: str) -> None:
        body = {"text": f"@acme {words}", **({"reply_to": self._first} if self._first else {})}
        made = requests.post(f"{self._network}/api/v1/posts", json=body, headers=self._customer, timeout=10)
        made.raise_for_status()
        self._first = self._first or str(made.json()["id"])
        self._said += 1
        self._done("customer", f"posts: {words}")

    def _open_page(self, page: PageVisitor) -> None:
        """The customer follows the link that stands in the thread, and says there the word that the page shows."""
        said = " ".join(line for step in self._steps for line in step.customer_saw)
        word = page.open(said)
        self._done("customer", f"opens the private page, which shows the word {word}")
        self._post(word)

    def _message(self, words: str) -> None:
        if self._page is not None:
            self._page.write(words)
            self._said += 1
            self._done("customer", f"writes on the private page: {words}")
            return
        body = {"to": "u_acme", "text": words}
        requests.post(f"{self._network}/api/v1/messages", json=body, headers=self._customer, timeout=10).raise_for_status()
        self._said += 1
        self._done("customer", f"writes privately: {words}")

    def _reply(self, words: str, *, is_leak: bool = False) -> None:
        ticket = self._value("SELECT ticket_ref FROM conversation WHERE id = 1")
        reply = {"type": "phone", "internal": False, "body": words, "content_type": "text/plain"}
        requests.put(f"{self._desk}/tickets/{ticket}", json={"article": reply}, headers=self._agent, timeout=10).raise_for_status()
        self._replied += 1
        step = self._done("agent", f"replies: {words}")
        self._leaked += is_leak and any(words in seen for seen in step.customer_saw)

    def _press(self, action: str, *, who: str, role: str = "agent", reason: str = "") -> None:
        event = pressing.press(self._database, 1, Press(action=action, actor=who, role=role, reason=reason))
        self._wait(lambda: self._value("SELECT state IN ('done', 'routed', 'ignored') FROM inbound_event WHERE id = :id", id=event), action)
        self._done("agent", f"presses {action}" + (f": {reason}" if reason else ""))

    # What came of it

    def _done(self, who: str, does: str) -> Step:
        self._wait(self._is_quiet, does)
        posts = self._company_said()
        answers = self._page.answers() if self._page is not None else []
        decisions = self._rows("SELECT kind, rule FROM decision ORDER BY id")
        held = {
            row.id: f"{row.reason}: {row.reason_text}"
            for row in self._rows("SELECT id, reason, reason_text FROM intent WHERE state = 'held'")
        }
        step = Step(
            number=len(self._steps) + 1,
            who=who,
            does=does,
            stage=self._stage(),
            rules=tuple(f"{row.kind}: {row.rule}" for row in decisions[self._seen_decisions :]),
            customer_saw=(*posts[self._seen_posts :], *(f"on the private page: {words}" for words in answers[self._seen_answers :])),
            held=tuple(why for intent, why in held.items() if intent not in self._seen_held),
        )
        self._seen_held = set(held)
        self._seen_posts, self._seen_answers, self._seen_decisions = len(posts), len(answers), len(decisions)
        self._steps.append(step)
        self._tell(step)
        return step

    def _outcome(self) -> Outcome:
        with self._database.begin() as connection:
            is_ok = ledger.balance(connection).is_ok
        lead = "SELECT COALESCE(continued_by, id) FROM conversation WHERE id = 1"
        return Outcome(
            policy=self._policy,
            steps=tuple(self._steps),
            stage=self._stage(),
            outcome=str(self._value(f"SELECT crossover->>'outcome' FROM conversation WHERE id = ({lead})")),  # noqa: S608 - ours
            ticket_is_closed=bool(self._value(f"SELECT ticket_closed FROM conversation WHERE id = ({lead})")),  # noqa: S608 - ours
            told_of_handoff=int(self._value("SELECT count(*) FROM intent WHERE op = 'say:handoff' AND part = 0 AND state = 'sent'")),
            public_after_handoff=self._leaked,
            ledger_is_ok=is_ok,
        )

    def _stage(self) -> str:
        lead = "SELECT COALESCE(continued_by, id) FROM conversation WHERE id = 1"
        return str(self._value(f"SELECT stage FROM conversation WHERE id = ({lead})"))  # noqa: S608 - nothing from outside is in it

    def _company_said(self) -> list[str]:
        found: list[str] = []
        after: str | None = None
        while True:
            query = {"limit": "200", **({"after": after} if after else {})}
            page = requests.get(f"{self._network}/api/v1/events", params=query, headers=self._company, timeout=10).json()
            for event in page["events"]:
                said = event.get("post") or event.get("message") or {}
                if event["type"].endswith(".created") and said.get("author", {}).get("is_company"):
                    to_press = "".join(f" [{choice}]" for choice in said.get("choices", ()))
                    found.append(f"{'privately' if event['type'].startswith('message') else 'in public'}: {said['text']}{to_press}")
            after = page["next"]
            if not page["has_more"]:
                return found

    def _is_quiet(self) -> bool:
        row = self._rows(
            """
            SELECT (SELECT count(*) FROM inbound_event e JOIN message m ON m.event_id = e.id WHERE m.direction = 'inbound') AS said,
                   (SELECT count(*) FROM message WHERE direction = 'outbound') AS replied,
                   (SELECT count(*) FROM receipt WHERE state IN ('new', 'retry'))
                   + (SELECT count(*) FROM inbound_event WHERE state IN ('accepted', 'retry')
                      OR (state = 'waiting' AND kind <> 'TimerElapsed'))
                   + (SELECT count(*) FROM intent WHERE state IN ('pending', 'sending', 'unknown')) AS open
            """
        )[0]
        return bool(row.said >= self._said and row.replied >= self._replied and row.open == 0)

    def _wait(self, condition: Callable[[], Any], what: str) -> None:
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(StoreUnavailable):  # A busy machine may keep a connection waiting.
                if condition():
                    return
            time.sleep(_PAUSE)
        raise RuntimeError(f"Nothing more came of this within {_SECONDS:.0f} s: {what}. The rehearsal's log says why.")

    def _rows(self, query: str, **parameters: Any) -> list[Any]:
        with self._database.begin() as connection:
            return list(connection.execute(text(query), parameters).all())

    def _value(self, query: str, **parameters: Any) -> Any:
        rows = self._rows(query, **parameters)
        return rows[0][0] if rows else None
