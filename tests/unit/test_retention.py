"""Raw deliveries are kept for as long as somebody may ask for them, and no longer."""

from __future__ import annotations

from plugin.handlers.sweep import Sweeper
from tests.benchmarks import history
from tests.engine import CHANNEL, DESK, Counter, Engine, quick

_OLD = history.OFFSET


def test_all_that_is_past_its_retention_goes_in_one_round(database_url: str) -> None:
    """Nine days old are the stored ones; the first stays, since something of it waits for a person."""
    history.load_finished(database_url, 2_500, place=CHANNEL, desk=DESK)
    engine = Engine(database_url, config=quick(retention_days=5))
    engine.tell(engine.network.say("ada", "new"))
    engine.settle()
    engine.rows("UPDATE inbound_event SET state = 'quarantined' WHERE id = :first RETURNING id", first=_OLD + 1)
    assert Sweeper(engine.installation, engine.database, Counter()).tidy() == 2_499
    assert [row.id for row in engine.rows("SELECT id FROM receipt WHERE id >= :old", old=_OLD)] == [_OLD + 1]
    assert len(engine.rows("SELECT id FROM receipt WHERE id < :old", old=_OLD)) == 1
    assert engine.balance().is_ok
    engine.close()


def test_what_is_within_its_retention_stays(database_url: str) -> None:
    history.load_finished(database_url, 100, place=CHANNEL, desk=DESK)
    engine = Engine(database_url, config=quick(retention_days=30))
    assert Sweeper(engine.installation, engine.database, Counter()).tidy() == 0
    assert len(engine.rows("SELECT id FROM receipt")) == 100
    engine.close()
