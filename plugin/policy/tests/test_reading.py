"""Reading a policy: every mistake at once, each with its line and what was likely meant; and never a crash."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.config.findings import Findings
from plugin.config.lines import Lines
from plugin.contracts.capabilities import Limits
from plugin.contracts.rulers import GRAPHEMES
from plugin.policy import starters
from plugin.policy.fields import keys
from plugin.policy.lint import lint
from plugin.policy.policy import Policy
from plugin.policy.reading import NAMED, PLAIN, RULES, World, read_policy
from plugin.policy.rules import known
from plugin.policy.ruling import Head
from plugin.policy.sections import Basics

WORLD = World(channels={"net": Limits(text_length=300, ruler=GRAPHEMES), "other": None})


def _read(text: str, world: World = WORLD) -> tuple[Policy | None, tuple[str, ...]]:
    findings = Findings(Path("p.toml"), Lines(text))
    policy = read_policy(tomllib.loads(text).get("policy"), findings, world=world)
    return policy, tuple(problem.removeprefix("p.toml:") for problem in findings.problems)


def test_an_empty_policy_is_one() -> None:
    policy, problems = _read("[policy]\n")
    assert problems == ()
    assert policy is not None
    assert list(policy.rules) == []


def test_every_mistake_at_once_with_its_line() -> None:
    policy, problems = _read("""\
