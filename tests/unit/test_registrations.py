"""`register = true`: platforms are told our address at the start, and a failure is told and stops nothing."""

from __future__ import annotations

from dataclasses import replace

from plugin.handlers.registrations import register_wanted
from plugin.testing.fake_abilities import AbleNetwork
from plugin.testing.faults import Fault
from tests.engine import CHANNEL, Engine


def test_a_channel_that_asks_for_it_is_registered_and_no_other(database_url: str) -> None:
    network = AbleNetwork()
    engine = Engine(database_url, network=network)
    assert (register_wanted(engine.installation, engine.database), network.registrations) == (0, 0)
    channel = replace(engine.installation.channels[CHANNEL], registers=True)
    wanting = replace(engine.installation, channels={CHANNEL: channel})
    network.faults.script("register_webhook", Fault.BAD_CREDENTIALS)
    assert (register_wanted(wanting, engine.database), network.registrations) == (0, 0)
    (alert,) = engine.rows("SELECT code, text FROM alert WHERE closed_at IS NULL")
    assert (alert.code, "crossdesk channel register fake" in alert.text) == ("unregistered", True)
    assert (register_wanted(wanting, engine.database), network.registrations) == (1, 1)
    assert engine.rows("SELECT 1 FROM alert WHERE closed_at IS NULL") == []
    engine.close()
