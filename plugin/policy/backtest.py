"""What another policy would have done to stored traffic: two judges over the same facts, and only what they say differently.

Pure: it is handed facts one by one and keeps counts and a bounded number of examples, so that its memory does not grow with the traffic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from plugin.policy.facts import Facts, Trigger
from plugin.policy.verdicts import ApprovalNeeded, Broken, Crossover, Filtered, Judge, Routing

EXAMPLES = 200
"""Differences that are kept whole; the rest are counted."""
_EXCERPT = 120
QUESTIONS = ("noise", "routing", "crossover", "approval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One moment of the past at which the policy was, or would have been, asked."""

    conversation: str
    """As an admin finds it again: its number in the store."""
    message: str = ""
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One moment at which the two policies part. `before` and `after` are in words; empty for nothing."""

    conversation: str
    message: str
    at: datetime
    channel: str
    question: str
    before: str
    after: str
    excerpt: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What came of it."""

    before: str
    """The digest of the policy as it was."""
    after: str
    since: datetime | None = None
    moments: int = 0
    conversations: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {question: Counter() for question in QUESTIONS})
    """For each question: `before` and `after` (how often each policy had something to say), `differ`, `broken`."""
    rules: dict[str, Counter[str]] = field(default_factory=lambda: {"before": Counter(), "after": Counter()})
    """How often each rule decided, as `question: rule`."""
    differences: list[Difference] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How often they part."""
        return sum(count["differ"] for count in self.counts.values())

    def plain(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
        return {
            "before": self.before,
            "after": self.after,
            "since": self.since.isoformat() if self.since else None,
            "moments": self.moments,
            "conversations": self.conversations,
            "differences": self.total,
            "counts": {
                question: {key: count[key] for key in ("before", "after", "differ", "broken")} for question, count in self.counts.items()
            },
            "rules": {
                rule: {"before": self.rules["before"][rule], "after": self.rules["after"][rule]}
                for rule in sorted(self.rules["before"].keys() | self.rules["after"].keys())
            },
            "examples": [
                {
                    "conversation": each.conversation,
                    "message": each.message,
                    "at": each.at.isoformat(),
                    "channel": each.channel,
                    "question": each.question,
                    "before": each.before,
                    "after": each.after,
                    "text": each.excerpt,
                }
                for each in self.differences
            ],
        }


def compare(before: Judge, after: Judge, stored: Iterable[Stored], *, since: datetime | None = None, examples: int = EXAMPLES) -> Report:
    """Both judges over `stored`, which is in the order of time within each conversation.

    A crossover happens once: after the first in a conversation a judge is not asked about crossovers there any more, and the two part over it at
    most once in each conversation.
    """
    report = Report(before=before.digest, after=after.digest, since=since)
    seen: set[str] = set()
    crossed: tuple[set[str], set[str]] = (set(), set())
    parted: set[str] = set()
    for moment in stored:
        report.moments += 1
        seen.add(moment.conversation)
        old = _verdicts(before, moment, crossed[0], report.rules["before"])
        new = _verdicts(after, moment, crossed[1], report.rules["after"])
        for question, was, would_be in zip(QUESTIONS, old, new, strict=True):
            counts = report.counts[question]
            counts["before"] += bool(was)
            counts["after"] += bool(would_be)
            counts["broken"] += would_be.startswith(_BROKEN)
            if was == would_be or (question == "crossover" and moment.conversation in parted):
                continue
            if question == "crossover":
                parted.add(moment.conversation)
            counts["differ"] += 1
            if len(report.differences) < examples:
                report.differences.append(_difference(moment, question, was, would_be))
    report.conversations = len(seen)
    return report


_BROKEN = "broken rule"


def _verdicts(judge: Judge, moment: Stored, crossed: set[str], rules: Counter[str]) -> Sequence[str]:
    facts = moment.facts
    is_reply = facts.trigger is Trigger.REPLY
    noise = judge.filter(facts) if facts.trigger is Trigger.MESSAGE else None
    if isinstance(noise, Filtered):
        rules[f"noise: {noise.rule}"] += 1
        return (f"filtered by {noise.rule}", "", "", "")
    routing = judge.route(facts) if facts.trigger is Trigger.MESSAGE else None
    crossover = judge.crossover(facts) if moment.conversation not in crossed else None
    approval = judge.approval(facts) if is_reply else None
    if isinstance(crossover, Crossover):
        crossed.add(moment.conversation)
        rules[f"crossover: {crossover.rule}"] += 1
    if isinstance(approval, ApprovalNeeded):
        rules[f"approval: {approval.rule}"] += 1
    for rule in routing[0].rules if routing else ():
        rules[f"routing: {rule}"] += 1
    return (_broken(noise), _routed(routing), _crossed(crossover), _approved(approval))


def _broken(verdict: object) -> str:
    return f"{_BROKEN} {verdict.rule}: {verdict.problem}" if isinstance(verdict, Broken) else ""


def _routed(verdict: tuple[Routing, Sequence[Broken]] | None) -> str:
    if verdict is None:
        return ""
    routing, broken = verdict
    if broken:
        return _broken(broken[0])
    wishes = (
        ("group", routing.group),
        ("owner", routing.owner),
        ("one of", ", ".join(routing.owners)),
        ("priority", routing.priority),
        ("tags", ", ".join(routing.tags)),
        ("fields", ", ".join(f"{name}={value}" for name, value in routing.fields)),
        ("SLA", routing.sla),
        ("overtakes by", routing.overtakes),
        ("we", "" if routing.participation == "answer" else routing.participation.replace("_", " ")),
    )
    said = "; ".join(f"{name} {value}" for name, value in wishes if value)
    return f"{said} ({', '.join(routing.rules)})" if said and routing.rules else said


def _crossed(verdict: Crossover | Broken | None) -> str:
    if isinstance(verdict, Crossover):
        goes = f" to {verdict.group}" if verdict.group else ""
        return f"{'becomes formal' if verdict.move == 'force' else 'offers to become formal'}{goes} by {verdict.rule}"
    return _broken(verdict)


def _approved(verdict: ApprovalNeeded | Broken | None) -> str:
    if isinstance(verdict, ApprovalNeeded):
        return f"needs a yes from {verdict.approvers} by {verdict.rule}"
    return _broken(verdict)


def _difference(moment: Stored, question: str, was: str, would_be: str) -> Difference:
    text = " ".join(moment.facts.message.text.split())
    return Difference(
        conversation=moment.conversation,
        message=moment.message,
        at=moment.facts.clock.now,
        channel=moment.facts.channel.key,
        question=question,
        before=was,
        after=would_be,
        excerpt=text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…",
    )
