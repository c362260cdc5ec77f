"""Every named fault point: a kill there, alone and in pairs, loses, doubles and reorders nothing. The pairs are a sample drawn from a printed seed."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest

from tests.faults.alone import Played, play, play_all
from tests.faults.conftest import Databases

POINTS = (
    "receive.before_commit",
    "receive.before_wake",
    "receive.after_commit",
    "split.after_claim",
    "split.before_commit",
    "poll.before_call",
    "poll.after_commit",
    "loop.after_claim",
    "turn.before_commit",
    "turn.after_commit",
    "drain.before_call",
    "call.open_ticket.before",
    "call.open_ticket.after",
    "call.find:open_ticket.before",
    "call.find:open_ticket.after",
    "call.add_article.before",
    "call.add_article.after",
    "call.find:add_article.before",
    "call.find:add_article.after",
    "call.change.before",
    "call.change.after",
    "call.say.before",
    "call.say.after",
    "call.reply.before",
    "call.reply.after",
    "call.find:reply.before",
    "call.find:reply.after",
    "call.look.before",
    "call.look.after",
    "call.fetch.before",
    "call.fetch.after",
    "http.before_write",
    "http.after_answer",
)
ELSEWHERE = frozenset(
    {"spool.before_rename", "spool.after_rename", "spool.after_import", "migrate.before_commit", "hear.before_commit", "hear.before_wake"}
)
"""Passed only while the database is away, before there is work, or where a platform calls out: test_redis_and_database.py, test_crashes.py
and test_hearing.py."""
_PAIRS = 20
_HALVES = ("first", "second")


def _assert_clean(played: Sequence[Played]) -> None:
    """Every play that went wrong is named: where there are a thousand, one seldom says what they have in common."""
    wrong = [f"{', '.join(item.kills)}: {'; '.join(item.problems)}" for item in played if item.problems]
    assert not wrong, "\n".join(wrong)


def test_the_list_names_every_fault_point_that_the_engine_has() -> None:
    root = Path(__file__).resolve().parents[2]
    modules = [path for folder in ("plugin", "workers", "webhooks") for path in (root / folder).rglob("*.py") if "tests" not in path.parts]
    written = {name for path in modules for name in re.findall(r"\bpoint\(f?\"([^\"]+)\"\)", path.read_text(encoding="utf-8"))}
    plain = {name for name in written if "{" not in name}
    assert plain <= {*POINTS, *ELSEWHERE}
    patterns = [re.compile(re.sub(r"\\{[^}]*\\}|\{[^}]*\}", ".+", name)) for name in written if "{" in name]
    assert all(name in plain or any(pattern.fullmatch(name) for pattern in patterns) for name in POINTS)


def test_clean_runs_pass_every_one_of_them(tmp_path: Path, databases: Databases) -> None:
    # Whether a lost answer is looked for or its echo comes first is a race that both may win: a few runs see both.
    unseen = set(POINTS)
    for number in range(6):
        with databases() as url:
            played = play(tmp_path / f"clean{number}", url)
        assert played.problems == ()
        unseen -= set(played.points)
        if not unseen:
            break
    assert unseen == set()


@pytest.mark.parametrize("half", _HALVES)
def test_a_kill_at_each_point_loses_doubles_and_reorders_nothing(half: str, tmp_path: Path, databases: Databases) -> None:
    chosen = POINTS[_HALVES.index(half) :: 2]
    played = play_all(tmp_path / "run", databases, [(f"{name}=1:kill",) for name in chosen])
    _assert_clean(played)


@pytest.mark.parametrize("half", _HALVES)
def test_kills_at_two_points_lose_double_and_reorder_nothing(half: str, tmp_path: Path, databases: Databases) -> None:
    seed = int(os.environ.get("CROSSDESK_FAULTS_SEED", "0")) or random.randrange(1, 10**6)
    print(f"pairs: CROSSDESK_FAULTS_SEED={seed}")
    pairs = [(first, second) for first, second in product(POINTS, POINTS) if not first.startswith("call.find") or first != second]
    if os.environ.get("CROSSDESK_FAULTS_PAIRS") != "all":  # Of all of them each half plays its own; drawn ones may be the same in both.
        pairs = random.Random(seed).sample(pairs, _PAIRS)
    chosen = pairs[_HALVES.index(half) :: 2]
    played = play_all(tmp_path / "run", databases, [(f"{first}=1:kill", f"{second}=1:kill") for first, second in chosen], may_spare=True)
    _assert_clean(played)
