"""Connecting the account in a browser, with mastodon-mock as the server that asks the person."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from marshmallow import ValidationError

from plugin.contracts.platform import Connection, Connects, Grant
from plugin.domain.errors import CredentialsRejected
from plugin.domain.ids import ChannelKey
from plugin.platforms.mastodon.adapter import PLATFORM, ConnectedMastodonAdapter
from plugin.platforms.mastodon.checks import SCOPES
from plugin.platforms.mastodon.tests.fakes import ListenedHttp, MovableClock, Person, connect
from plugin.testing.fakes import MemorySecrets

GRANT = Grant(state="once-only", verifier="v" * 64, redirect_url="https://desk.example/oauth/callback")


def made(network: dict[str, Any], http: ListenedHttp, *, scopes: str = " ".join(SCOPES)) -> tuple[ConnectedMastodonAdapter, MemorySecrets]:
    """A channel with an application of its own on the server."""
    form = {"client_name": "Crossdesk", "redirect_uris": GRANT.redirect_url, "scopes": scopes}
    app = http.request("POST", f"{network['url']}/api/v1/apps", data=form).json()
    given = {"url": network["url"], "client_id": app["client_id"], "client_secret": app["client_secret"]}
    secrets = MemorySecrets()
    connection = Connection(http=http, clock=MovableClock(), secrets=secrets, webhook_url="https://desk.example/in/channel/toot")
    adapter = PLATFORM.connect(ChannelKey("toot"), PLATFORM.settings_schema.load(given), connection)
    assert isinstance(adapter, ConnectedMastodonAdapter)
    return adapter, secrets


def agree(adapter: ConnectedMastodonAdapter, http: ListenedHttp, person: Person) -> str:
    """A person opens the address, signs in and agrees; the code with which the server sends them back."""
    address = urlsplit(adapter.authorize_url(GRANT))
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert (asked["state"], asked["redirect_uri"], asked["scope"]) == (GRANT.state, GRANT.redirect_url, " ".join(SCOPES))
    assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    form = {name: asked[name] for name in ("client_id", "redirect_uri", "scope", "state")} | {"username": person.acct}
    back = urlsplit(http.request("POST", f"{address.scheme}://{address.netloc}{address.path}", data=form).headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == GRANT.redirect_url
    told = parse_qs(back.query)
    assert told["state"] == [GRANT.state]
    return told["code"][0]


def test_a_person_agrees_and_the_channel_is_that_account(
    network: dict[str, Any], http: ListenedHttp, brand: Person, customer: Person
) -> None:
    adapter, secrets = made(network, http)
    assert isinstance(adapter, Connects)
    with pytest.raises(CredentialsRejected, match="channel connect"):
        adapter.poll(None)
    adapter.exchange(agree(adapter, http, brand), GRANT)
    token = secrets.get("access_token")
    assert token
    assert token not in repr(adapter)
    assert [probe.name for probe in adapter.probe() if not probe.is_ok] == []
    assert brand.acct in adapter.probe()[0].answer
    with pytest.raises(CredentialsRejected, match="another account"):
        adapter.exchange(agree(adapter, http, customer), GRANT)
    with pytest.raises(CredentialsRejected, match="used or too old"):
        adapter.exchange("nobody-has-this-code", GRANT)
    assert secrets.get("access_token") == token
    adapter.exchange(agree(adapter, http, brand), GRANT)
    assert secrets.get("access_token") != token


def test_a_scope_that_was_not_given_is_named_and_nothing_is_kept(network: dict[str, Any], http: ListenedHttp, brand: Person) -> None:
    adapter, secrets = made(network, http, scopes="read:accounts read:statuses write")
    with pytest.raises(CredentialsRejected, match="read:notifications is missing"):
        adapter.exchange(agree(adapter, http, brand), GRANT)
    assert secrets.stored == {}


def test_a_token_that_was_entered_needs_no_browser(network: dict[str, Any], http: ListenedHttp, brand: Person) -> None:
    assert not isinstance(connect({"url": network["url"], "access_token": brand.token}, http), Connects)


@pytest.mark.parametrize(
    "given",
    [{}, {"client_id": "a"}, {"client_secret": "b"}, {"access_token": " "}, {"access_token": "t", "client_id": "a", "client_secret": "b"}],
)
def test_there_is_one_way_to_a_token(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PLATFORM.settings_schema.load({"url": "https://mastodon.example", **given})
