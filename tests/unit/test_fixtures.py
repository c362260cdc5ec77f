"""The suite's own fixtures: databases of a test's own."""

from __future__ import annotations

import pytest
import redis
import sqlalchemy


@pytest.mark.servers
@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_test_has_an_empty_database(database_url: str, redis_url: str, number: int) -> None:
    engine = sqlalchemy.create_engine(database_url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("create table mine (number int)"))
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("mine", number)
