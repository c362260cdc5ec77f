"""Looking at what the policy did, and at what another one would have done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin import bootstrap
from plugin.config import load_policy
from plugin.domain.events import ArticleAdded, MessageReceived
from plugin.domain.ids import ArticleRef, ContactRef, MessageRef, ThreadKey, TicketRef
from plugin.domain.model import Contact, Visibility
from plugin.domain.text import Text
from plugin.handlers import backtesting, explaining, gathering
from plugin.handlers.installation import PolicyAtWork
from plugin.policy import starters
from plugin.policy.agreement import contract_of
from plugin.policy.facts import ChannelFacts, ClockFacts, Facts, MessageFacts, Trigger
from plugin.policy.policy import Policy
from plugin.policy.safety.watch import Watch
from plugin.testing.fake_helpdesk import FakeHelpdesk
from tests.benchmarks import chatter, history
from tests.engine import CHANNEL, DESK, Engine

_STARTERS = Path(__file__).resolve().parents[2] / "plugin" / "policy" / "starters"
_CHATTER = st.integers(0, 10_000).map(lambda seed: chatter.asked(Random(seed)))
_PIECES = (
    "card 4111 1111 1111 1111", "IBAN DE89370400440532013000", "PIN 1234", "pw: geheim7", "030 1234567", "http:foo", "www.a.de/x",
    "ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2", "😡", "not bad at all", "nicht gut", "a lawyer", "\u0663\u0664\u0665\u0666 789012",
)  # fmt: skip
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


@cache
def starter(name: str) -> Policy:
    """A starter policy, read once."""
    return load_policy(_STARTERS / f"{name}.toml", platforms=bootstrap.platforms())


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


_BY_TAG = """
[policy]
name = "by tags"

[[policy.crossover]]
name = "asked for by an agent"
when = "agent_request"

[[policy.approval]]
name = "the press"
if = "'press' in conversation.tags"
approvers = "Leads"
"""


def test_a_tag_that_an_agent_puts_on_the_ticket_asks_for_the_formal_one(database_url: str, tmp_path: Path) -> None:
    policy = written(tmp_path, _BY_TAG)
    assert policy.looks_at("conversation.tags")
    engine = Engine(database_url, policy=at_work(policy))
    engine.tell(engine.network.say("maria", "Hello, I need a hand"))
    engine.settle()
    ticket = engine.helpdesk.tickets[0].ref
    engine.tell_of_tickets(engine.helpdesk.tag(ticket, "press"))
    engine.settle()
    assert engine.stage() == "social"
    engine.tell_of_tickets(engine.helpdesk.reply(ticket, "Dear editor"))
    engine.settle()
    assert "Dear editor" not in engine.delivered(), "what needs a second person by a tag waits"
    engine.tell_of_tickets(engine.helpdesk.tag(ticket, "make-formal"))
    engine.settle()
    assert (engine.stage(), engine.decided()[-1]) == ("handoff", "asked for by an agent")
    (decision,) = [row for row in engine.rows("SELECT kind, reason, facts FROM decision") if row.kind == "crossover"]
    assert "make-formal" in decision.reason
    assert decision.facts["conversation"]["tags"] == ["make-formal", "press"]
    assert engine.balance().is_ok
    engine.close()


_BY_GROUP = """
[policy]
name = "by groups"

[policy.people]
trainee_groups = ["New"]

[[policy.approval]]
name = "trainees"
when = "trainee"
approvers = "Leads"
"""


class _Naming(FakeHelpdesk):
    """Tells its agents' keys with what they write."""

    def list_articles_since(self, ticket_ref: TicketRef, since: ArticleRef | None) -> Sequence[ArticleAdded]:
        return [replace(article, agent_ref=article.agent_name) for article in super().list_articles_since(ticket_ref, since)]


def test_who_is_in_a_group_of_trainees_needs_a_second_person(database_url: str, tmp_path: Path) -> None:
    helpdesk = _Naming()
    engine = Engine(database_url, helpdesk=helpdesk, policy=at_work(written(tmp_path, _BY_GROUP)))
    engine.tell(engine.network.say("maria", "Hello, I need a hand"))
    engine.settle()
    ticket = engine.helpdesk.tickets[0].ref
    engine.tell_of_tickets(engine.helpdesk.reply(ticket, "From Ada"))
    engine.settle()
    assert engine.delivered() == ["From Ada"]
    helpdesk.groups["Ada Agent"] = ("Support", "New")
    engine.tell_of_tickets(engine.helpdesk.reply(ticket, "From Ada, once more"))
    engine.settle()
    assert engine.delivered() == ["From Ada"]
    assert any("waits for a second person" in note for note in engine.notes())
    engine.close()


