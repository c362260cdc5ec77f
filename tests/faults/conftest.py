"""A PostgreSQL of the harness's own: many short-lived databases at once, and nobody else's connections."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg
import pytest

from plugin.store import schema
from tests.faults.inner import MADE, Inner
from tests.faults.running import Running, running
from workers.embedded import start_postgres

Databases = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Makes migrated databases, each gone when its block ends."""
    folder = tmp_path_factory.mktemp("postgres")
    settings = {"max_connections": "200", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    server = start_postgres(folder / "server", detached=False, settings=settings)
    numbers = itertools.count()

    def administer(statement: str) -> None:
        with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement.encode())

    administer("CREATE DATABASE template_of_ours")
    schema.upgrade(server.url.replace("@/postgres?", "@/template_of_ours?"))

    @contextlib.contextmanager
    def database() -> Iterator[str]:
        name = f"scenario_{next(numbers)}"
        administer(f"CREATE DATABASE {name} TEMPLATE template_of_ours")
        yield server.url.replace("@/postgres?", f"@/{name}?")
        administer(f"DROP DATABASE {name} WITH (FORCE)")

    yield database
    server.stop()


@pytest.fixture(autouse=True)
def _close_connections() -> Iterator[None]:
    """Let no connection outlive its test."""
    yield
    while MADE:
        MADE.pop().close()


@pytest.fixture
def inner(database_url: str) -> Inner:
    """A bridge in this process."""
    return Inner(database_url)


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge of real processes that serves all the tests of this session which need one."""
    with running(tmp_path_factory.mktemp("running")) as made:
        yield made
