"""Saved searches and second looks under a kill at each of their points: nothing is lost or doubled, and no budget overspent."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.faults import children


@pytest.mark.parametrize("point", ["search.before_call", "search.after_commit"])
def test_a_search_that_dies_is_taken_over_and_finds_each_post_once(point: str, database_url: str, tmp_path: Path) -> None:
    inner = children.muttering(database_url)
    assert children.die(children.ask, database_url, faults=f"{point}=1:kill", log=tmp_path / "log") == -signal.SIGKILL
    lost = 25 if point == "search.before_call" else 0
    inner.rows("UPDATE cursor SET due_at = now() RETURNING 1")
    inner.until(lambda: inner.one("SELECT found FROM cursor WHERE task = 'search:brand'") == 5, polls=True)
    inner.settle(polls=True)
    assert sorted(words for words in inner.filed() if words.startswith("Crossdesk")) == [f"Crossdesk {number}" for number in range(5)]
    assert inner.one("SELECT spent FROM cursor WHERE task = 'search:brand'") == lost + 5
    inner.is_whole()


@pytest.mark.parametrize("point", ["recheck.before_call", "recheck.after_commit"])
def test_a_second_look_that_dies_is_made_again_and_tells_each_change_once(point: str, database_url: str, tmp_path: Path) -> None:
    inner = children.muttering(database_url)
    inner.settle(polls=True)
    inner.rows("UPDATE conversation SET looked_at = looked_at - interval '1 hour' RETURNING 1")
    inner.rows("UPDATE cursor SET due_at = CASE WHEN task = 'recheck' THEN now() ELSE now() + interval '1 hour' END RETURNING 1")
    assert children.die(children.ask, database_url, faults=f"{point}=1:kill", log=tmp_path / "log") == -signal.SIGKILL
    inner.rows("UPDATE cursor SET due_at = LEAST(due_at, now()) WHERE task = 'recheck' RETURNING 1")
    inner.until(lambda: "[The message was edited. It now says:]" in inner.filed(), polls=True)
    inner.settle()
    assert inner.filed().count("[The message was edited. It now says:]") == 1
    inner.is_whole()
