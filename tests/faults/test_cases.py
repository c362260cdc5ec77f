"""CASES.md is complete and names only what exists."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WANTED = {*range(1, 38), *range(40, 43), 45, *range(47, 52)}
ROWS = [line.split("|") for line in (HERE / "CASES.md").read_text(encoding="utf-8").splitlines() if re.match(r"\| \d+ \|", line)]


def test_every_case_is_on_the_list_once() -> None:
    assert sorted(int(row[1]) for row in ROWS) == sorted(WANTED)


def test_every_case_names_tests_and_all_of_them_exist() -> None:
    for row in ROWS:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row[3])
        assert named, f"case {row[1]} names no test"
        for file, test in named:
            path = ROOT / file if "/" in file else HERE / file
            assert re.search(rf"^def {test}\(", path.read_text(encoding="utf-8"), re.MULTILINE), (
                f"case {row[1]}: {file}::{test} is not there"
            )


def test_every_fault_point_on_the_list_is_one_of_the_loop() -> None:
    from tests.faults.test_points import POINTS

    for row in ROWS:
        named = {name for name in re.findall(r"`([a-z_]+\.[\w.:]+)`", row[3]) if "::" not in name}
        assert named <= set(POINTS)
