"""From the seven answers to a policy that is clean, pages for customers, and a check-list."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.config.findings import Findings
from plugin.config.lines import Lines
from plugin.domain.model import Visibility
from plugin.policy import starters
from plugin.policy.fields import Wrong
from plugin.policy.lint import lint
from plugin.policy.opening.questions import QUESTIONS, Answers, Hours, asked
from plugin.policy.opening.writing import files, policy
from plugin.policy.policy import Policy
from plugin.policy.reading import World, read_policy
from plugin.policy.teams import Clock
from plugin.policy.verdicts import Participation


def _policy(answers: Answers) -> tuple[Policy, tuple[str, ...]]:
    text = policy(answers)
    findings = Findings(Path("p.toml"), Lines(text))
    made = read_policy(tomllib.loads(text)["policy"], findings, world=World())
    assert made is not None, (findings.problems, text)
    lint(made, findings)
    return made, findings.warnings


def test_there_are_seven_questions_and_each_has_particulars() -> None:
    assert len(QUESTIONS) == 7
    assert all(asked()[question] for question in QUESTIONS)


@pytest.mark.parametrize("structure", starters.NAMES)
def test_the_answers_stand_in_the_policy(structure: str) -> None:
    answers = Answers(
        organisation="Acme",
        front="Front desk",
        specialists='The "best"',
        supervisors="Bosses",
        structure=structure,
        time_zone=ZoneInfo("America/New_York"),
        hours=Hours().read("mon-thu 08:00-12:00, fri 10:00-14:00"),
        holidays=((7, 4),),
        trainees=("Cy",),
        leave_alone=("war", "election*"),
        replies=4,
        required_fields=("contract",),
        level=Participation.STEP_IN,
        first_reply=timedelta(minutes=90),
        private_reply=timedelta(hours=3),
        next_step=timedelta(hours=6),
    )
    made, warnings = _policy(answers)
    assert warnings == ()
    assert {"Front desk", 'The "best"', "Bosses"} & set(made.basics.groups) >= {"Front desk", "Bosses"}
    assert made.people.trainees == ("Cy",)
    assert all(team.hours.zone.key == "America/New_York" for team in made.teams.values())
    sla = made.slas[made.basics.sla]
    assert sla.span(Clock.FIRST_REPLY, Visibility.PUBLIC) == timedelta(minutes=90)
    assert sla.span(Clock.FIRST_REPLY, Visibility.PRIVATE) == timedelta(hours=3)
    assert made.handoff.next_step == timedelta(hours=6)
    assert made.handoff.required_fields == ("contract",)
    assert made.participation.default is Participation.STEP_IN
    assert dict(made.participation.topic)["left_alone"] is Participation.MONITOR
    assert made.topics_in("the war") == ("left_alone",) or "left_alone" in made.topics_in("the war")
    enough: Any = next(rule for rule in made.crossover_rules if rule.head.when == "agent_replies")
    assert enough.condition.at_least == 4


def test_the_pages_promise_what_the_policy_keeps_in_both_languages() -> None:
    written = files(Answers(organisation="Acme", first_reply=timedelta(hours=1), private_reply=timedelta(minutes=45)))
    assert written.keys() == {"policy.toml", "expectations.en.md", "expectations.de.md", "roll-out.md"}
    assert "within 1 hour" in written["expectations.en.md"]
    assert "innerhalb von 1 Stunde" in written["expectations.de.md"]
    assert "45 Minuten" in written["expectations.de.md"]
    assert "Montag bis Freitag 09:00-17:00" in written["expectations.de.md"]
    assert "- [ ] " in written["roll-out.md"]
    assert all("{" not in text for name, text in written.items() if name != "policy.toml")


_NAMES = st.text(min_size=1, max_size=20).map(str.strip).filter(lambda name: name and "\x00" not in name)
_LISTS = st.lists(_NAMES, max_size=3).map(tuple)


@settings(max_examples=20, deadline=None)
@given(
    st.builds(
        Answers,
        organisation=_NAMES,
        channels=_LISTS,
        leave_alone=_LISTS,
        front=_NAMES,
        specialists=_NAMES,
        supervisors=_NAMES,
        structure=st.sampled_from(list(starters.NAMES)),
        trainees=_LISTS,
        required_fields=_LISTS,
        replies=st.integers(1, 50),
        level=st.sampled_from(Participation),
        first_reply=st.integers(5, 6000).map(lambda minutes: timedelta(minutes=minutes)),
    )
)
def test_any_answers_give_a_policy_that_can_be_used(answers: Answers) -> None:
    made, _ = _policy(answers)
    assert made.people.trainees == answers.trainees
    assert answers.front in made.basics.groups


@pytest.mark.parametrize("words", ["", "mon", "mon 9-5", "fri-mon 09:00-17:00", "mon 17:00-09:00", "mon 09:00-12:00, mon-fri 09:00-10:00"])
def test_hours_that_cannot_be_are_refused(words: str) -> None:
    with pytest.raises(Wrong):
        Hours().read(words)


@given(st.text(max_size=30) | st.integers() | st.none())
def test_anything_typed_for_hours_is_hours_or_a_sentence(words: Any) -> None:
    try:
        said = Hours().read(words)
    except Wrong as wrong:
        said = wrong.sentence
    assert said
