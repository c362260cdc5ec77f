"""The ground on which all benchmarks stand: servers of their own in a folder that goes with them, and a bridge built on the bench adapters."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psycopg
import redis
from cryptography.fernet import Fernet
from sqlalchemy import Connection, text

from plugin.bootstrap import Bridge
from plugin.config import Config, DatabaseConfig, ReceiverConfig, RedisConfig, WorkerConfig
from plugin.domain.ids import ChannelKey, HelpdeskKey, channel_place, helpdesk_place
from plugin.handlers.installation import Channel, Desk, Installation, PolicyAtWork
from plugin.handlers.polls import Poller
from plugin.handlers.split import Splitter
from plugin.policy.agreement import contract_of
from plugin.policy.policy import Policy
from plugin.store import receipts, schema
from plugin.store.database import Database
from plugin.store.grants import Grants
from plugin.store.passes import Passes
from plugin.store.receipts import NewReceipt
from plugin.transport.client import Transport
from tests.benchmarks.adapters import SIGNATURE, BenchDesk, BenchPlatform, sign
from tests.benchmarks.load import body_of
from tests.channels import no_http, none_made
from tests.servers.registry import free_port
from webhooks.app import create_app
from webhooks.serve import serve
from workers.embedded import start_postgres, start_valkey
from workers.redis import connect
from workers.sweeper import sweep
from workers.wakeups import RedisWakeUps
from workers.worker import work

CHANNEL = channel_place(ChannelKey("bench"))
HELPDESK = helpdesk_place(HelpdeskKey("bench"))
PATH = "/in/channel/bench"
DESK_PATH = "/in/helpdesk/bench"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The run's servers."""

    folder: Path
    postgres_url: str
    redis_url: str
    stub_port: int

    def database(self) -> str:
        """The address of an empty, migrated database."""
        name = f"bench_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        url = self.postgres_url.replace("@/postgres?", f"@/{name}?")
        schema.upgrade(url)
        return url

    def bridge(self, database_url: str, *, port: int = 0, processes: int = 1, threads: int = 8, policy: Policy | None = None) -> Bridge:
        """A bridge between the bench platform and the bench desk, with a policy if one is given; the places are registered."""
        config = Config(
            path=self.folder / "bench.toml",
            data_dir=self.folder,
            public_url=f"http://127.0.0.1:{port}",
            database=DatabaseConfig(url=database_url),
            redis=RedisConfig(url=self.redis_url),
            receiver=ReceiverConfig(port=port, spool=False),
            worker=WorkerConfig(processes=processes, threads=threads),
        )
        database, http = Database(database_url, pool_size=12), Transport()
        installation = Installation(
            channels={
                CHANNEL: Channel(
                    key=ChannelKey("bench"),
                    place=CHANNEL,
                    platform="bench",
                    platform_name="Bench",
                    adapter=BenchPlatform(f"http://127.0.0.1:{self.stub_port}", http.client(name="bench")),
                    helpdesk=HELPDESK,
                    group="Social",
                )
            },
            desks={
                HELPDESK: Desk(
                    key=HelpdeskKey("bench"),
                    place=HELPDESK,
                    kind="bench",
                    adapter=BenchDesk(f"http://127.0.0.1:{self.stub_port}", http.client(name="bench")),
                )
            },
            engine=config.engine,
            policy=None if policy is None else PolicyAtWork(judge=policy, contract=contract_of(policy), book=policy),
        )
        splitter, keys = Splitter(installation, database), (Fernet.generate_key().decode(),)
        bridge = Bridge(
            config=config,
            installation=installation,
            database=database,
            splitter=splitter,
            poller=Poller(installation, database, splitter),
            spool=None,
            grants=Grants(database, keys),
            passes=Passes(database, keys),
            keys=keys,
            http=no_http,
            channels=none_made(config, installation, database, keys),
        )
        bridge.register()
        database.dispose()
        return bridge

    def work(self, bridge: Bridge) -> None:
        """Be a worker process."""
        work(bridge, connect(bridge.config.redis, timeout=10.0))

    def sweep(self, bridge: Bridge) -> None:
        """Be a sweeper process."""
        sweep(bridge, RedisWakeUps(connect(bridge.config.redis, timeout=0.3)))

    def serve(self, bridge: Bridge) -> None:
        """Be a receiver process."""
        serve(
            lambda: create_app(bridge, RedisWakeUps(connect(bridge.config.redis, timeout=0.3))),
            bridge.config.receiver,
            on_ready=lambda: None,
        )

    def flush(self) -> None:
        """Forget every wake-up."""
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()

    def stub(self, method: str, path: str) -> Any:
        """Ask the stub."""
        asking = urllib.request.Request(f"http://127.0.0.1:{self.stub_port}{path}", method=method, data=b"{}" if method == "POST" else None)
        with urllib.request.urlopen(asking, timeout=30) as answer:
            return json.loads(answer.read())


