"""Connecting an account by OAuth: the state works once and for ten minutes, the page says what happened, a stopped channel goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from plugin.domain.errors import Unsupported
from plugin.domain.ids import Place
from plugin.handlers import operate
from plugin.handlers.connects import Connector
from plugin.store.grants import Grants
from plugin.testing.fake_abilities import AbleNetwork
from plugin.testing.faults import Fault
from tests.engine import CHANNEL, DESK, Engine
from webhooks.connect import add_connect

REDIRECT = "https://desk.example.org/oauth/callback"


@pytest.fixture
def network() -> AbleNetwork:
    return AbleNetwork()


@pytest.fixture
def engine(database_url: str, network: AbleNetwork) -> Iterator[Engine]:
    engine = Engine(database_url, network=network)
    yield engine
    engine.close()


@pytest.fixture
def connector(engine: Engine) -> Connector:
    grants = Grants(engine.database, [Fernet.generate_key().decode()])
    return Connector(engine.installation, engine.database, grants, redirect_url=REDIRECT)


@pytest.fixture
def browser(connector: Connector) -> Any:
    app = Flask("test")
    add_connect(app, connector)
    return app.test_client()


def agree(connector: Connector, **changes: str) -> dict[str, str]:
    """A person opens the printed address and agrees; what the platform sends them back with."""
    asked = parse_qs(urlsplit(connector.begin(CHANNEL, actor="ada")).query)
    assert asked["redirect_uri"] == [REDIRECT]
    return {"state": asked["state"][0], "code": "fresh", **changes}


def test_who_agrees_has_connected_the_channel(connector: Connector, browser: Any, network: AbleNetwork) -> None:
    page = browser.get("/oauth/callback", query_string=agree(connector))
    assert (page.status_code, network.tokens) == (200, ["token for fresh"])
    assert "fake is connected" in page.text


def test_the_page_is_kept_by_no_cache_and_leads_nowhere(connector: Connector, browser: Any) -> None:
    page = browser.get(
        "/oauth/callback", query_string={**agree(connector), "redirect_uri": "https://evil.example/", "next": "//evil.example"}
    )
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Location" not in page.headers
    assert "evil.example" not in page.text


def test_a_state_works_once(connector: Connector, browser: Any, network: AbleNetwork) -> None:
    back = agree(connector)
    browser.get("/oauth/callback", query_string=back)
    again = browser.get("/oauth/callback", query_string=back)
    assert (again.status_code, len(network.tokens)) == (400, 1)
    assert "It was used before, or it is older than ten minutes." in again.text


def test_a_state_works_for_ten_minutes(engine: Engine, connector: Connector, browser: Any, network: AbleNetwork) -> None:
    back = agree(connector)
    engine.rows("UPDATE oauth_grant SET expires_at = expires_at - interval '10 minutes' RETURNING 1")
    assert browser.get("/oauth/callback", query_string=back).status_code == 400
    assert network.tokens == []


@pytest.mark.parametrize("back", [{}, {"code": "fresh"}, {"state": "made up", "code": "fresh"}, {"state": "\0\ud800", "code": ""}])
def test_a_state_that_was_never_ours_connects_nothing(back: dict[str, str], browser: Any, network: AbleNetwork) -> None:
    query = {name: value.encode("utf-8", "replace") for name, value in back.items()}
    assert browser.get("/oauth/callback", query_string=query).status_code == 400
    assert network.tokens == []


def test_who_refuses_reads_so_and_the_state_is_gone(connector: Connector, browser: Any, network: AbleNetwork) -> None:
    back = agree(connector, error="<b>access_denied</b>", code="")
    page = browser.get("/oauth/callback", query_string=back)
    assert (page.status_code, network.tokens) == (400, [])
    assert "&lt;b&gt;access_denied&lt;/b&gt;" in page.text
    assert "crossdesk channel connect fake" in page.text
    assert browser.get("/oauth/callback", query_string={**back, "error": "", "code": "fresh"}).status_code == 400


def test_a_scope_that_was_not_given_is_named(connector: Connector, browser: Any) -> None:
    page = browser.get("/oauth/callback", query_string=agree(connector, code="narrow"))
    assert "The permission `write` was not given." in page.text


def test_a_platform_that_is_away_is_said_to_be(connector: Connector, browser: Any, network: AbleNetwork) -> None:
    network.faults.script("exchange", Fault.UNAVAILABLE)
    page = browser.get("/oauth/callback", query_string=agree(connector))
    assert (page.status_code, network.tokens) == (400, [])


def test_a_channel_that_had_stopped_goes_on(engine: Engine, connector: Connector, browser: Any, network: AbleNetwork) -> None:
    engine.tell(network.say("maria", "Where is my order?"))
    engine.settle()
    network.faults.script("deliver", Fault.BAD_CREDENTIALS)
    engine.tell_of_tickets(engine.helpdesk.reply(engine.helpdesk.tickets[0].ref, "On its way."))
    engine.settle()
    assert engine.delivered() == []
    assert [row["code"] for row in operate.list_alerts(engine.database)] == ["reauth"]
    page = browser.get("/oauth/callback", query_string=agree(connector))
    assert "The channel had stopped and goes on now" in page.text
    engine.settle()
    assert engine.delivered() == ["On its way."]
    assert operate.list_alerts(engine.database) == []


def test_a_paused_channel_stays_paused(engine: Engine, connector: Connector, browser: Any) -> None:
    operate.pause(engine.database, CHANNEL, reason="holiday", actor="ada")
    assert browser.get("/oauth/callback", query_string=agree(connector)).status_code == 200
    assert engine.rows("SELECT status FROM place WHERE key = 'channel:fake'") == [("paused",)]


def test_neither_state_nor_verifier_can_be_read_in_the_database_or_the_log(
    engine: Engine, connector: Connector, browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    back = agree(connector)
    (row,) = engine.rows("SELECT * FROM oauth_grant")
    assert back["state"].encode() not in bytes(row.digest) + bytes(row.ciphertext)
    browser.get("/oauth/callback", query_string=back)
    said = capsys.readouterr()
    assert back["state"] not in said.out + said.err
    assert [(row.actor, row.action) for row in engine.rows("SELECT actor, action FROM audit ORDER BY id")] == [
        ("ada", "connect begun"),
        ("browser", "connect"),
    ]


def test_a_place_without_oauth_says_where_its_credentials_stand(connector: Connector) -> None:
    with pytest.raises(Unsupported, match="is not connected in a browser"):
        connector.begin(DESK, actor="ada")


def test_a_draft_of_the_console_is_connected_without_touching_what_works(engine: Engine, network: AbleNetwork) -> None:
    drafted = AbleNetwork()
    draft = replace(engine.installation.channels[CHANNEL], adapter=drafted)
    grants = Grants(engine.database, [Fernet.generate_key().decode()])
    connector = Connector(
        engine.installation, engine.database, grants, redirect_url=REDIRECT, trial=lambda key: draft if key == "fake" else None
    )
    app = Flask("test")
    add_connect(app, connector, console="https://desk.example.org/console")
    asked = parse_qs(urlsplit(connector.begin(Place("draft:fake"), actor="ada")).query)
    page = app.test_client().get("/oauth/callback", query_string={"state": asked["state"][0], "code": "fresh"})
    assert (page.status_code, drafted.tokens, network.tokens) == (200, ["token for fresh"], [])
    assert "nothing is live yet" in page.text
    assert 'href="https://desk.example.org/console/connect/fake/test"' in page.text
    with pytest.raises(Unsupported):
        connector.begin(Place("draft:gone"), actor="ada")
