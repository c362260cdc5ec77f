"""What an admin is told before customers say it: a webhook that fell silent, what was missed in a time of no polls, how places stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugin.handlers import health
from plugin.handlers.sweep import Sweeper
from plugin.store import cursors, places
from plugin.testing.faults import Fault
from tests.engine import CHANNEL, Engine
from tests.faults.door import door
from tests.faults.inner import Inner


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = Engine(database_url)
    engine.tell(engine.network.say("maria", "hello"))
    engine.settle()
    poll(engine)
    yield engine
    engine.close()


def poll(engine: Engine) -> None:
    """Ten seconds pass, and the channel is polled."""
    engine.rows("UPDATE place SET heard_at = heard_at - interval '10 s' RETURNING 1")
    engine.rows("UPDATE cursor SET due_at = now(), last_ok_at = last_ok_at - interval '10 s' RETURNING 1")
    engine.poller.poll_due()


def alerts(engine: Engine) -> dict[str, str]:
    return {row.code: row.text for row in engine.rows("SELECT code, text FROM alert WHERE closed_at IS NULL")}


def fall_silent(engine: Engine) -> None:
    for number in range(4):  # The first of them comes right after a delivery.
        engine.network.say("maria", f"unheard {number}")
        poll(engine)


def test_a_webhook_is_silent_when_polls_find_what_it_never_told(engine: Engine) -> None:
    fall_silent(engine)
    assert "The webhook of channel:fake is silent: 3 polls in a row" in alerts(engine)["silent"]
    assert "crossdesk channel register fake" in alerts(engine)["silent"]


def test_what_the_platform_says_of_its_webhook_is_told_until_it_says_that_all_is_well(engine: Engine) -> None:
    engine.network.says_of_webhook = "The network cannot reach us since noon."
    poll(engine)
    assert "channel:fake is silent: The network cannot reach us since noon. `crossdesk channel test fake`" in alerts(engine)["silent"]
    poll(engine)
    assert "silent" in alerts(engine)
    engine.network.says_of_webhook = ""
    poll(engine)
    assert alerts(engine) == {}


def test_polls_that_are_refused_for_good_turn_the_place_red_until_they_are_answered(engine: Engine) -> None:
    engine.network.faults.script("poll", Fault.REFUSE, Fault.UNAVAILABLE)
    poll(engine)
    assert alerts(engine)["unasked"].startswith("channel:fake cannot be asked what is new: ")
    with engine.database.begin() as connection:
        stands = {item.place: (item.status, item.is_ok) for item in health.conditions(connection)}
    assert stands == {"channel:fake": ("unasked", False), "helpdesk:fake": ("active", True)}
    poll(engine)
    engine.rows("UPDATE place SET blocked_until = NULL RETURNING 1")
    assert "unasked" in alerts(engine)
    poll(engine)
    assert alerts(engine) == {}


def test_the_next_delivery_closes_it(engine: Engine) -> None:
    fall_silent(engine)
    poll(engine)
    engine.tell(engine.network.say("maria", "heard"))
    engine.settle()
    engine.rows("UPDATE cursor SET due_at = now() RETURNING 1")
    engine.poller.poll_due()
    assert alerts(engine) == {}


def test_a_poll_that_is_merely_faster_than_its_webhook_is_no_silence(engine: Engine) -> None:
    for number in range(5):
        said = engine.network.say("maria", f"quick {number}")
        poll(engine)
        engine.tell(said, engine.network.say("maria", f"heard {number}"))
        engine.settle()
    assert alerts(engine) == {}


def test_our_own_echo_is_no_evidence(engine: Engine) -> None:
    for number in range(5):
        engine.network.say_natively(f"from the app {number}", thread="public:maria")
        poll(engine)
    assert alerts(engine) == {}


def test_a_channel_that_is_only_polled_is_never_silent(database_url: str) -> None:
    engine = Engine(database_url)
    for number in range(5):
        engine.network.say("maria", f"polled {number}")
        poll(engine)
    assert alerts(engine) == {}
    engine.close()


def test_what_was_missed_is_counted_and_said_to_be_filed_when_it_is(engine: Engine) -> None:
    sweeper = Sweeper(engine.installation, engine.database, engine.wakeups)
    for number in range(60):
        engine.network.say("maria", f"missed {number:02}")
    engine.rows("UPDATE cursor SET due_at = now(), last_ok_at = now() - interval '3 hours' RETURNING 1")
    engine.poller.poll_due()
    assert alerts(engine)["gap"].startswith(
        "60 messages had been missed at channel:fake, which could not be asked for 3 hours. They are all kept"
    )
    sweeper.sweep()
    assert "gap" in alerts(engine)
    engine.settle()
    sweeper.sweep()
    assert alerts(engine) == {}
    (row,) = engine.rows("SELECT text FROM alert WHERE code = 'gap'")
    assert row.text == "60 messages had been missed at channel:fake, all are filed now."
    with engine.database.begin() as connection:
        assert [(row.place, row.missed) for row in cursors.counts(connection)] == [("channel:fake", 60), ("helpdesk:fake", 0)]


def test_a_gap_in_which_nothing_was_said_is_not_told(engine: Engine) -> None:
    engine.rows("UPDATE cursor SET due_at = now(), last_ok_at = now() - interval '3 hours' RETURNING 1")
    engine.poller.poll_due()
    assert alerts(engine) == {}


def test_the_first_look_back_of_a_channel_is_no_gap(database_url: str) -> None:
    engine = Engine(database_url)
    engine.network.say("maria", "before we came")
    engine.poller.poll_due()
    assert alerts(engine) == {}
    engine.close()


def test_places_are_red_with_a_dead_token_or_a_silent_webhook_and_green_when_well(engine: Engine) -> None:
    def stand() -> dict[str, tuple[str, bool]]:
        with engine.database.begin() as connection:
            return {item.place: (item.status, item.is_ok) for item in health.conditions(connection)}

    assert stand() == {"channel:fake": ("active", True), "helpdesk:fake": ("active", True)}
    fall_silent(engine)
    assert stand()[CHANNEL] == ("silent", False)
    engine.network.faults.script("poll", Fault.BAD_CREDENTIALS)
    poll(engine)
    assert stand()[CHANNEL] == ("reauth", False)
    assert stand()["helpdesk:fake"] == ("active", True)


def test_the_receiver_answers_how_places_stand(database_url: str) -> None:
    inner = Inner(database_url)
    browser: Any = door(inner)
    well = browser.get("/places")
    assert (well.status_code, well.json["places"]["channel:fake"]["ok"]) == (200, True)
    with inner.database.begin() as connection:
        places.set_status(connection, CHANNEL, "reauth", "The token is dead.")
    red = browser.get("/places")
    assert (red.status_code, red.json["ok"], red.json["places"]["channel:fake"]["says"]) == (503, False, "The token is dead.")
    assert "crossdesk channel resume fake" in red.json["places"]["channel:fake"]["next"]
    shown = browser.get("/metrics").text
    assert 'crossdesk_place_ok{place="channel:fake"} 0.0' in shown
    assert 'crossdesk_missed_total{place="channel:fake"} 0.0' in shown
    inner.close()
