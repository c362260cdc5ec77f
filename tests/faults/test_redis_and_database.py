"""Redis and PostgreSQL that die, forget, fill up or lose a race (cases 15 to 20)."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient
from sqlalchemy import Connection, text

from plugin.domain.errors import StoreUnavailable
from plugin.handlers.receive import _receipt
from plugin.store.database import Database
from plugin.store.spool import Spool
from tests.faults import children, drill
from tests.faults.door import door
from tests.faults.inner import CHANNEL, Inner, sequence
from tests.faults.running import Running, until

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool with room for about ten deliveries."""
    made = Spool(tmp_path / "spool", most=8000)
    made.prepare()
    return made


def _post(client: FlaskClient, inner: Inner, words: str) -> int:
    request = inner.platform.webhook(inner.platform.say("ann", words))
    answer = client.post("/in/channel/fake", data=request.body, headers=dict(request.headers))
    assert answer.status_code in {200, 503}
    if answer.status_code == 503:
        assert answer.headers["Retry-After"]
    return answer.status_code


def test_15_a_full_disk_is_answered_503_leaves_no_half_rows_and_passes_by_itself(database_url: str, spool: Spool) -> None:
    inner = Inner(database_url, spool=spool)
    full = (
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$"
    )
    with inner.database.begin() as connection:
        connection.execute(text(full))
        connection.execute(text("CREATE TRIGGER no_room BEFORE INSERT ON receipt FOR EACH ROW EXECUTE FUNCTION no_room()"))
    client = door(inner)
    answers = [_post(client, inner, words) for words in sequence("while the disk was full", 40)]
    kept = answers.count(200)
    assert 0 < kept < 40, "first the spool takes them, then nobody"
    assert answers == [200] * kept + [503] * (40 - kept)
    assert inner.one("SELECT count(*) FROM receipt") == 0
    assert not list((spool._tmp).iterdir())
    with inner.database.begin() as connection:
        connection.execute(text("DROP TRIGGER no_room ON receipt"))
    assert _post(client, inner, "there is room again") == 200
    spool.import_into(inner.database)
    inner.settle()
    assert sorted(inner.filed()) == sorted(["there is room again", *sequence("while the disk was full", kept)])


def test_16_redis_killed_restarted_and_flushed_loses_nothing(lasting: Running) -> None:
    public, private = lasting.pair()
    for kind in ("flush redis", "kill redis", "flush redis"):
        lasting.stage.write(public)
        drill.throw(drill.Fault(at=0, kind=kind, dice=0.2), lasting.stage, lasting.bridge, lasting.servers)
        lasting.stage.write(private)
    lasting.is_whole()


def test_16_while_redis_is_away_the_sweeper_does_the_work(lasting: Running) -> None:
    public, private = lasting.pair()
    lasting.servers.kill_valkey()
    try:
        for _ in range(3):
            lasting.stage.write(public)
            lasting.stage.write(private)
        lasting.is_whole()
    finally:
        lasting.servers.start_valkey()


def test_17_a_redis_whose_memory_is_full_is_no_matter(lasting: Running) -> None:
    public, private = lasting.pair()
    with redis.Redis.from_url(lasting.servers.valkey.url) as client:
        client.config_set("maxmemory", 1)
        try:
            lasting.stage.write(public)
            lasting.stage.write(private)
            lasting.is_whole()
        finally:
            client.config_set("maxmemory", 0)


def test_18_a_receiver_that_starts_while_the_database_is_away_spools_too(lasting: Running) -> None:
    public, private = lasting.pair()
    lasting.servers.kill_postgres()
    try:
        lasting.bridge.strike([*lasting.bridge.below("receiver"), lasting.bridge.pid("receiver")], signal.SIGKILL)
        for _ in range(3):
            lasting.stage.write(public)
            lasting.stage.write(private)
        spooled = lasting.folder / "data" / "spool" / "new"
        until(lambda: any(spooled.iterdir()))
    finally:
        lasting.servers.start_postgres()
    lasting.is_whole(seconds=60)


def test_18_while_the_database_is_away_the_spool_keeps_everything_once_and_in_order(lasting: Running) -> None:
    public, private = lasting.pair()
    lasting.stage.write(public)
    lasting.servers.kill_postgres()
    try:
        for _ in range(6):
            lasting.stage.write(public)
            lasting.stage.write(private)
        spooled = lasting.folder / "data" / "spool" / "new"
        until(lambda: any(spooled.iterdir()))
        time.sleep(1.0)
    finally:
        lasting.servers.start_postgres()
    lasting.is_whole(seconds=60)
    assert not list(spooled.iterdir())


