"""A press from the panel: checked against what may be pressed now, handed to the conversation's next turn, and awaited for a moment."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from plugin.contracts.wakeups import WakeUps
from plugin.domain.codec import decode
from plugin.domain.errors import ConfigError
from plugin.handlers import learning, pressing
from plugin.handlers.actions import Actions
from plugin.handlers.installation import Installation
from plugin.handlers.learning import SOLVED
from plugin.handlers.pressing import Press
from plugin.policy.contract import State
from plugin.policy.safety import lessons
from plugin.policy.safety.lessons import Lesson
from plugin.store import ledger, panels
from plugin.store.database import Database
from ui_extensions.panel import buttons
from ui_extensions.panel.buttons import RETRY, TEMPLATE, Case
from ui_extensions.panel.signing import Agent
from ui_extensions.panel.snapshot import decision_of

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ARGUMENT = re.compile(r"[a-z][a-z0-9_]{0,40}")
_WAIT_SECONDS = 1.5
_LOOK_SECONDS = 0.05
_OPEN = frozenset({"accepted", "retry"})
_HIDING = frozenset({"hide", "show"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One press, as it came; `fence` is the lock's number that the agent saw."""

    action: str
    key: str
    rev: str = ""
    reason: str = ""
    fence: int | None = None
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to tell the one who pressed: 200, or why not. `by` and `at` name who was first."""

    status: int
    code: str = ""
    text: str = ""
    by: str = ""
    at: str | None = None


def read(action: str, body: Any) -> Asked | Answer:
    """A press out of a request's JSON."""
    if not isinstance(body, dict):
        return _unreadable("The request holds no JSON object.")
    key, rev, reason, fence = body.get("key"), body.get("rev", ""), body.get("reason", ""), body.get("fence")
    arguments = body.get("arguments", {})
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return _unreadable("`key` must name this press: 8 to 64 letters, digits, `-` or `_`.")
    if not isinstance(rev, str) or not isinstance(reason, str) or len(reason) > 2000:
        return _unreadable("`rev` and `reason` are texts; a reason has 2,000 characters at the most.")
    if fence is not None and (isinstance(fence, bool) or not isinstance(fence, int)):
        return _unreadable("`fence` is a number.")
    if not isinstance(arguments, dict) or len(arguments) > 10:
        return _unreadable("`arguments` is an object with ten entries at the most.")
    if not all(_ARGUMENT.fullmatch(name) and isinstance(value, str) and len(value) <= 500 for name, value in arguments.items()):
        return _unreadable("Each of `arguments` is a short text under a plain name.")
    return Asked(action=action, key=key, rev=rev, reason=reason.strip(), fence=fence, arguments=arguments)


def _unreadable(text: str) -> Answer:
    return Answer(status=422, code="unreadable", text=f"{text} Nothing was done.")


