"""Connections and transactions. Translates the driver's errors; knows no table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from plugin.domain.errors import StoreUnavailable

T = TypeVar("T")
_TRIES = 5
# Deadlock, serialization failure, lock not available: the whole transaction may simply be done again.
_PASSING = frozenset({"40001", "40P01", "55P03"})


class Database:
    """One process's way to PostgreSQL. Make it after the fork; `dispose` before one."""

    def __init__(self, url: str, *, pool_size: int = 10, statement_seconds: float = 30.0, connect_seconds: float = 3.0) -> None:
        milliseconds = int(statement_seconds * 1000)
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=2,
            pool_timeout=connect_seconds,
            pool_pre_ping=False,
            isolation_level="READ COMMITTED",
            # What people wrote stands in the parameters; it must not get into a log with an error.
            hide_parameters=True,
            connect_args={
                "connect_timeout": max(1, int(connect_seconds)),
                # A frozen process must not hold locks for longer than a lease lives.
                "options": f"-c statement_timeout={milliseconds} -c idle_in_transaction_session_timeout={milliseconds} -c timezone=UTC",
                "application_name": "crossdesk",
            },
        )
        self._singles = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection without a transaction of its own.

        Raises:
            StoreUnavailable: the database cannot be reached, now or any more.
        """
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction; committed when the block ends well.

        Raises:
            StoreUnavailable: the database cannot be reached, or the connection broke: whether it was committed is not known.
        """
        with _translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def single(self) -> Iterator[Connection]:
        """For one statement that is a transaction by itself: one round trip instead of three.

        Raises:
            StoreUnavailable: as for `begin`.
        """
        with _translated(), self._singles.connect() as connection:
            yield connection

    def open_autocommit(self) -> Connection:
        """A connection of the caller's own, for session locks; the caller closes it.

        Raises:
            StoreUnavailable: as for `connect`.
        """
        with _translated():
            return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def run(self, work: Callable[[Connection], T]) -> T:
        """`work` in a transaction of its own, again when it lost against another one.

        Raises:
            StoreUnavailable: as for `begin`.
        """
        for attempt in range(_TRIES):
            try:
                with self._engine.begin() as connection:
                    return work(connection)
            except DBAPIError as problem:
                if is_passing(problem) and attempt < _TRIES - 1:
                    time.sleep(0.01 * 2**attempt)
                    continue
                if _is_outage(problem):
                    raise _unavailable(problem) from problem
                raise
            except PoolTimeout as problem:
                raise _unavailable(problem) from problem
        raise AssertionError("the last try returns or raises")

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def now(connection: Connection) -> datetime:
    """The database's clock, by which everything goes: the time at which the transaction began."""
    moment: datetime = connection.execute(text("SELECT now()")).scalar_one()
    return moment


def is_passing(problem: DBAPIError) -> bool:
    """Whether the same transaction may simply be tried again."""
    return getattr(problem.orig, "sqlstate", None) in _PASSING


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as problem:
        if isinstance(problem, PoolTimeout) or _is_outage(problem):
            raise _unavailable(problem) from problem
        raise


def _is_outage(problem: DBAPIError) -> bool:
    if problem.connection_invalidated or isinstance(problem, InterfaceError):
        return True
    state = getattr(problem.orig, "sqlstate", None) or ""
    # 08 connection, 53 no resources left (disk, memory, connections), 57P terminated or shutting down.
    return isinstance(problem, OperationalError) and (not state or state[:2] in {"08", "53"} or state.startswith("57P"))


def _unavailable(problem: Exception) -> StoreUnavailable:
    return StoreUnavailable(
        "The database cannot be reached; what was committed is kept. Work goes on by itself when it is back.",
        detail=type(problem).__name__,
    )
