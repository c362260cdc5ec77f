"""The policy as a judge: which rule decides, what a broken one does, and by when something is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.domain.model import Stage, Visibility
from plugin.policy import starters
from plugin.policy.facts import Facts, Trigger
from plugin.policy.policy import Judged, Policy
from plugin.policy.reading import World, read_policy
from plugin.policy.tests.samples import ANY, NOW, facts
from plugin.policy.verdicts import ApprovalNeeded, Broken, Crossover, Filtered, Judge, Move, Participation, Routing

BREAKS = "10 / (conversation.agent_replies - 3) > 100"
"""Cannot be judged after three replies."""


class _Strict:
    def problem(self, path: Any, sentence: str) -> None:
        raise AssertionError((path, sentence))

    def warning(self, path: Any, sentence: str) -> None:
        raise AssertionError((path, sentence))

    def unknown(self, path: Any, known: Any, *, what: str) -> None:
        raise AssertionError((path, what))


def _policy(**table: Any) -> Policy:
    policy = read_policy(table, _Strict(), world=World(channels={"net": None, "other": None}))
    assert policy is not None
    return policy


def _starter(name: str) -> Policy:
    return _policy(**starters.table(name))


def test_it_is_a_judge_and_without_rules_it_lets_everything_be() -> None:
    judge: Judge = Policy()
    assert judge.filter(facts()) is None
    assert judge.route(facts()) == (Routing(), ())
    assert judge.crossover(facts()) is None
    assert judge.approval(facts()) is None
    assert judge.targets(facts(), sla="", opened_at=NOW, unanswered_since=NOW) is None


def test_the_first_rule_that_fires_decides_about_the_crossover() -> None:
    policy = _policy(
        handoff={"group": "Formal"},
        crossover=[
            {"name": "many", "when": "agent_replies", "at_least": 5, "group": "Five"},
            {"name": "few", "when": "agent_replies", "at_least": 2, "move": "offer", "reason": "Two are enough."},
            {"name": "some", "when": "agent_replies", "at_least": 3, "group": "Three"},
        ],
    )
    assert policy.crossover(facts(conversation={"agent_replies": 3})) == Crossover(
        rule="few", reason="Two are enough.", move=Move.OFFER, group="Formal"
    )
    assert policy.crossover(facts(conversation={"agent_replies": 1})) is None


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.SOCIAL])
def test_a_formal_conversation_does_not_become_formal_again(stage: Stage) -> None:
    policy = _policy(crossover=[{"name": "all", "when": "always"}])
    assert policy.crossover(facts(conversation={"stage": stage})) is None


def test_a_condition_and_an_expression_must_both_hold_in_their_scope() -> None:
    rule = {"name": "x", "when": "agent_replies", "at_least": 1, "if": "contact.followers > 5", "channels": ["net"], "visibility": "public"}
    policy = _policy(crossover=[rule])
    so: dict[str, Any] = {"conversation": {"agent_replies": 1}, "contact": {"followers": 6}}
    assert policy.crossover(facts(**so)) is not None
    assert policy.crossover(facts(**{**so, "contact": {"followers": None}})) is None
    assert policy.crossover(facts(**{**so, "conversation": {}})) is None
    assert policy.crossover(facts(**{**so, "channel": {"key": "other"}})) is None
    assert policy.crossover(facts(**{**so, "message": {"visibility": Visibility.PRIVATE}})) is None


def test_a_rule_that_fails_is_a_verdict_for_each_question() -> None:
    rule = {"name": "bad", "if": BREAKS}
    policy = _policy(
        noise=[rule],
        routing=[{**rule, "group": "Lost"}, {"name": "good", "when": "always", "group": "Found"}],
        crossover=[rule],
        approval=[{**rule, "approvers": "Leads"}],
    )
    three = facts(conversation={"agent_replies": 3})
    for said in (policy.filter(three), policy.crossover(three), policy.approval(three)):
        assert isinstance(said, Broken)
        assert said.rule == "bad"
        assert "divide by zero" in said.problem
    routing, broken = policy.route(three)
    assert routing.group == "Found"
    assert [each.rule for each in broken] == ["bad"]
    assert [each.problem for each in policy.explain(three) if each.problem] == ["Failed: divide by zero"] * 4


def test_each_wish_goes_to_the_first_rule_that_has_it_and_tags_add_up() -> None:
    policy = _policy(
        routing=[
            {"name": "tagged", "when": "always", "tags": ["a", "b"], "fields": {"kind": "first"}},
            {"name": "quiet", "when": "vip", "group": "Nobody"},
            {"name": "first", "when": "always", "group": "One", "tags": ["b", "c"]},
            {
                "name": "second",
                "when": "always",
                "group": "Two",
                "priority": "high",
                "overtakes": True,
                "fields": {"kind": "x", "size": "y"},
            },
        ]
    )
    routing, _ = policy.route(facts())
    assert routing.rules == ("first", "second", "tagged")
    assert (routing.group, routing.priority, routing.overtakes) == ("One", "high", "second")
    assert routing.tags == ("a", "b", "c")
    assert dict(routing.fields) == {"kind": "first", "size": "y"}


def test_how_far_we_take_part_is_said_by_rule_then_topic_then_channel() -> None:
    policy = _policy(
        topic={"billing": {"words": ["invoice"]}, "war": {"words": ["war"]}},
        participation={"default": "answer", "channel": {"net": "step_in"}, "topic": {"billing": "answer", "war": "monitor"}},
        routing=[{"name": "vips are answered", "when": "vip", "participation": "answer"}],
    )

    def taking(**sections: Any) -> Participation:
        return policy.route(facts(**sections))[0].participation

    assert taking() is Participation.STEP_IN
    assert taking(channel={"key": "other"}) is Participation.ANSWER
    assert taking(message={"topics": policy.topics_in("My invoice!")}) is Participation.ANSWER
    assert taking(message={"topics": policy.topics_in("invoice for the war")}) is Participation.MONITOR
    assert taking(message={"topics": ("war",)}, contact={"is_vip": True}) is Participation.ANSWER


def test_noise_says_which_rule_filtered_it() -> None:
    policy = _policy(noise=[{"name": "found", "when": "found", "reason": "Not for us."}])
    assert policy.filter(facts(message={"is_found": True})) == Filtered(rule="found", reason="Not for us.")


HOURS = {"time_zone": "Europe/Berlin", "hours": {"mon-fri": "09:00-17:00"}}


def test_an_approval_waits_no_longer_than_the_window_or_the_promise() -> None:
    policy = _policy(
        default_sla="fast",
        team={"office": HOURS},
        sla={"fast": {"first_reply": "30 min"}},
        approval=[{"name": "trainee", "when": "trainee", "approvers": "Leads", "next_approvers": "Heads", "within": "60 min"}],
    )

    def within(**talk: Any) -> timedelta:
        said = policy.approval(facts(Trigger.REPLY, agent={"is_trainee": True}, conversation=talk))
        assert isinstance(said, ApprovalNeeded)
        return said.within

    assert within() == timedelta(minutes=60)
    assert within(window_minutes_left=45.0) == timedelta(minutes=40)
    assert within(minutes_open=10.0, minutes_unanswered=10.0) == timedelta(minutes=15)
    assert within(window_minutes_left=2.0) == timedelta(minutes=1)
    assert policy.next_approvers("trainee") == "Heads"


def test_promises_are_counted_in_the_hours_of_the_team_that_answers() -> None:
    policy = _policy(
        default_sla="both",
        team={
            "office": {**HOURS, "groups": ["Social"]},
            "night": {"time_zone": "Europe/Berlin", "hours": {"mon-sun": "00:00-24:00"}, "groups": ["Night"]},
        },
        sla={"both": {"first_reply": "2 h", "next_reply": "4 h", "resolve": "8 h", "private": {"first_reply": "1 h"}}},
    )
    friday = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)

    def due(*, unanswered_since: datetime | None = friday, **talk: Any) -> Any:
        return policy.targets(facts(conversation=talk), sla="", opened_at=friday, unanswered_since=unanswered_since)

    public = due()
    assert public.first_reply_by == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert public.next_reply_by is None
    assert public.resolve_by == datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    assert due(visibility=Visibility.PRIVATE).first_reply_by == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    assert due(group="Night").first_reply_by == friday + timedelta(hours=2)
    answered = due(agent_replies=1)
    assert answered.first_reply_by is None
    assert answered.next_reply_by == datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
    waiting = due(agent_replies=1, unanswered_since=None)
    assert (waiting.first_reply_by, waiting.next_reply_by) == (None, None)
    assert policy.targets(facts(), sla="none", opened_at=friday, unanswered_since=friday) is None


def test_people_are_found_however_their_names_are_written() -> None:
    policy = _policy(people={"vips": ["@Ann", "net:bob@example.org"], "trainees": ["Cy"], "trainee_groups": ["New"]})
    assert policy.people.is_vip("other", "ann")
    assert policy.people.is_vip("net", "@bob@example.org")
    assert not policy.people.is_vip("other", "bob@example.org")
    assert not policy.people.is_vip("net", "")
    assert policy.people.is_trainee(ref="7", name="cy", groups=())
    assert policy.people.is_trainee(ref="7", name="Di", groups=("New",))
    assert not policy.people.is_trainee(ref="", name="", groups=("Old",))


def test_every_rule_is_explained_fired_or_not() -> None:
    policy = _policy(crossover=[{"name": "a", "when": "vip"}, {"name": "b", "when": "always"}])
    assert list(policy.explain(facts())) == [
        Judged(kind="crossover", rule="a"),
        Judged(kind="crossover", rule="b", reason="The policy says so for all of them."),
    ]


_STARTERS = [_starter(name) for name in starters.NAMES]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(_STARTERS), ANY)
def test_any_facts_have_verdicts_the_same_twice_and_none_is_an_exception(policy: Policy, anything: Facts) -> None:
    def all_of_it() -> Any:
        return (
            policy.filter(anything),
            policy.route(anything),
            policy.crossover(anything),
            policy.approval(anything),
            policy.targets(anything, sla="", opened_at=NOW, unanswered_since=NOW),
        )

    said = all_of_it()
    assert said == all_of_it()
    assert not any(isinstance(each, Broken) for each in said)
    due = said[-1]
    assert all(moment is None or moment > NOW for moment in (due.first_reply_by, due.next_reply_by, due.resolve_by))
