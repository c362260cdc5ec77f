"""Safety in the engine: what rules are told of a message, and how a bystander is labelled for agents and for the policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugin.domain.events import MessageReceived
from plugin.handlers.installation import PolicyAtWork
from plugin.policy.safety.personal_data import Lookout
from plugin.policy.safety.thread_guard import OurSide
from plugin.policy.safety.watch import Watch
from plugin.policy.verdicts import Crossover
from plugin.testing.table_judge import TableJudge
from tests.engine import Engine

_THREAD = "public:maria"
_SCAM = Crossover(rule="impostors", reason="Somebody pretends to be us.")


@pytest.fixture
def judge() -> TableJudge:
    return TableJudge(crossovers=[(lambda facts: facts.conversation.suspicious_bystanders > 0, _SCAM)])


@pytest.fixture
def engine(database_url: str, judge: TableJudge) -> Iterator[Engine]:
    watch = Watch(lookout=Lookout(region="DE"), ours=OurSide(handles=("acmebank",), names=("Acme Bank",)))
    engine = Engine(database_url, policy=PolicyAtWork(judge=judge, watch=watch))
    yield engine
    engine.close()


def _say(engine: Engine, who: str, words: str) -> MessageReceived:
    event = engine.network.say(who, words, thread=_THREAD)
    engine.tell(event)
    engine.settle()
    return event


def test_rules_are_told_what_is_in_a_message(engine: Engine, judge: TableJudge) -> None:
    _say(engine, "maria", "Ruft mich an: 030 1234567. Ich bin stinksauer! Siehe https://bank.example@evil.example/x")
    message = judge.asked[-1].message
    assert message.personal_data == ("phone",)
    assert message.links == ("https://evil.example/x",)
    assert message.language == "de"
    assert message.sentiment is not None
    assert message.sentiment < -0.5


def test_an_impostor_is_labelled_counted_once_and_ends_the_quick_way(engine: Engine, judge: TableJudge) -> None:
    _say(engine, "maria", "My card was charged twice")
    assert judge.asked[-1].conversation.suspicious_bystanders == 0
    _say(engine, "acmebank_help", "Send your card number here: https://bit.ly/x")
    _say(engine, "acmebank_help", "Hello? DM us")
    article = next(words for words in engine.articles() if "Likely an impostor" in words)
    assert "is not the customer of this ticket" in article
    assert "hxxps://bit[.]ly/x" in article
    assert "https://" not in article
    assert judge.asked[-1].conversation.suspicious_bystanders == 1
    assert engine.stage() == "handoff"
    kept = engine.rows("SELECT rule, reason, outcome FROM decision WHERE kind = 'bystander' ORDER BY id")
    assert [row.rule for row in kept] == ["thread_guard", "thread_guard"]
    assert kept[0].outcome["likeness"] == "impostor"
    assert "acmebank" not in str(kept[0].outcome) + kept[0].reason


def test_helpers_and_strangers_are_labelled_and_accuse_nobody(engine: Engine, judge: TableJudge) -> None:
    _say(engine, "maria", "My router is broken")
    _say(engine, "tom", "Had the same problem, try to restart it, see https://example.com/a")
    _say(engine, "joe", "Same mess everywhere")
    words = "\n".join(engine.articles())
    assert "Tom (@tom) is not the customer of this ticket." in words
    assert "Joe (@joe) is not the customer of this ticket. Who they are is not known." in words
    assert "hxxps://example[.]com/a" in words
    assert judge.asked[-1].conversation.suspicious_bystanders == 0
    assert engine.stage() == "social"