@pytest.mark.parametrize(("faults", "kept"), [("spool.before_rename=1:kill", 0), ("spool.after_rename=1:kill", 1)])
def test_18_a_receiver_that_dies_while_spooling_kept_all_of_it_or_nothing(
    database_url: str, tmp_path: Path, spool: Spool, faults: str, kept: int
) -> None:
    died = children.die(children.spool, str(tmp_path / "spool"), "hello", faults=faults, log=tmp_path / "log")
    assert died == -signal.SIGKILL
    assert spool.size() == kept
    assert children.die(children.spool, str(tmp_path / "spool"), "hello", faults="", log=tmp_path / "log") == 0
    inner = Inner(database_url, spool=spool)
    spool.import_into(inner.database)
    assert inner.one("SELECT count(*) FROM receipt") == 1, "the sender's second try is the same receipt"


def test_18_an_import_that_dies_after_its_commit_is_done_again_without_harm(database_url: str, tmp_path: Path, spool: Spool) -> None:
    inner = Inner(database_url, spool=spool)
    for words in sequence("spooled", 5):
        request = inner.platform.webhook(inner.platform.say("ann", words))
        spool.keep(_receipt(CHANNEL, request, request.path))
    died = children.die(
        children.import_spool, str(tmp_path / "spool"), database_url, faults="spool.after_import=1:kill", log=tmp_path / "log"
    )
    assert died == -signal.SIGKILL
    assert spool.size() == 5
    spool.import_into(inner.database)
    inner.settle()
    assert inner.filed() == sequence("spooled", 5)
    inner.is_whole()


def test_18_without_a_spool_the_sender_is_asked_to_come_again(database_url: str) -> None:
    inner = Inner(database_url)
    away = Database(NOWHERE, connect_seconds=0.2)
    inner.receiver._commits._commit = lambda batch: inner.receiver._commit(away, batch)
    with pytest.raises(StoreUnavailable):
        inner.told(inner.platform.say("ann", "hello"))
    away.dispose()


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
def test_19_a_lost_race_in_the_database_is_run_again_unseen(inner: Inner, state: str) -> None:
    tries = []

    def work(connection: Connection) -> int:
        tries.append(1)
        if len(tries) < 4:
            connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '{state}'; END $$"))
        return 7

    assert inner.database.run(work) == 7
    assert len(tries) == 4


def test_19_two_transactions_that_lock_crosswise_both_get_through(inner: Inner) -> None:
    for who in ("ann", "bob"):
        inner.told(inner.platform.say(who, "hello"))
    inner.settle()
    met = threading.Barrier(2)
    tries = {"there": 0, "back": 0}

    def work(way: str, first: int, second: int) -> None:
        def lock(connection: Connection) -> None:
            tries[way] += 1
            connection.execute(text("UPDATE conversation SET hold_text = '' WHERE id = :id"), {"id": first})
            if tries[way] == 1:
                met.wait(10)
            connection.execute(text("UPDATE conversation SET hold_text = '' WHERE id = :id"), {"id": second})

        inner.database.run(lock)

    threads = [threading.Thread(target=work, args=arguments) for arguments in (("there", 1, 2), ("back", 2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(tries.values()) == [1, 2]


def test_20_a_connection_that_dies_at_its_commit_is_repeated_under_the_same_keys(database_url: str, spool: Spool) -> None:
    inner = Inner(database_url, spool=spool)
    commit = inner.receiver._commit

    def committed_but_unheard(database: Database, batch: object) -> None:
        commit(database, batch)  # type: ignore[arg-type]
        raise StoreUnavailable(detail="the connection died at COMMIT")

    inner.receiver._commits._commit = lambda batch: committed_but_unheard(inner.database, batch)
    inner.told(inner.platform.say("ann", "hello"))
    assert spool.size() == 1, "what is not known to be committed is kept once more"
    spool.import_into(inner.database)
    inner.settle()
    assert inner.filed() == ["hello"]
    assert inner.one("SELECT count(*) FROM receipt") == 1


def test_20_a_turn_whose_connection_dies_is_taken_over_and_reads_back(inner: Inner) -> None:
    inner.told(inner.platform.say("ann", "hello"))
    inner.splitter.split_due()
    ask = inner.desk.open_ticket

    def cut(*arguments: object, **more: object) -> object:
        inner.desk.open_ticket = ask  # type: ignore[method-assign]
        made = ask(*arguments, **more)  # type: ignore[arg-type]
        with inner.database.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            )
        return made

    inner.desk.open_ticket = cut  # type: ignore[method-assign,assignment]
    until(lambda: _rounds(inner), seconds=20)
    assert inner.filed() == ["hello"]
    assert len(inner.desk.tickets) == 1
    inner.is_whole()


def _rounds(inner: Inner) -> bool:
    try:
        return not inner.round() and not inner.open()
    except StoreUnavailable:
        return False
