"""Looking at what the policy did, and at what another one would have done."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from plugin import bootstrap
from plugin.config import load_policy
from plugin.handlers import backtesting, explaining
from plugin.handlers.installation import PolicyAtWork
from plugin.policy.agreement import contract_of
from plugin.policy.policy import Policy
from tests.benchmarks import history
from tests.engine import CHANNEL, DESK, Engine

_STARTERS = Path(__file__).resolve().parents[2] / "plugin" / "policy" / "starters"
_TOML = """
[policy]
name = "test"

[policy.topic.billing]
words = ["invoice*"]

[[policy.crossover]]
name = "billing"
when = "topic"
any_of = ["billing"]
group = "Billing"
"""


def written(folder: Path, toml: str = _TOML) -> Policy:
    """A policy as the file says it."""
    path = folder / "policy.toml"
    path.write_text(toml, encoding="utf-8")
    return load_policy(path, platforms=bootstrap.platforms())


def at_work(policy: Policy) -> PolicyAtWork:
    """The policy as the engine asks it."""
    return PolicyAtWork(judge=policy, contract=contract_of(policy), book=policy)


def test_explain_shows_each_decision_with_rule_facts_and_time_and_what_every_rule_says_now(database_url: str, tmp_path: Path) -> None:
    engine = Engine(database_url, policy=at_work(written(tmp_path)))
    engine.tell(engine.network.say("maria", "My invoice is wrong"))
    engine.settle()
    found = explaining.explain(engine.database, engine.installation, 1)
    assert found is not None
    (decision,) = found["decisions"]
    assert (decision["rule"], decision["facts"]["message"]["topics"], decision["policy"]) == (
        "billing",
        ["billing"],
        engine.installation.policy.judge.digest if engine.installation.policy else "",
    )
    assert "text" not in decision["facts"]["message"]
    assert [(said["rule"], bool(said["reason"])) for said in found["now"]] == [("billing", True)]
    assert [timer["name"] for timer in found["timers"]] == ["promise"]
    assert explaining.explain(engine.database, engine.installation, 99) is None
    engine.close()


@pytest.mark.parametrize("name", ["command-centre", "hub-and-spoke", "everyone"])
def test_each_starter_policy_plays_from_the_first_post_to_the_confirmed_end(name: str, database_url: str, tmp_path: Path) -> None:
    policy = written(tmp_path, (_STARTERS / f"{name}.toml").read_text(encoding="utf-8"))
    engine = Engine(database_url, policy=at_work(policy))
    engine.tell(engine.network.say("maria", "Hello, I need a hand with my account please"))
    engine.settle()
    for number in range(12):
        if engine.stage() != "social":
            break
        engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, f"Have you tried step {number}?"))
        engine.settle()
        engine.tell(engine.network.say("maria", f"Yes, step {number} does not help me"))
        engine.settle()
    else:
        engine.press("handoff")
        engine.settle()
    assert engine.stage() == "handoff"
    for _ in range(2):
        engine.press("confirm")
        engine.settle()
    engine.tell(engine.network.say("maria", "yes"))
    engine.settle()
    assert engine.stage() == "resolved"
    assert engine.helpdesk.tickets[0].is_closed
    assert engine.balance().is_ok
    assert sum("ticket 10001" in words for words in engine.delivered()) >= 1
    engine.close()


def test_a_back_test_shows_what_another_policy_would_have_done(database_url: str, tmp_path: Path) -> None:
    before = written(tmp_path)
    engine = Engine(database_url, policy=at_work(before))
    engine.tell(engine.network.say("maria", "My invoice is wrong"), engine.network.say("oscar", "My parcel is lost"))
    engine.settle()
    after = written(tmp_path, _TOML.replace("invoice*", "parcel*"))
    report = backtesting.backtest(engine.database, engine.installation, before, after, since=datetime.now(UTC) - timedelta(days=1))
    assert (report.moments, report.conversations, report.total) == (2, 2, 2)
    assert [(each.conversation, each.before, each.after) for each in report.differences] == [
        ("1", "becomes formal to Billing by billing", ""),
        ("2", "", "becomes formal to Billing by billing"),
    ]
    engine.close()


def test_a_back_test_reads_stored_traffic_in_a_stream(database_url: str, tmp_path: Path) -> None:
    history.load_finished(database_url, 5_000, place=CHANNEL, desk=DESK, per_contact=5)
    engine = Engine(database_url)
    policy = written(tmp_path)
    began = time.process_time()
    report = backtesting.backtest(engine.database, engine.installation, policy, policy, since=datetime(2000, 1, 1, tzinfo=UTC))
    assert (report.moments, report.total) == (5_000, 0)
    assert time.process_time() - began < 30
    engine.close()