@contextlib.contextmanager
def prepared() -> Iterator[Ground]:
    """PostgreSQL, Valkey and the stub, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="crossdesk-bench-") as made, contextlib.ExitStack() as stack:
        folder = Path(made)
        folder.chmod(0o755)
        postgres = start_postgres(folder / "postgres")
        stack.callback(postgres.stop)
        valkey = start_valkey(folder / "valkey", detached=True)
        stack.callback(valkey.stop)
        port_file = folder / "stub.port"
        stack.enter_context(process(["-m", "tests.benchmarks.stub", str(port_file)]))
        wait_until(port_file.exists)
        yield Ground(folder=folder, postgres_url=postgres.url, redis_url=valkey.url, stub_port=int(port_file.read_text()))


@contextlib.contextmanager
def process(arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process of the run, ended with TERM, then KILL."""
    running = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, start_new_session=True)
    try:
        yield running
    finally:
        end(running)


def end(running: subprocess.Popen[bytes]) -> None:
    """End a process and all of its group."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    try:
        running.wait(15)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@contextlib.contextmanager
def forked(task: Callable[[], object], *, count: int = 1) -> Iterator[list[int]]:
    """`count` forks of this process doing `task`; ended with TERM, then KILL, their own children included."""
    pids = [_fork(task) for _ in range(count)]
    try:
        yield pids
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        for pid in pids:
            _reap(pid)


def _fork(task: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        code = 1
        try:
            task()
            code = 0
        except SystemExit:
            code = 0
        finally:
            os._exit(code)
    return pid


def _reap(pid: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0]:
            break
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def load(**order: Any) -> dict[str, Any]:
    """Carry out an order of `tests.benchmarks.load` in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(order).encode(), stdout=subprocess.PIPE, check=True)
    return cast(dict[str, Any], json.loads(done.stdout))


def preload(connection: Connection, *, first: int, count: int, contacts: int) -> None:
    """Put `count` verified deliveries into the database, as if the receiver had just taken them."""
    for start in range(first, first + count, 500):
        batch = []
        for number in range(start, min(start + 500, first + count)):
            body = body_of(number, contacts)
            headers = {"content-type": "application/json", SIGNATURE: sign(body)}
            batch.append(NewReceipt(place=CHANNEL, method="POST", path="", query={}, headers=headers, body=body))
        receipts.insert(connection, batch)


def is_listening(port: int) -> bool:
    """Whether something takes connections on the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def open_work(database: Database) -> int:
    """Receipts that are not split and events that have not ended."""
    with database.begin() as connection:
        return int(
            connection.execute(
                text(
                    "SELECT (SELECT count(*) FROM receipt WHERE state = 'new') + (SELECT count(*) FROM inbound_event WHERE state IN "
                    "('accepted', 'waiting', 'retry', 'routed'))"
                )
            ).scalar_one()
        )


def wait_until(condition: Callable[[], bool], *, seconds: float = 60.0, pause: float = 0.05) -> bool:
    """Wait for a condition; False when it never came."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(pause)
    return True


def port() -> int:
    """A free port."""
    return free_port()
