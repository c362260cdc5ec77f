"""A PostgreSQL of the harness's own: many short-lived databases at once, and nobody else's connections."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg
import pytest

from plugin.store import schema
from tests.faults.inner import Inner
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


@pytest.fixture
def inner(database_url: str) -> Iterator[Inner]:
    """A bridge in this process."""
    made = Inner(database_url)
    yield made
    made.close()