def test_nobody_is_asked_for_tags_that_no_rule_looks_at(tmp_path: Path) -> None:
    assert not written(tmp_path).looks_at("conversation.tags")
    assert starter("command-centre").looks_at("conversation.tags")


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


@given(
    said=st.lists(st.one_of(_CHATTER, st.sampled_from(_PIECES), st.text(max_size=30)), max_size=5).map(" ".join),
    told=st.sampled_from(["", "", "de-AT", "en", "fr"]),
    order=st.permutations(["language", "links", "personal_data", "sentiment", "text", "length", "topics"]),
)
@settings(max_examples=50, deadline=None)
def test_what_is_looked_for_later_is_what_is_found_at_once(said: str, told: str, order: Sequence[str]) -> None:
    author = Contact(ref=ContactRef("c"), language=told)
    event = MessageReceived(
        event_key="m",
        occurred_at=None,
        message_ref=MessageRef("m"),
        thread_key=ThreadKey("t"),
        visibility=Visibility.PUBLIC,
        author=author,
        text=Text(said),
    )
    base = Facts(trigger=Trigger.MESSAGE, clock=ClockFacts(now=datetime(2026, 1, 3, 23, tzinfo=UTC)), channel=ChannelFacts(key="c"))
    for policy in (starter(name) for name in starters.NAMES):
        at_once = gathering.of_message(at_work(policy), event, is_bystander=False)
        clock = gathering.clock_facts(policy, base.channel, group="", now=base.clock.now)
        later = backtesting.own(replace(base, message=gathering.message_later(Watch(), event, is_bystander=False)), policy)
        whole = replace(base, message=at_once, clock=clock)
        assert [getattr(later.message, name) for name in order] == [getattr(at_once, name) for name in order]
        assert (asdict(later.message), asdict(later.clock)) == (asdict(at_once), asdict(clock))
        later = backtesting.own(replace(base, message=gathering.message_later(Watch(), event, is_bystander=False)), policy)
        assert list(policy.explain(later)) == list(policy.explain(whole))
        assert (policy.filter(later), policy.route(later), policy.crossover(later)) == (
            policy.filter(whole),
            policy.route(whole),
            policy.crossover(whole),
        )


def test_a_back_test_looks_only_for_what_the_rules_ask(database_url: str, tmp_path: Path) -> None:
    policy = written(tmp_path)
    engine = Engine(database_url, policy=at_work(policy))
    engine.tell(engine.network.say("maria", "My invoice is wrong, call +49 30 1234567"))
    engine.settle()
    (moment,) = backtesting.stored(engine.database, engine.installation, since=datetime.now(UTC) - timedelta(days=1))
    facts = backtesting.own(moment.facts, policy)
    assert policy.crossover(facts) is not None
    found = [name for name in ("language", "links", "personal_data", "sentiment", "topics") if is_found(facts.message, name)]
    assert found == ["topics"]
    assert facts.message.personal_data == ("phone",)
    engine.close()


def is_found(facts: MessageFacts, name: str) -> bool:
    """Whether a fact was looked for already."""
    try:
        object.__getattribute__(facts, name)
    except AttributeError:
        return False
    return True


def test_a_back_test_sees_with_each_policys_own_eyes(database_url: str, tmp_path: Path) -> None:
    own = """
[[policy.approval]]
name = "trainees"
when = "trainee"
approvers = "Leads"

[[policy.crossover]]
name = "at night"
when = "business_hours"
open = false
"""
    before = written(tmp_path, _TOML + own)
    engine = Engine(database_url, policy=at_work(before))
    engine.tell(engine.network.say("maria", "My parcel is lost"))
    engine.settle()
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "We look."))
    engine.settle()
    far = (datetime.now(UTC) + timedelta(days=3)).strftime("%a").lower()
    closed = f'[policy.team.sleepers]\ntime_zone = "UTC"\nhours = {{ {far} = "09:00-17:00" }}\n'
    after = written(tmp_path, f'{_TOML}{own}{closed}[policy.people]\ntrainees = ["Ada Agent"]\n')
    report = backtesting.backtest(engine.database, engine.installation, before, after, since=datetime.now(UTC) - timedelta(days=1))
    assert report.rules["before"] == {}
    assert report.rules["after"] == {"crossover: at night": 1, "approval: trainees": 1}
    engine.close()


def test_a_back_test_reads_stored_traffic_in_a_stream(database_url: str, tmp_path: Path) -> None:
    history.load_finished(database_url, 2_000, place=CHANNEL, desk=DESK, per_contact=5)
    engine = Engine(database_url)
    policy = written(tmp_path)
    began = time.process_time()
    report = backtesting.backtest(engine.database, engine.installation, policy, policy, since=datetime(2000, 1, 1, tzinfo=UTC))
    assert (report.moments, report.total) == (2_000, 0)
    assert time.process_time() - began < 30
    engine.close()
