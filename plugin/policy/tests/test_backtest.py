"""The back-test: only what two policies say differently, side by side, in bounded memory, and safe to look at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.policy import reports
from plugin.policy.backtest import Report, Stored, compare
from plugin.policy.facts import Trigger
from plugin.policy.policy import Policy
from plugin.policy.reading import World, read_policy
from plugin.policy.tests.samples import ANY, NOW, facts


class _Quiet:
    def problem(self, path: Any, sentence: str) -> None:
        raise AssertionError((path, sentence))

    warning = problem

    def unknown(self, path: Any, known: Any, *, what: str) -> None:
        raise AssertionError((path, what))


def _policy(**table: Any) -> Policy:
    policy = read_policy(table, _Quiet(), world=World())
    assert policy is not None
    return policy


def _talk(conversation: str, *replies: int, text: str = "Hello") -> Iterator[Stored]:
    for turn, count in enumerate(replies):
        made = facts(message={"text": text}, conversation={"agent_replies": count})
        yield Stored(
            conversation=conversation, message=str(turn), facts=replace(made, clock=replace(made.clock, now=NOW + timedelta(hours=turn)))
        )


THREE = _policy(crossover=[{"name": "three", "when": "agent_replies", "at_least": 3, "group": "Formal"}])
TWO = _policy(
    crossover=[{"name": "two", "when": "agent_replies", "at_least": 2, "move": "offer"}],
    noise=[{"name": "spam", "when": "keyword", "any_of": ["casino"]}],
    routing=[{"name": "vips", "when": "vip", "group": "First", "tags": ["vip"]}],
)


def test_a_policy_against_itself_parts_nowhere() -> None:
    report = compare(THREE, THREE, [*_talk("1", 0, 1, 2, 3, 4)])
    assert (report.moments, report.conversations, report.total) == (5, 1, 0)
    assert report.counts["crossover"]["before"] == 1, "a crossover happens once"


def test_an_earlier_crossover_is_one_difference_in_its_conversation() -> None:
    report = compare(THREE, TWO, [*_talk("1", 0, 1, 2, 3, 4), *_talk("2", 0, 1)])
    assert report.total == 1
    (difference,) = report.differences
    assert (difference.conversation, difference.message, difference.question) == ("1", "2", "crossover")
    assert (difference.before, difference.after) == ("", "offers to become formal by two")
    assert report.rules["before"]["crossover: three"] == 1
    assert report.rules["after"]["crossover: two"] == 1


def test_noise_routing_and_approval_are_told_apart() -> None:
    approving = _policy(approval=[{"name": "all", "when": "always", "approvers": "Leads"}])
    stored = [
        *_talk("1", 0, text="Casino!"),
        Stored(conversation="2", facts=facts(contact={"is_vip": True})),
        Stored(conversation="3", facts=facts(Trigger.REPLY)),
    ]
    first, second = compare(Policy(), TWO, stored), compare(Policy(), approving, stored)
    assert [(each.question, each.after) for each in first.differences] == [
        ("noise", "filtered by spam"),
        ("routing", "group First; tags vip (vips)"),
    ]
    assert [(each.question, each.after) for each in second.differences] == [("approval", "needs a yes from Leads by all")]


def test_a_rule_that_breaks_is_counted_and_shown() -> None:
    broken = _policy(crossover=[{"name": "bad", "if": "1 / conversation.agent_replies > 5"}])
    report = compare(Policy(), broken, [*_talk("1", 0)])
    assert report.counts["crossover"]["broken"] == 1
    assert report.differences[0].after == "broken rule bad: Failed: divide by zero"


def test_examples_are_bounded_and_the_rest_is_counted() -> None:
    report = compare(Policy(), TWO, (moment for number in range(50) for moment in _talk(str(number), 2)), examples=10)
    assert report.total == 50
    assert len(report.differences) == 10
    assert "40 more differences" in reports.text(report)
    assert "40 more differences" in reports.page(report)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs


def test_the_page_has_no_script_and_shows_words_from_outside_as_words() -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    page = reports.page(compare(THREE, TWO, _talk(evil, 0, 2, text=evil)))
    seen = _Tags()
    seen.feed(page)
    assert not {"script", "img", "link", "iframe"} & set(seen.names)
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in {"src", "href"}]
    assert "&lt;script&gt;" in page


@settings(max_examples=20, deadline=None)
@given(st.lists(st.builds(Stored, conversation=st.text(max_size=3), facts=ANY), max_size=8))
def test_any_past_can_be_reported(stored: list[Stored]) -> None:
    report: Report = compare(THREE, TWO, stored)
    plain = json.loads(json.dumps(report.plain()))
    assert plain["differences"] == report.total
    assert reports.text(report)
    assert reports.page(report).startswith("<!doctype html>")
