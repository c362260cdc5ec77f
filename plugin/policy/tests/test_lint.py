"""The linter: rules that never decide, that contradict each other, and parts that nobody uses; and our starters are clean."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from plugin.config.findings import Findings
from plugin.config.lines import Lines
from plugin.policy import starters
from plugin.policy.lint import lint
from plugin.policy.reading import World, read_policy


def _lint(text: str) -> list[str]:
    findings = Findings(Path("p.toml"), Lines(text))
    policy = read_policy(tomllib.loads(text)["policy"], findings, world=World())
    assert policy is not None, findings.problems
    lint(policy, findings)
    return [warning.removeprefix("p.toml:").replace("warning: ", "") for warning in findings.warnings]


QUIET = "[policy]\ngroups = ['A', 'B']\n[policy.expectations]\nreceipt_out_of_hours = false\n"


@pytest.mark.parametrize("name", starters.NAMES)
def test_a_starter_is_clean_and_commented(name: str) -> None:
    assert _lint(starters.text(name)) == []
    assert starters.text(name).startswith("# Starter policy: ")
    assert {"crossover", "routing", "noise", "approval", "team", "sla", "topic", "participation"} <= starters.table(name).keys()


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ('when = "agent_replies"\nat_least = 3', 'when = "agent_replies"\nat_least = 5'),
        ('when = "always"', 'if = "contact.followers > 3"'),
        ('when = "keyword"\nany_of = ["a", "b"]', 'when = "keyword"\nany_of = ["b"]'),
        ('if = "contact.followers > 3"', 'when = "vip"\nif = "contact.followers  >  3"'),
        ('when = "vip"', 'when = "vip"\nvisibility = "public"'),
        ('when = "anger"\nat_most = -0.5', 'when = "anger"\nat_most = -0.8'),
    ],
)
def test_a_rule_below_one_that_always_fires_before_it_can_never_decide(wide: str, narrow: str) -> None:
    def rules(first: str, second: str) -> list[str]:
        return _lint(f'{QUIET}[[policy.crossover]]\nname = "first"\n{first}\n[[policy.crossover]]\nname = "second"\n{second}\n')

    assert any("crossover[2].name: can never decide: the crossover rule `first` above" in line for line in rules(wide, narrow))
    assert rules(narrow, wide) == []


def test_two_rules_that_fire_on_the_same_and_say_different_things_contradict_each_other() -> None:
    both = '[[policy.crossover]]\nname = "{0}"\nwhen = "vip"\ngroup = "{0}"\n'
    assert _lint(QUIET + both.format("A") + both.format("B")) == [
        "10: policy.crossover[2].name: contradicts the rule `A` above: they fire on the same and say different things; that one decides."
    ]
    routes = '[[policy.routing]]\nname = "{0}"\nwhen = "vip"\ngroup = "{0}"\n'
    assert _lint(QUIET + routes.format("A") + routes.format("B")) == [
        "12: policy.routing[2].group: contradicts the rule `A` above, which fires whenever this one does and decides."
    ]


def test_routing_rules_that_add_something_are_left_alone() -> None:
    assert (
        _lint(
            QUIET
            + '[[policy.routing]]\nname = "a"\nwhen = "always"\ngroup = "A"\n[[policy.routing]]\nname = "b"\nwhen = "vip"\ntags = ["vip"]\n'
        )
        == []
    )


def test_what_noise_filters_before_is_named() -> None:
    text = QUIET + '[[policy.noise]]\nname = "n"\nwhen = "bot"\n[[policy.crossover]]\nname = "c"\nwhen = "bot"\nvisibility = "public"\n'
    assert _lint(text) == ["9: policy.crossover[1].name: hardly ever fires: the noise rule `n` filters the same messages before."]


def test_what_never_changes_and_what_is_not_used_is_named() -> None:
    found = _lint(
        "[policy]\n"
        "[policy.topic.unused]\nwords = ['a']\n"
        "[policy.topic.asked]\nwords = ['b']\n"
        "[policy.sla.unused]\nfirst_reply = '1 h'\nescalate = [{ clock = 'resolve', tell = 'A' }]\n"
        "[policy.confirmation]\nsilence_after = '1 h'\nremind_after = '2 h'\n"
        "[[policy.noise]]\nname = 'n'\nif = '1 == 1'\n"
        "[[policy.routing]]\nname = 'r'\nwhen = 'trainee'\ngroup = 'A'\n"
        "[[policy.crossover]]\nname = 'c'\nif = '\"asked\" in message.topics'\n"
        "[[policy.approval]]\nname = 'a'\nwhen = 'always'\napprovers = 'A'\nnext_approvers = 'A'\n"
    )
    for said in (
        "policy.topic.unused: is used by no rule",
        "policy.sla.unused: is used by no rule",
        "policy.default_sla: is missing",
        "policy.team: is missing",
        "policy.groups: is missing",
        "policy.sla.unused.escalate[1]: never happens",
        "policy.confirmation.remind_after: is not sooner",
        "policy.noise[1].if: asks for no fact",
        "policy.routing[1].when: never fires",
        "policy.approval[1].next_approvers: is the same group again",
    ):
        assert any(said in line for line in found), said
    assert not any("topic.asked" in line for line in found)
