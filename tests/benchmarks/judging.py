"""(policy) What judging costs: per message, against filing one without a policy; and a back-test of two policies over stored messages.

Judging is what the engine asks of one message: its topics, whether it is noise, where it goes, whether the conversation crosses over. It is
measured alone, in one process, and set beside the time in which one worker process files a message without any policy; then a whole bridge files with
one.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.policy import starters
from plugin.policy.backtest import Stored
from plugin.policy.facts import ChannelFacts, ClockFacts, ContactFacts, ConversationFacts, Facts, MessageFacts, Trigger
from plugin.policy.policy import Policy
from plugin.policy.reading import World, read_policy
from tests.benchmarks import filing, past
from tests.benchmarks.ground import Ground

_WORDS = "the invoice refund phone is broken hello how do I get my money back please help lawyer outage price nothing works today"
_EXPRESSIONS = (
    "message.text.contains('refund') && contact.followers > 10000",
    "'billing' in message.topics && conversation.minutes_open > 30",
    "message.text.matches('(?i)cancel|terminate') || message.sentiment < -0.8",
)
_OURS = "three expressions"
_EXPRESSED = {"topic": {"billing": {"words": ["invoice*"]}}, "crossover": [{"name": each, "if": each} for each in _EXPRESSIONS]}


def run(here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """Per message, with each starter and with expressions; then the back-test."""
    count, filed = (5_000, 1_500) if is_quick else (20_000, 4_000)
    plain = 1e6 / statistics.median(filing.file_ours(here, 1, filed) for _ in range(1 if is_quick else 3))
    found: dict[str, Any] = {"microseconds_filing_without": round(plain)}
    policies = {name: named(name) for name in (*starters.NAMES, _OURS)}
    for name, policy in policies.items():
        cost = _cost(policy, count)
        found[name] = {"microseconds": round(cost, 1), "ratio": round((plain + cost) / plain, 3), "target": "<= 1.10"}
    found["the bridge with a policy"] = _at_work(here, filed, rounds=1 if is_quick else 3)
    return found | {"back-test": past.run(here, ("command-centre", _OURS), named, count=10_000 if is_quick else 100_000)}


def _at_work(here: Ground, count: int, *, rounds: int) -> dict[str, Any]:
    """What one worker process files in a second with the starter `command-centre` and without, rounds interleaved; every cost of the policy counts."""
    table = dict(starters.table("command-centre"))
    # At night a receipt would be counted as one more message.
    policy = made({**table, "expectations": {**table.get("expectations", {}), "receipt_out_of_hours": False}})
    pairs = [(filing.file_ours(here, 1, count), filing.file_ours(here, 1, count, policy=policy)) for _ in range(rounds)]
    return {
        "per_second_without": round(statistics.median(pair[0] for pair in pairs), 1),
        "per_second_with": round(statistics.median(pair[1] for pair in pairs), 1),
        "microseconds_added": round(statistics.median(1e6 / pair[1] - 1e6 / pair[0] for pair in pairs)),
        "ratio": round(statistics.median(pair[1] / pair[0] for pair in pairs), 2),
    }


def named(name: str) -> Policy:
    """A starter, or our own with expressions."""
    return made(_EXPRESSED if name == _OURS else starters.table(name))


def made(table: Any) -> Policy:
    """The policy in a table that has no mistakes."""
    policy = read_policy(table, _Strict(), world=World())
    if policy is None:
        raise RuntimeError("the benchmark's policy cannot be read")
    return policy


def traffic(count: int) -> Iterator[Stored]:
    """Messages and replies in conversations of five, with words, unknown facts and times as they come."""
    chance, began = random.Random(1), datetime(2026, 1, 1, tzinfo=UTC)
    base = Facts(trigger=Trigger.MESSAGE, clock=ClockFacts(now=began), channel=ChannelFacts(key="bench", group="Social"))
    words = _WORDS.split()
    for number in range(count):
        text = " ".join(chance.choices(words, k=20))
        yield Stored(
            conversation=str(number // 5),
            message=str(number),
            facts=replace(
                base,
                trigger=Trigger.REPLY if number % 2 else Trigger.MESSAGE,
                clock=ClockFacts(now=began + timedelta(minutes=number)),
                message=MessageFacts(
                    text=text, length=len(text), topics=chance.choice(((), ("billing",))), sentiment=chance.uniform(-1, 1)
                ),
                contact=ContactFacts(followers=chance.choice((None, 12, 50_000))),
                conversation=ConversationFacts(agent_replies=number % 5, minutes_open=chance.uniform(0, 300)),
            ),
        )


class _Strict:
    """A mistake in our own policies is a fault of the benchmark."""

    def problem(self, path: Any, sentence: str) -> None:
        raise RuntimeError(f"{path}: {sentence}")

    def warning(self, path: Any, sentence: str) -> None:
        pass

    def unknown(self, path: Any, known: Any, *, what: str) -> None:
        raise RuntimeError(f"{path} is not {what}")


def _cost(policy: Policy, count: int) -> float:
    """Microseconds for each message; the median of five passes."""
    facts = [stored.facts for stored in traffic(count)]
    passes = []
    for _ in range(5):
        began = time.process_time()
        for each in facts:
            policy.topics_in(each.message.text)
            policy.filter(each)
            policy.route(each)
            policy.crossover(each)
        passes.append((time.process_time() - began) / count * 1e6)
    return statistics.median(passes)
