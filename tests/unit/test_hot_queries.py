"""No query that runs for each message walks a big table: the cost of a message must not grow with what is stored."""

from __future__ import annotations

from plugin.handlers.sweep import Sweeper
from tests.benchmarks import history
from tests.engine import CHANNEL, DESK, Counter, Engine

_STORED = 20_000


def test_working_messages_and_replies_walks_no_big_table(database_url: str) -> None:
    """PostgreSQL counts the walks itself (pg_stat_user_tables), whichever query makes them."""
    history.load_finished(database_url, _STORED, place=CHANNEL, desk=DESK, per_contact=2)
    before = history.sequential_scans(database_url)
    engine = Engine(database_url)
    for number in range(40):
        engine.tell(engine.network.say(f"customer{number % 8}", f"message {number:02}"))
    _work(engine)
    for ticket in engine.helpdesk.tickets:
        engine.tell_of_tickets(engine.helpdesk.reply(ticket.ref, "On its way."))
    _work(engine)
    Sweeper(engine.installation, engine.database, Counter()).sweep()
    engine.close()
    assert (len(engine.helpdesk.tickets), len(engine.delivered())) == (8, 8)
    walked = {table: count - before[table] for table, count in history.sequential_scans(database_url).items() if count > before[table]}
    assert walked == {}


def _work(engine: Engine) -> None:
    while engine.work():
        pass