[policy]
groups = ["Social", "Formal"]
default_sla = "fasst"
hi = 3
[policy.team.first]
time_zone = "Europe/Berln"
hours = { mon-fri = "09:00-17:00", fri = "10:00-12:00" }
holidays = ["02-30"]
[policy.sla.fast]
first_reply = "1 d"
private = { first_repl = "30 min" }
escalate = [{ clock = "never" }]
[[policy.crossover]]
name = "three"
when = "agent_repliess"
[[policy.crossover]]
name = "x"
if = "contact.folowers > 10"
channels = ["nett"]
[[policy.routing]]
name = "bill"
when = "topic"
any_of = ["billing"]
group = "Socal"
at = 2
[[policy.routing]]
name = "bill"
when = "always"
[[policy.noise]]
name = "never"
[policy.participation]
channel = { foo = "answer", net = "x" }
[policy.texts.de]
handoff = "Hi {nummer}"
""")
    assert policy is None
    assert problems == (
        "3: policy.default_sla: `fasst` is not an SLA: there is no [policy.sla.NAME] of this name. Did you mean `fast`?",
        (
            "4: policy.hi: is not a part of the policy. Possible here: `approval`, `confirmation`, `crossover`, `default_sla`, `default_team`, "
            "`expectations`, `fairness`, `follow_up`, `groups`, `handoff`, `locks`, `name`, `noise`, `parked`, `participation`, `people`, `routing`, "
            "`safety`, `sla`, `team`, `texts`, `topic`."
        ),
        '6: policy.team.first.time_zone: is no time zone; write a name such as "Europe/Berlin".',
        "7: policy.team.first.hours.fri: names a day that another line here names, too.",
        '8: policy.team.first.holidays[1]: must be a date such as "2026-12-24", or "12-25" for every year.',
        '10: policy.sla.fast.first_reply: is counted in the team\'s hours, where a day is not 24 of them: write hours, such as "16 h".',
        "12: policy.sla.fast.escalate[1].clock: must be one of first_reply, next_reply, resolve.",
        "15: policy.crossover[1].when: is no built-in condition. Did you mean `agent_replies`?",
        "18: policy.crossover[2].if: column 8: there is no fact or function `contact.folowers`. Did you mean `contact.followers`?",
        "23: policy.routing[1].any_of[1]: `billing` is not a topic: there is no [policy.topic.NAME] of this name. Name one that there is, or add it.",
        "24: policy.routing[1].group: `Socal` is not among the groups that [policy] names in `groups`. Did you mean `Social`?",
        (
            "25: policy.routing[1].at: is not a setting of this rule. Possible here: `any_of`, `capacity`, `channels`, `fields`, `group`, `if`, `name`, "
            "`overtakes`, `owner`, `owners`, `participation`, `priority`, `reason`, `sla`, `tags`, `visibility`, `when`."
        ),
        "26: policy.routing[2]: wishes for nothing: set group, owner, owners, priority, tags, fields, sla, participation or overtakes.",
        "27: policy.routing[2].name: is the name of a rule above; the ledger tells rules apart by their names.",
        '29: policy.noise[1]: says not when it fires: set `when` to a built-in condition (such as "always"), or `if` to an expression.',
        "32: policy.participation.channel.net: must be one of monitor, step_in, answer.",
        "34: policy.texts.de.handoff: has no place {nummer}; there are: {link}, {number}, {step}, {time}.",
    )


def test_a_channel_that_is_not_there_is_named() -> None:
    _, problems = _read('[policy]\n[[policy.noise]]\nname = "x"\nwhen = "always"\nchannels = ["net", "nett"]\n')
    assert problems == (
        "5: policy.noise[1].channels[2]: `nett` is not a channel: there is no [channel.NAME] of this name. Did you mean `net`?",
    )


@pytest.mark.parametrize(
    "written",
    ["policy = 3", "[policy]\ncrossover = 3", "[policy]\nteam = 3", "[policy]\nlocks = 3", "[policy]\ntexts = 3", "[policy.texts]\nde = 3"],
)
def test_a_part_of_another_shape_is_a_finding(written: str) -> None:
    policy, problems = _read(written)
    assert policy is None
    assert len(problems) == 1


def test_the_digest_changes_with_the_policy_and_with_nothing_else() -> None:
    one, two, three = (_read(text)[0] for text in ("[policy]\nname = 'a'", "# hello\n[policy]\nname = 'a'", "[policy]\nname = 'b'"))
    assert one is not None
    assert two is not None
    assert three is not None
    assert one.digest == two.digest != three.digest


_WORDS = st.sampled_from(
    [
        *PLAIN, *NAMED, *RULES, *keys(Basics), *keys(Head), *known(), "texts", "de", "en", "fr", "handoff", "net", "any_of", "at_least", "hours",
        "time_zone", "mon-fri", "words", "first_reply", "private", "escalate", "clock", "share", "approvers", "group", "tags", "x",
    ]
)  # fmt: skip
_LEAVES = st.one_of(
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    _WORDS,
    st.dates(),
    st.sampled_from(["30 min", "2 h", "09:00-17:00", "Europe/Berlin", "../etc/passwd", "12-25", "conversation.agent_replies > 2", "a*", "*", "{number}"]),
)  # fmt: skip
_TABLES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=5), inner, max_size=6), max_leaves=25
)


class _Noted:
    """Findings without a file."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def problem(self, path: Any, sentence: str) -> None:
        self.problems.append(sentence)

    def warning(self, path: Any, sentence: str) -> None:
        assert sentence.endswith((".", "?"))

    def unknown(self, path: Any, known: Any, *, what: str) -> None:
        assert isinstance(path[-1], str)
        self.problems.append(what)


@settings(max_examples=120, deadline=None)
@given(_TABLES)
def test_anything_at_all_is_a_policy_or_findings(table: Any) -> None:
    _check(table)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(starters.NAMES)), st.data())
def test_a_starter_with_anything_in_one_place_is_a_policy_or_findings(name: str, data: st.DataObject) -> None:
    table: Any = tomllib.loads(starters.text(name))["policy"]
    place = table
    for _ in range(4):
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            place[key] = data.draw(_TABLES)
            break
        place = place[key]
    _check(table)


def _check(table: Any) -> None:
    notes = _Noted()
    policy = read_policy(table, notes, world=WORLD)
    assert (policy is None) == bool(notes.problems)
    if policy is not None:
        lint(policy, notes)
