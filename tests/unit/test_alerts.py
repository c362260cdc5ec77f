"""Alerts open once, close by themselves when their cause is gone, or by a person who says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from plugin.domain.ids import Place
from plugin.handlers import operate
from plugin.handlers.sweep import alarm_old
from plugin.store import places
from plugin.store.database import Database

pytestmark = pytest.mark.servers
PLACE = Place("channel:practice")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, pool_size=1)
    yield database
    database.dispose()


def test_a_person_closes_an_alert_and_it_is_written_down(database: Database) -> None:
    with database.begin() as connection:
        assert places.raise_alert(connection, PLACE, "twin:1", "Something stands twice.")
        assert not places.raise_alert(connection, PLACE, "twin:1", "Something stands twice.")
    (row,) = operate.list_alerts(database)
    assert operate.close_alert(database, row["id"], actor="nora")
    assert not operate.close_alert(database, row["id"], actor="nora")
    assert operate.list_alerts(database) == []
    with database.begin() as connection:
        assert [tuple(row) for row in connection.execute(text("SELECT actor, action FROM audit"))] == [("nora", "close alert")]
        assert places.raise_alert(connection, PLACE, "twin:1", "Something stands twice.")


def test_the_alert_about_old_work_closes_when_it_is_done(database: Database) -> None:
    with database.begin() as connection:
        conversation = connection.execute(
            text(
                "INSERT INTO conversation (place, thread_key, visibility, helpdesk, due_at) "
                "VALUES (:place, 't', 'public', 'helpdesk:desk', now()) RETURNING id"
            ),
            {"place": PLACE},
        ).scalar_one()
        event = connection.execute(
            text(
                "INSERT INTO inbound_event (place, event_key, kind, origin, payload, conversation_id) "
                "VALUES (:place, 'k', 'MessageReceived', 'webhook', '{}', :conversation) RETURNING id"
            ),
            {"place": PLACE, "conversation": conversation},
        ).scalar_one()
        connection.execute(
            text(
                "INSERT INTO intent (conversation_id, event_id, lane, op, marker, payload, created_at) "
                "VALUES (:conversation, :event, 'to_helpdesk', 'file', 'm', '{}', now() - interval '2 days')"
            ),
            {"conversation": conversation, "event": event},
        )
        assert alarm_old(connection, seconds=86400) == 1
        assert alarm_old(connection, seconds=86400) == 0
    assert [row["code"] for row in operate.list_alerts(database)] == ["old"]
    with database.begin() as connection:
        connection.execute(text("UPDATE intent SET state = 'sent'"))
        alarm_old(connection, seconds=86400)
    assert operate.list_alerts(database) == []