class Presses:
    """Presses for an installation."""

    def __init__(
        self, installation: Installation, database: Database, wakeups: WakeUps, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._installation, self._database, self._wakeups, self._sleep = installation, database, wakeups, sleep

    def press(self, asked: Asked, snapshot: Mapping[str, Any], agent: Agent) -> Answer:
        """Have it done, unless it may not be. `snapshot` is as things stand now."""
        if asked.action == RETRY and "message" in asked.arguments:
            return self._retry(asked, snapshot, agent)
        if asked.action in _HIDING:
            return self._hide(asked, snapshot, agent)
        button = next((item for item in snapshot["actions"] if item["id"] == asked.action), None)
        conversation = int(snapshot["thread"]["conversation"])
        if button is None:
            gone = Answer(status=422, code="unknown_action", text="There is no such button here now. Nothing was done.")
            return self._too_late(conversation, asked, agent) or gone
        lock = snapshot["lock"]
        if lock is not None and asked.fence is not None and asked.fence != lock["fence"]:
            return Answer(status=409, code="lock_lost", text="The lock has changed hands meanwhile. Nothing was done.", by=lock["holder"])
        already = next((item for item in snapshot["pending"] if item["action"] == asked.action), None)
        if already is not None and already["by"] != agent.name:
            text = f"{already['by']} has just pressed this. It is being done; your press was not added."
            return Answer(status=409, code="too_late", text=text, by=already["by"], at=already["at"])
        if not button["enabled"]:
            return self._too_late(conversation, asked, agent) or self._refused(conversation, asked, agent, button["why_not"])
        if "reason" in button["needs"] and not asked.reason:
            return Answer(status=422, code="reason_missing", text="Say why, so that the reason stands in the ledger. Nothing was done.")
        if asked.action == TEMPLATE:
            return self._template(conversation, asked, snapshot, agent)
        return self._press(conversation, replace(asked, arguments={**asked.arguments, **button["arguments"]}), agent)

    def _press(self, conversation: int, asked: Asked, agent: Agent) -> Answer:
        if asked.action == SOLVED:
            return self._learn(conversation, asked, agent)
        arguments = {**asked.arguments, "agent_ref": agent.id, "login": agent.login, "groups": ",".join(agent.groups)}
        key = f"panel:{agent.id}:{asked.key}"
        wish = Press(action=asked.action, actor=agent.name, role=agent.role, reason=asked.reason, arguments=arguments, key=key)
        return self._await(conversation, pressing.press(self._database, conversation, wish), asked, agent)

    def _await(self, conversation: int, event_id: int | None, asked: Asked, agent: Agent) -> Answer:
        if event_id is None:
            return Answer(status=200, code="told_before")
        self._wakeups.wake()
        until = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < until:
            with self._database.begin() as connection:
                state = panels.event_state(connection, event_id)
            if state not in _OPEN:
                return self._outcome(conversation, event_id, asked, agent)
            self._sleep(_LOOK_SECONDS)
        return Answer(status=200, code="pending")

    def _learn(self, conversation: int, asked: Asked, agent: Agent) -> Answer:
        """Keep what solved it: the reason, as a note among agents would say it, with `#tags` and a link."""
        lesson = lessons.read_command(f"/{SOLVED} {asked.reason}") or Lesson(note="")
        try:
            learning.keep(self._database, self._installation, conversation, lesson, actor=agent.name)
        except ConfigError as refused:
            return Answer(status=422, code="refused", text=str(refused))
        self._wakeups.wake()
        return Answer(status=200, code="done")

    def _outcome(self, conversation: int, event_id: int, asked: Asked, agent: Agent) -> Answer:
        decided = [item for item in pressing.outcome(self._database, conversation, event_id) if item["outcome"].get("refused")]
        if not decided:
            return Answer(status=200, code="done")
        return self._too_late(conversation, asked, agent) or self._refused(conversation, asked, agent, decided[0]["reason"])

    def _too_late(self, conversation: int, asked: Asked, agent: Agent) -> Answer | None:
        """Somebody else was first: something was decided since the agent looked, and not by the agent."""
        if not asked.rev:
            return None
        with self._database.begin() as connection:
            since = panels.last_decisions(connection, [conversation], after=decision_of(asked.rev))
        for row in since:
            if row.actor != agent.name and not row.outcome.get("refused"):
                who = row.actor or f"the rule {row.rule}"
                text = f"{who} was first ({row.kind}: {row.rule}). Your press was not needed or does not fit any more; nothing was done."
                return Answer(status=409, code="too_late", text=text, by=who, at=row.at.isoformat())
        return None

    def _refused(self, conversation: int, asked: Asked, agent: Agent, why: str) -> Answer:
        policy = self._installation.policy
        case = self._case(conversation)
        if policy is not None and case is not None and buttons.needs_supervisor(policy, case, agent, asked.action):
            return Answer(status=403, code="not_allowed", text=f"{why} Nothing was done.")
        return Answer(status=422, code="refused", text=f"{why} Nothing was done.")

    def _case(self, conversation: int) -> Case | None:
        with self._database.begin() as connection:
            row = panels.standing(connection, conversation)
        if row is None:
            return None
        state = decode(State, {**row.crossover, "stage": row.stage})
        return Case(state=state, held_replies=1, group=row.ticket_group, now=row.now)

    def _hide(self, asked: Asked, snapshot: Mapping[str, Any], agent: Agent) -> Answer:
        """Hide what somebody said below our posts, or show it again."""
        message = next((item for item in snapshot["messages"] if str(item["id"]) == asked.arguments.get("message")), None)
        if message is None or message["hide"] != asked.action:
            return Answer(status=422, code="refused", text="This cannot be done with this message now. Nothing was done.")
        return self._press_on(message, asked, agent, {})

    def _template(self, conversation: int, asked: Asked, snapshot: Mapping[str, Any], agent: Agent) -> Answer:
        """Send a text that the platform has approved beforehand to where a reply would go."""
        name, language = (asked.arguments.get(key, "").strip() for key in ("name", "language"))
        theirs = [item for item in snapshot["messages"] if item["direction"] == "inbound" and item["conversation"] == conversation]
        if not name or not language or not theirs:
            return Answer(
                status=422, code="refused", text="A template has a name and a language, and goes to somebody who wrote. Nothing was done."
            )
        values = [line.strip() for line in asked.arguments.get("values", "").splitlines() if line.strip()]
        told = f"[Template {name}] {', '.join(values)}".strip()
        arguments = {"name": name, "language": language, "values": json.dumps(values), "text": told}
        return self._press_on(theirs[-1], asked, agent, arguments)

    def _press_on(self, message: Mapping[str, Any], asked: Asked, agent: Agent, arguments: Mapping[str, str]) -> Answer:
        key = f"panel:{agent.id}:{asked.key}"
        wish = Press(action=asked.action, actor=agent.name, role=agent.role, reason=asked.reason, arguments=arguments, key=key)
        event_id = Actions(self._installation, self._database).press_on(int(message["id"]), wish)
        return self._await(int(message["conversation"]), event_id, asked, agent)

    def _retry(self, asked: Asked, snapshot: Mapping[str, Any], agent: Agent) -> Answer:
        """Send a message again whose outcome could not be found out: a person has looked."""
        wanted = asked.arguments.get("message", "")
        delivery = next((item for item in snapshot["deliveries"] if str(item["message"]) == wanted), None)
        if delivery is None or not delivery["can_retry"]:
            return Answer(status=422, code="refused", text="This message is not waiting for a decision any more. Nothing was done.")
        with self._database.begin() as connection:
            for intent_id in panels.unclear_sendings(connection, int(wanted)):
                ledger.replay(connection, "intent", intent_id, actor=agent.name)
        self._wakeups.wake()
        return Answer(status=200, code="done")
