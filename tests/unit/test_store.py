"""The store keeps its promises: one schema, secrets renewed once, receipts kept once, markers that survive a restore."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from cryptography.fernet import Fernet
from sqlalchemy import text

from plugin.domain.errors import ConfigError, StoreUnavailable
from plugin.domain.ids import Place
from plugin.handlers.receive import GroupCommit
from plugin.store import receipts, schema
from plugin.store.database import Database
from plugin.store.intents import marker_for
from plugin.store.receipts import NewReceipt
from plugin.store.secrets import PlaceSecrets
from plugin.store.spool import Spool
from plugin.store.tables import metadata

PLACE = Place("channel:test")


def receipt(number: int) -> NewReceipt:
    return NewReceipt(place=PLACE, method="POST", path="", query={}, headers={"x-odd": "a\0b\ud800"}, body=b"\xff body %d" % number)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.dispose()


def administer(database: Database, *statements: str) -> None:
    with database.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(database: Database) -> None:
    with database.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_upgrading_twice_at_once_and_again_is_harmless(database: Database, database_url: str) -> None:
    administer(database, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(schema.upgrade(database_url))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [schema.head()] * 3


def test_old_code_refuses_a_newer_schema_and_touches_nothing(database: Database, database_url: str) -> None:
    administer(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"9999.*newer than this version.*Nothing was touched"):
        schema.upgrade(database_url)
    with database.begin() as connection, pytest.raises(ConfigError, match="newer"):
        schema.require_current(connection)


def test_a_missing_schema_is_named_with_the_command_that_makes_it(database: Database) -> None:
    administer(database, "DROP TABLE alembic_version")
    with database.begin() as connection, pytest.raises(ConfigError, match="crossdesk db upgrade"):
        schema.require_current(connection)


def test_a_delivery_that_comes_again_is_the_same_receipt(database: Database) -> None:
    for batch in ([receipt(1), receipt(2), receipt(1)], [receipt(2)]):
        with database.begin() as connection:
            receipts.insert(connection, batch)
    with database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM receipt")).scalar_one() == 2


def test_many_threads_share_few_commits_and_each_learns_of_its_own() -> None:
    commits: list[int] = []
    gate = threading.Event()

    def commit(batch: Sequence[NewReceipt]) -> None:
        gate.wait(5)
        commits.append(len(batch))

    group = GroupCommit(commit)
    threads = [threading.Thread(target=group.submit, args=(receipt(number),)) for number in range(20)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert sum(commits) == 20
    assert len(commits) < 20


def test_when_a_shared_commit_fails_everybody_in_it_learns() -> None:
    def commit(_: Sequence[NewReceipt]) -> None:
        raise StoreUnavailable

    group = GroupCommit(commit)
    failed: list[int] = []

    def submit(number: int) -> None:
        try:
            group.submit(receipt(number))
        except StoreUnavailable:
            failed.append(number)

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(failed) == list(range(8))


def test_the_spool_keeps_receipts_over_a_crash_and_imports_each_once_in_order(tmp_path: Path, database: Database) -> None:
    spool = Spool(tmp_path / "spool", most=1_000_000)
    spool.prepare()
    for number in range(5):
        spool.keep(receipt(number))
    (tmp_path / "spool" / "tmp" / "half-written").write_bytes(b"{")
    (tmp_path / "spool" / "new" / "00-unreadable").write_bytes(b"not a receipt")
    assert Spool(tmp_path / "spool", most=1_000_000).import_into(database) == 5
    assert spool.size() == 0
    assert (tmp_path / "spool" / "unreadable" / "00-unreadable").exists()
    with database.begin() as connection:
        bodies = [bytes(row.body) for row in connection.execute(text("SELECT body FROM receipt ORDER BY id"))]
    assert bodies == [b"\xff body %d" % number for number in range(5)]


def test_a_full_spool_asks_the_sender_to_come_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", most=250)
    spool.prepare()
    spool.keep(receipt(1))
    with pytest.raises(StoreUnavailable, match="nothing of it was kept"):
        spool.keep(receipt(2))
    assert spool.size() == 1


def test_a_secret_is_renewed_once_however_many_ask(database: Database) -> None:
    secrets = PlaceSecrets(database, PLACE, [Fernet.generate_key().decode()])
    renewed: list[str | None] = []

    def renew(current: str | None) -> str:
        renewed.append(current)
        return f"token {len(renewed)}"

    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(secrets.refresh("session", None, renew))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, renewed) == (["token 1"] * 6, [None])
    assert secrets.refresh("session", "token 1", renew) == "token 2"
    assert secrets.get("session") == "token 2"


def test_secrets_rest_encrypted_and_a_lost_key_is_explained(database: Database) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    PlaceSecrets(database, PLACE, [old]).refresh("session", None, lambda _: "a very secret session")
    with database.begin() as connection:
        assert b"secret session" not in bytes(connection.execute(text("SELECT ciphertext FROM secret")).scalar_one())
    assert PlaceSecrets(database, PLACE, [new, old]).get("session") == "a very secret session"
    with pytest.raises(ConfigError, match="Put the key with which it was encrypted back"):
        PlaceSecrets(database, PLACE, [new]).get("session")


def test_a_marker_is_the_same_in_every_process_and_for_nothing_else() -> None:
    marker = marker_for(PLACE, "message:1", "file", 0)
    assert marker == marker_for(PLACE, "message:1", "file", 0)
    assert len(marker) == 26
    assert len({marker, marker_for(PLACE, "message:1", "file", 1), marker_for(Place("channel:other"), "message:1", "file", 0)}) == 3


def test_a_database_that_is_away_is_said_in_a_sentence(tmp_path: Path) -> None:
    away = Database(f"postgresql+psycopg://postgres:@/none?host={tmp_path}", connect_seconds=0.5)
    with pytest.raises(StoreUnavailable, match="what was committed is kept"), away.begin():
        pass
