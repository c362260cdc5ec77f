"""Processes that die and stand still (cases 1 to 15). Cases 1 to 3 and 5 to 8 are rows of the loop in test_points.py."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text

from plugin.domain.errors import ConfigError
from plugin.store import schema
from tests.faults import children, drill
from tests.faults.conftest import Databases
from tests.faults.inner import Inner, sequence
from tests.faults.running import Running, until
from workers.jobs import QUEUE


def test_04_a_split_that_dies_half_way_through_a_thousand_events_splits_all_of_them_or_none(database_url: str, tmp_path: Path) -> None:
    inner = Inner(database_url)
    inner.told(*[inner.platform.say("ann", words) for words in sequence("message", 1000)])
    assert children.die(children.split, database_url, faults="split.before_commit=1:kill", log=tmp_path / "log") == -signal.SIGKILL
    assert inner.one("SELECT count(*) FROM inbound_event") == 0
    until(inner.splitter.split_due)
    assert inner.one("SELECT count(*) FROM inbound_event") == 1000


def test_04_receipts_that_shared_a_batch_with_a_death_keep_their_order_and_are_not_blamed(database_url: str, tmp_path: Path) -> None:
    inner = Inner(database_url)
    words = sequence("message", 30)
    for said in words:
        inner.told(inner.platform.say("ann", said))
    for _ in range(3):
        assert children.die(children.split, database_url, faults="split.before_commit=1:kill", log=tmp_path / "log") == -signal.SIGKILL
    inner.told(inner.platform.say("ann", "came after the deaths"))
    inner.settle()
    assert inner.filed() == [*words, "came after the deaths"]
    assert inner.one("SELECT count(*) FROM receipt WHERE state <> 'split'") == 0


def test_04_splitters_that_meet_count_no_tries_that_they_did_not_make(database_url: str) -> None:
    inner = Inner(database_url)
    words = sequence("message", 60)

    def split() -> None:
        while not over.is_set():
            inner.splitter.split_due()

    over = threading.Event()
    threads = [threading.Thread(target=split) for _ in range(4)]
    for thread in threads:
        thread.start()
    for said in words:
        inner.told(inner.platform.say("ann", said))
    until(lambda: not inner.one("SELECT count(*) FROM receipt WHERE state IN ('new', 'retry')"))
    over.set()
    for thread in threads:
        thread.join()
    assert inner.one("SELECT count(*) FROM receipt WHERE state <> 'split'") == 0
    inner.settle()
    assert inner.filed() == words


def test_09_a_horse_whose_parent_was_killed_works_on_without_doubling_anything(lasting: Running) -> None:
    public, private = lasting.pair()
    lasting.stage.rehearsal.desk.faults.add("stall", method="POST", path=r"/ticket", times=2, seconds=1.0)
    lasting.stage.write(public)
    lasting.stage.write(private)
    orphans = until(lambda: lasting.bridge.below("worker-1") or lasting.bridge.below("worker-2"))
    lasting.bridge.strike([lasting.bridge.pid("worker-1"), lasting.bridge.pid("worker-2")], signal.SIGKILL)
    assert set(orphans) <= set(lasting.bridge.everyone()), "the horse outlives its parent"
    for _ in range(4):
        lasting.stage.write(public)
        lasting.stage.write(private)
    lasting.is_whole()


def test_10_a_worker_killed_right_after_it_took_the_job_costs_a_moment(lasting: Running) -> None:
    public, _ = lasting.pair()
    workers = [lasting.bridge.pid("worker-1"), lasting.bridge.pid("worker-2")]
    everyone = [*workers, *lasting.bridge.below("worker-1"), *lasting.bridge.below("worker-2")]
    with redis.Redis.from_url(lasting.servers.valkey.url) as client, lasting.bridge.frozen(everyone):
        lasting.stage.write(public)
        until(lambda: client.llen(f"rq:queue:{QUEUE}"))
        assert client.lpop(f"rq:queue:{QUEUE}"), "taken, and nobody knows by whom"
        lasting.bridge.strike(workers, signal.SIGKILL)
    lasting.is_whole()


def test_11_three_sweepers_at_once_come_to_what_one_comes_to(inner: Inner) -> None:
    for said in sequence("message", 20):
        edited = inner.platform.say("ann", said)
        inner.told(inner.platform.change(edited.message_ref, "an edit of what never came"))
    inner.splitter.split_due()
    time.sleep(0.6)

    def sweep() -> None:
        for _ in range(10):
            inner.sweeper.sweep()

    threads = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    inner.settle()
    edits = inner.rows("SELECT state, count(*) AS total FROM inbound_event WHERE kind = 'MessageEdited' GROUP BY state")
    assert sum(row["total"] for row in edits) == 20
    inner.is_whole()


def test_11_a_killed_sweeper_is_missed_by_nobody(lasting: Running) -> None:
    public, private = lasting.pair()
    for _ in range(3):
        lasting.bridge.strike([lasting.bridge.pid("sweeper")], signal.SIGKILL)
        lasting.stage.write(public)
        lasting.stage.write(private)
    lasting.is_whole()


def test_12_everything_killed_at_once_resumes_and_the_counts_hold(lasting: Running) -> None:
    public, private = lasting.pair()
    for _ in range(5):
        lasting.stage.write(public)
        lasting.stage.write(private)
    drill.throw(drill.Fault(at=0, kind="kill everything", dice=0.5), lasting.stage, lasting.bridge, lasting.servers)
    lasting.stage.write(public)
    lasting.is_whole(seconds=60)


def test_13_a_migration_that_dies_may_simply_be_run_again_and_old_code_refuses_a_newer_schema(databases: Databases, tmp_path: Path) -> None:
    with databases() as url:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        assert children.die(children.migrate, url, faults="migrate.before_commit=1:kill", log=tmp_path / "log") == -signal.SIGKILL
        engine = create_engine(url)
        with engine.begin() as connection:
            assert schema.current(connection) is None
        assert schema.upgrade(url) == schema.head()
        assert schema.upgrade(url) == schema.head()
        with engine.begin() as connection:
            schema.require_current(connection)
            connection.execute(text("UPDATE alembic_version SET version_num = 'from_the_future'"))
        with engine.begin() as connection, pytest.raises(ConfigError, match="newer"):
            schema.require_current(connection)
        with pytest.raises(ConfigError, match="newer"):
            schema.upgrade(url)
        engine.dispose()


def test_14_a_horse_frozen_past_its_lease_writes_nothing_twice_in_silence(lasting: Running) -> None:
    public, private = lasting.pair()
    for _ in range(3):
        lasting.stage.write(public)
        lasting.stage.write(private)
        horses = until(lambda: lasting.bridge.below("worker-1") + lasting.bridge.below("worker-2"))
        with lasting.bridge.frozen(horses[:1]):
            lasting.stage.write(private)
            time.sleep(2.5)
    twins = len(lasting.rows("SELECT 1 FROM alert WHERE code LIKE 'twin:%'"))
    lasting.is_whole(told_twins=twins + 1)
    count = lasting.stage.count()
    assert len(count.doubled) <= len(lasting.rows("SELECT 1 FROM alert WHERE code LIKE 'twin:%'"))


@pytest.mark.parametrize("call", ["open_ticket", "add_article"])
def test_14_a_call_made_by_someone_who_had_lost_the_lease_stands_twice_and_is_told(database_url: str, call: str) -> None:
    from dataclasses import replace

    from tests.faults.inner import QUICK

    inner = Inner(database_url, engine=replace(QUICK, lease_seconds=0.4, turn_seconds=0.3))
    if call == "add_article":
        inner.told(inner.platform.say("ann", "hello"))
        inner.settle()
    reached, go_on = threading.Event(), threading.Event()
    ask = getattr(inner.desk, call)

    def frozen(*arguments: object, **more: object) -> object:
        setattr(inner.desk, call, ask)
        reached.set()
        assert go_on.wait(20)
        return ask(*arguments, **more)

    setattr(inner.desk, call, frozen)
    inner.told(inner.platform.say("ann", "frozen right before the call"))
    inner.splitter.split_due()
    (lease,) = inner.claim("the frozen one")
    thread = threading.Thread(target=lambda: inner.drain.work(lease))
    thread.start()
    assert reached.wait(10)
    inner.settle()
    go_on.set()
    thread.join()
    assert inner.filed().count("frozen right before the call") == 2
    assert [code.partition(":")[0] for code in inner.alerts()] == ["twin"]
    inner.is_whole()
