"""(policy) What judging costs: per message, against filing one without a policy; and a back-test of two policies over stored messages.

Judging is what the engine asks of one message: its topics, whether it is noise, where it goes, whether the conversation crosses over. It is
measured alone, in one process, and set beside the time in which one worker process files a message without any policy.
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from plugin.policy import starters
from plugin.policy.backtest import Stored, compare
from plugin.policy.facts import ChannelFacts, ClockFacts, ContactFacts, ConversationFacts, Facts, MessageFacts, Trigger
from plugin.policy.policy import Policy
from plugin.policy.reading import World, read_policy
from tests.benchmarks import filing
from tests.benchmarks.ground import Ground

_WORDS = "the invoice refund phone is broken hello how do I get my money back please help lawyer outage price nothing works today"
_EXPRESSIONS = (
    "message.text.contains('refund') && contact.followers > 10000",
    "'billing' in message.topics && conversation.minutes_open > 30",
    "message.text.matches('(?i)cancel|terminate') || message.sentiment < -0.8",
)


def run(here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """Per message, with each starter and with expressions; then the back-test."""
    count, filed = (5_000, 1_500) if is_quick else (20_000, 4_000)
    plain = 1e6 / statistics.median(filing.file_ours(here, 1, filed) for _ in range(1 if is_quick else 3))
    found: dict[str, Any] = {"microseconds_filing_without": round(plain)}
    policies = {name: made(starters.table(name)) for name in starters.NAMES} | {"three expressions": _with_expressions()}
    for name, policy in policies.items():
        cost = _cost(policy, count)
        found[name] = {"microseconds": round(cost, 1), "ratio": round((plain + cost) / plain, 3), "target": "<= 1.10"}
    return found | {"back-test": _backtest(10_000 if is_quick else 100_000)}


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


def _with_expressions() -> Policy:
    return made({"topic": {"billing": {"words": ["invoice*"]}}, "crossover": [{"name": each, "if": each} for each in _EXPRESSIONS]})


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


def _backtest(count: int) -> dict[str, Any]:
    """In a process of its own, whose memory is only its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        seconds, cpu_seconds, megabytes, differences = pool.apply(_compare, (count,))
    return {
        "messages": count,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mb": megabytes,
        "differences": differences,
        "target": "100,000 in < 60 s and < 500 MB",
    }


def _compare(count: int) -> tuple[float, float, float, int]:
    began, worked = time.perf_counter(), time.process_time()
    report = compare(made(starters.table("command-centre")), _with_expressions(), traffic(count))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return round(time.perf_counter() - began, 1), round(time.process_time() - worked, 1), round(peak), report.total
