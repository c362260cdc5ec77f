"""No query that runs for each message walks a big table: the cost of a message must not grow with what is stored."""

from __future__ import annotations

from plugin.domain.model import Visibility
from plugin.handlers import pressing
from plugin.handlers.installation import PolicyAtWork
from plugin.handlers.pressing import Press
from plugin.handlers.sweep import Sweeper
from plugin.policy.verdicts import Crossover, Routing
from plugin.testing.table_judge import TableJudge
from tests.benchmarks import history
from tests.engine import CHANNEL, DESK, Counter, Engine

_STORED = 20_000
_OLD = history.OFFSET


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
    sweeper = Sweeper(engine.installation, engine.database, Counter())
    sweeper.sweep()
    sweeper.tidy()
    engine.close()
    assert (len(engine.helpdesk.tickets), len(engine.delivered())) == (8, 8)
    walked = {table: count - before[table] for table, count in history.sequential_scans(database_url).items() if count > before[table]}
    assert walked == {}


def test_a_policy_walks_no_big_table_either(database_url: str) -> None:
    """Facts, decisions, timers, owners by capacity, a private message that follows its public conversation, presses and notices."""
    history.load_finished(database_url, _STORED, place=CHANNEL, desk=DESK, per_contact=2)
    handoff = Crossover(rule="third", reason="", group="Formal")
    routing = Routing(rules=("billing",), owners=("ada", "ben"), capacity=5)
    table = TableJudge(crossovers=[(lambda facts: facts.conversation.customer_messages > 2, handoff)], routings=[(lambda _: True, routing)])
    engine = Engine(database_url, policy=PolicyAtWork(judge=table))
    engine.rows("UPDATE conversation SET ticket_owner = 'ben' WHERE id IN (:one, :other) RETURNING id", one=_OLD + 1, other=_OLD + 2)
    before = history.sequential_scans(database_url)
    for number in range(32):
        engine.tell(engine.network.say(f"customer{number % 8}", f"message {number:02}"))
    _work(engine)
    for number in range(8):
        engine.tell(engine.network.say(f"customer{number}", "here I am", visibility=Visibility.PRIVATE))
    _work(engine)
    for ticket in engine.helpdesk.tickets:
        engine.tell_of_tickets(engine.helpdesk.reply(ticket.ref, "On its way."))
    _work(engine)
    for row in engine.rows("SELECT id FROM conversation WHERE id < :old AND stage = 'handoff' AND continued_by IS NOT NULL", old=_OLD):
        pressing.press(engine.database, row.id, Press(action="close", actor="Sue", role="supervisor", reason="Done."))
    _work(engine)
    engine.close()
    assert sorted(ticket.owner for ticket in engine.helpdesk.tickets) == [*["ada"] * 5, *["ben"] * 3]
    walked = {table: count - before[table] for table, count in history.sequential_scans(database_url).items() if count > before[table]}
    assert walked == {}


def _work(engine: Engine) -> None:
    while engine.work():
        pass
