"""The family: in order, brought back, told to stop, and never left behind. Each case runs in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy

from tests.waiting import eventually

_ROOT = Path(__file__).parents[2]


class _Family:
    """A running family and what it left in its folder."""

    def __init__(self, case: str, folder: Path) -> None:
        self.folder = folder
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workers.tests.families", case, str(folder)],
                cwd=_ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def notes(self, pattern: str = ".*") -> list[str]:
        path = self.folder / "notes"
        lines = path.read_text().splitlines() if path.exists() else []
        return [found[found.lastindex or 0] for line in lines if (found := re.fullmatch(pattern, line))]

    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines()]

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], _Family]]:
    families: list[_Family] = []

    def begin(case: str) -> _Family:
        families.append(_Family(case, tmp_path))
        return families[-1]

    yield begin
    for family in families:
        with contextlib.suppress(ProcessLookupError):
            family.process.kill()
        family.process.communicate()


def _is_gone(pid: int | str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_in_order_brought_back_and_told_to_stop(start: Callable[[str], _Family]) -> None:
    family = start("plain")
    assert family.said() == "READY"
    assert [note.rstrip(" 0123456789") for note in family.notes()] == [
        "migrated",
        "receiver begins",
        "receiver ready",
        "worker begins",
        "worker ready",
        "sweeper begins",
        "sweeper ready",
    ]
    first = family.notes(r"worker begins (\d+)")[0]
    os.kill(int(first), signal.SIGKILL)
    assert eventually(lambda: len(family.notes("worker ready")) == 2)
    assert family.stop() == 0
    pids = family.notes(r"\w+ begins (\d+)")
    assert len(pids) == 4
    assert all(_is_gone(pid) for pid in pids)
    assert sorted(family.notes(r"(\w+) ends")) == ["receiver", "sweeper", "worker"]
    assert [fact["how"] for fact in family.facts() if fact["event"] == "died"] == ["signal 9, Killed"]


def test_a_child_that_does_not_finish_is_killed(start: Callable[[str], _Family]) -> None:
    family = start("stubborn")
    assert family.said() == "READY"
    began = time.monotonic()
    assert family.stop() == 0
    assert 1.5 < time.monotonic() - began < 6
    assert all(_is_gone(pid) for pid in family.notes(r"\w+ begins (\d+)"))


def test_a_second_signal_ends_at_once(start: Callable[[str], _Family]) -> None:
    family = start("stubborn")
    assert family.said() == "READY"
    family.process.terminate()
    assert eventually(lambda: family.notes("worker drains"))
    began = time.monotonic()
    assert family.stop() == 0
    assert time.monotonic() - began < 1.5


def test_nobody_survives_a_killed_parent(start: Callable[[str], _Family]) -> None:
    family = start("with_descendants")
    assert family.said() == "READY"
    family.process.kill()
    family.process.wait()
    for pid in family.notes(r"(?:worker begins|tied) (\d+)"):
        assert eventually(lambda pid=pid: _is_gone(pid), seconds=5)  # type: ignore[misc]
    os.kill(int(family.notes(r"loose (\d+)")[0]), signal.SIGKILL)


def test_orphans_of_a_child_go_with_the_family(start: Callable[[str], _Family]) -> None:
    family = start("with_descendants")
    assert family.said() == "READY"
    os.kill(int(family.notes(r"worker begins (\d+)")[0]), signal.SIGKILL)
    assert eventually(lambda: len(family.notes("worker ready")) == 2)
    loose = family.notes(r"loose (\d+)")
    assert not any(_is_gone(pid) for pid in loose)
    assert family.stop() == 0
    assert all(_is_gone(pid) for pid in loose)


@pytest.mark.parametrize(("case", "times"), [("hopeless", 3), ("misconfigured", 1)])
def test_a_child_that_never_becomes_ready_ends_the_start(start: Callable[[str], _Family], case: str, times: int) -> None:
    family = start(case)
    assert family.said().startswith("FAILED bad could not start (exit code")
    assert family.process.wait(10) == 1
    assert len(family.notes("tried")) == times
    assert all(_is_gone(pid) for pid in family.notes(r"\w+ begins (\d+)"))
    if case == "hopeless":
        assert "the port is taken" in [fact.get("says") for fact in family.facts()]


def test_a_child_that_is_not_vital_is_tried_again_and_holds_nobody_up(start: Callable[[str], _Family]) -> None:
    family = start("patient")
    assert family.said() == "READY"
    assert eventually(lambda: len(family.notes("tried")) >= 4)
    assert family.stop() == 0


def test_what_goes_before_must_succeed(start: Callable[[str], _Family]) -> None:
    family = start("failed_before")
    assert family.said().startswith("FAILED migrate failed (exit code 1); nothing was started.")
    assert family.process.wait(10) == 1


def test_what_goes_before_can_be_stopped(start: Callable[[str], _Family]) -> None:
    family = start("slow_before")
    assert family.said() == "READY"
    assert family.stop() == 0
    assert all(_is_gone(pid) for pid in family.notes(r"migrating (\d+)"))


def test_embedded_servers_come_back_at_the_same_address(start: Callable[[str], _Family]) -> None:
    family = start("with_servers")
    assert family.said() == "READY"
    engine = sqlalchemy.create_engine(family.notes("database (.*)")[0], poolclass=sqlalchemy.NullPool)

    def answer() -> object:
        try:
            with engine.connect() as connection:
                return connection.execute(sqlalchemy.text("select 1")).scalar()
        except sqlalchemy.exc.OperationalError:
            return None

    def pong() -> object:
        try:
            with redis.Redis.from_url(family.notes("wakeups (.*)")[0]) as client:
                return client.ping()
        except redis.exceptions.RedisError:
            return None

    assert answer() == 1
    assert pong()
    pids = [fact["pid"] for fact in family.facts() if fact["event"] == "started" and fact["process"] in ("postgres", "valkey")]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert all(eventually(lambda pid=pid: _is_gone(pid)) for pid in pids)  # type: ignore[misc]
    assert eventually(lambda: answer() == 1)
    assert eventually(pong)
    assert family.stop() == 0
    assert all(_is_gone(fact["pid"]) for fact in family.facts() if fact["event"] == "started")
