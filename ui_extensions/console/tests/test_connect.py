"""The connect wizard: secrets go in and never out, nothing works before the last step, and processes take up what went live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from plugin import bootstrap
from plugin.cli.channels import channel
from plugin.cli.shared import Settings
from plugin.domain.ids import ChannelKey, Place
from plugin.handlers.admission import Role
from tests.consoles import Ground, Visitor, ground, hidden
from tests.engine import Counter
from ui_extensions.rehearsal import serving
from ui_extensions.rehearsal.network.app import EXTENSION, NetworkSettings, Parts, create_network
from webhooks.app import create_app as receiver
from workers.sweeper import register

TOKEN, SIGNS = "company-token-of-the-shop", "webhook-secret-of-the-shop"


class Network(NamedTuple):
    """A practice network to connect."""

    address: str
    parts: Parts
    client: FlaskClient


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Ground]:
    with ground(database_url, tmp_path) as found:
        yield found


@pytest.fixture
def network() -> Iterator[Network]:
    app = create_network(NetworkSettings(token=TOKEN))
    with serving.background(serving.bind(lambda _: app)) as address:
        yield Network(address, app.extensions[EXTENSION], app.test_client())
    app.extensions[EXTENSION].stop()


def fill(admin: Visitor, address: str, key: str = "shop") -> None:
    assert admin.send("/connect", key=key, platform="rehearsal")[0] == 303
    status, page = admin.send(f"/connect/{key}/credentials", url=address, token=TOKEN, webhook_secret=SIGNS)
    assert status == 303, page


def test_a_channel_is_made_step_by_step_and_works_when_it_is_live(house: Ground, network: Network) -> None:
    address, parts, _ = network
    admin, place = house.visitor(Role.ADMIN), Place("channel:shop")
    assert admin.send("/connect", key="fake", platform="rehearsal")[0] == 400, "the file has that name"
    assert admin.send("/connect", key="Not good", platform="rehearsal")[0] == 400
    assert admin.send("/connect", key="shop", platform="rehearsal")[0] == 303

    status, page = admin.send("/connect/shop/credentials", url="no address", token=TOKEN, webhook_secret="short-one-9")
    assert status == 400
    assert "webhook_secret" in page
    assert "Not everything can be used" in page
    assert 'value="no address"' in page, "what is no secret stands there again"
    assert not re.search(f"{TOKEN}|short-one-9", page)
    assert admin.client.get("/connect/shop").headers["Location"] == "/connect/shop/credentials"
    assert "not complete" in admin.look("/connect/shop/test")
    assert admin.send("/connect/shop/live", to="/connect/shop/live")[0] in {403, 409}, "no such form is shown before"
    status, _ = admin.send("/connect/shop/credentials", url=address, webhook_secret=SIGNS)
    assert status == 303, "the token that was in order had been kept"

    assert admin.send("/connect/shop/test", to="/connect/shop/test")[0] == 303
    page = admin.look("/connect/shop/test")
    assert "Every check went well" in page or "checks failed" in page
    assert admin.client.get("/connect/shop").headers["Location"] == "/connect/shop/routing"
    assert admin.send("/connect/shop/routing", helpdesk="gone", group="", late="reopen")[0] == 400
    assert admin.send("/connect/shop/routing", helpdesk="fake", group="Shop", late="new")[0] == 303

    assert not house.bridge.installation.knows(place)
    assert house.one("SELECT count(*) FROM place WHERE key = 'channel:shop'") == 0
    seen = [admin.look(f"/connect/shop/{step}") for step in ("credentials", "test", "routing", "live")]
    assert not re.search(f"{TOKEN}|{SIGNS}", "".join(seen))
    assert "/in/channel/shop" in seen[0]
    door = receiver(house.bridge, Counter()).test_client()
    assert door.post("/in/channel/shop", data=b"{}").status_code == 404
    status, page = admin.send("/connect/shop/live", anyway="yes")
    assert status == 303, page
    assert door.post("/in/channel/shop", data=b"{}").status_code == 401, "unsigned, but known now"

    live = house.bridge.installation.channels[place]
    assert (live.group, live.late, live.helpdesk) == ("Shop", "new", "helpdesk:fake")
    page = admin.look("/channels/channel:shop")
    assert "Waiting for the first event." in page
    assert "made in the console" in page
    other = bootstrap.build(house.bridge.config, pool_size=1)
    assert other.refresh(), "every other process learns of it"
    assert not other.refresh()
    assert other.installation.knows(place)
    other.database.dispose()
    asks = {"Authorization": f"Bearer {parts.network.customers()[0].token}"}
    assert network.client.post("/api/v1/posts", headers=asks, json={"text": "Hello @acme"}).status_code == 201
    assert house.bridge.poller.poll_due() == 1
    assert "Events came" in admin.look("/channels/channel:shop")
    assert house.one("SELECT count(*) FROM channel WHERE ciphertext LIKE '%company-token%'::bytea") == 0
    assert house.one("SELECT count(*) FROM audit WHERE detail::text LIKE '%company-token%' OR detail::text LIKE '%webhook-secret-of%'") == 0
    assert house.one("SELECT count(*) FROM audit WHERE action = 'channel live' AND subject = 'channel:shop'") == 1


def test_a_change_takes_over_at_once_or_not_at_all(house: Ground, network: Network) -> None:
    address = network.address
    admin, colleague, place = house.visitor(Role.ADMIN), house.visitor(Role.ADMIN), Place("channel:shop")
    fill(admin, address)
    assert admin.send("/connect/shop/routing", helpdesk="fake", group="Shop", late="reopen")[0] == 303
    status, page = admin.send("/connect/shop/live")
    assert (status, "checks were not run" in page) == (400, True)
    assert admin.send("/connect/shop/live", anyway="yes")[0] == 303

    assert admin.send("/channels/channel:shop", to="/channels/channel:shop/change")[0] == 303
    old = colleague.client.get("/connect/shop/routing").get_data(as_text=True)
    assert admin.send("/connect/shop/routing", helpdesk="fake", group="Elsewhere", late="reopen")[0] == 303
    stale = {**hidden(old, "/connect/shop/routing"), "version": re.findall(r'name="version" value="(\d+)"', old)[0]}
    answer = colleague.client.post("/connect/shop/routing", data={**stale, "helpdesk": "fake", "group": "Mine", "late": "new"})
    assert (answer.status_code, "after this page was shown" in answer.get_data(as_text=True)) == (409, True)
    assert house.bridge.installation.channels[place].group == "Shop", "it works on as it is"
    assert admin.send("/connect/shop/live", anyway="yes")[0] == 303
    assert house.bridge.installation.channels[place].group == "Elsewhere"

    assert admin.send("/channels/channel:shop", to="/channels/channel:shop/change")[0] == 303
    assert admin.send("/connect/shop/live", to="/connect/shop/discard")[0] == 303
    assert admin.client.get("/connect/shop").status_code == 404
    assert house.bridge.installation.knows(place)
    assert admin.send("/act/remove/channel:shop", reason="moved")[0] == 200
    assert not house.bridge.installation.knows(place)
    assert admin.send("/act/remove/channel:fake", reason="moved")[0] == 200
    assert house.bridge.installation.knows(Place("channel:fake")), "the file's own stays"
    supervisor = house.visitor(Role.SUPERVISOR)
    assert [supervisor.client.get(path).status_code for path in ("/connect", "/connect/shop/live")] == [403, 403]


def test_saved_searches_and_registering_are_chosen_with_the_routing(house: Ground) -> None:
    admin, place = house.visitor(Role.ADMIN), Place("channel:sky")
    assert admin.send("/connect", key="sky", platform="bluesky")[0] == 303
    given = {"service": "https://pds.example", "identifier": "brand.example", "app_password": "aaaa-bbbb-cccc-dddd"}
    status, page = admin.send("/connect/sky/credentials", **given)
    assert status == 303, page
    chosen = {"helpdesk": "fake", "group": "Social", "late": "reopen"}
    kettles = {"search-0-name": "kettles", "search-0-query": '"acme kettle" lang:en', "search-0-a_day": "40", "search-0-group": "Listening"}
    for wrong, said in (
        ({"search-1-query": "acme"}, "has no name"),
        ({"search-1-name": "kettles", "search-1-query": "acme"}, "Two searches are called kettles"),
        ({"search-1-name": "Not good", "search-1-query": "acme"}, "use a-z"),
        ({"search-1-name": "more"}, "nothing to search for"),
        ({"search-1-name": "more", "search-1-query": "acme", "search-1-a_day": "many"}, "a_day: must be a whole number"),
    ):
        status, page = admin.send("/connect/sky/routing", **chosen, **kettles, **wrong)
        assert (status, said in page) == (400, True), page
        assert "&#34;acme kettle&#34; lang:en" in page, "what was typed stands there again"
    assert admin.send("/connect/sky/routing", **chosen, **kettles)[0] == 303
    assert "kettles" in admin.look("/connect/sky/live")
    assert admin.send("/connect/sky/live", anyway="yes")[0] == 303
    (search,) = house.bridge.installation.channels[place].searches.values()
    assert (search.query, search.a_day, search.group) == ('"acme kettle" lang:en', 40, "Listening")
    assert house.one("SELECT count(*) FROM cursor WHERE place = 'channel:sky' AND task = 'search:kettles' AND due_at IS NOT NULL") == 1
    assert "0 of 40" in admin.look("/channels/channel:sky")
    assert "kettles" in admin.look("/channels")

    # It pauses and resumes by its buttons, as a channel of the file does, and stays so when processes start again.
    assert admin.send("/act/pause/channel:sky", reason="holidays")[0] == 200
    other = bootstrap.build(house.bridge.config, pool_size=1)
    other.register()
    other.database.dispose()
    assert house.one("SELECT status || ': ' || status_text FROM place WHERE key = 'channel:sky'") == "paused: holidays"
    assert admin.send("/act/resume/channel:sky", reason="back")[0] == 200

    assert admin.send("/channels/channel:sky", to="/channels/channel:sky/change")[0] == 303
    assert 'value="kettles"' in admin.look("/connect/sky/routing")
    assert admin.send("/connect/sky/routing", **chosen, **kettles, **{"search-0-forget": "yes"})[0] == 303
    assert admin.send("/connect/sky/live", anyway="yes")[0] == 303
    assert not house.bridge.installation.channels[place].searches
    assert house.one("SELECT count(*) FROM cursor WHERE place = 'channel:sky' AND task = 'search:kettles' AND due_at IS NOT NULL") == 0


def test_a_platform_is_told_our_address_at_every_start_where_that_was_chosen(house: Ground, network: Network) -> None:
    admin = house.visitor(Role.ADMIN)
    fill(admin, network.address)
    assert 'name="register"' in admin.look("/connect/shop/routing")
    assert "Saved searches" not in admin.look("/connect/shop/routing"), "the practice network cannot be searched"
    searched = {"search-0-name": "a", "search-0-query": "b"}
    status, page = admin.send("/connect/shop/routing", helpdesk="fake", group="", late="reopen", **searched)
    assert (status, "cannot be searched" in page) == (400, True)
    assert admin.send("/connect/shop/routing", helpdesk="fake", group="", late="reopen", register="yes")[0] == 303
    assert "told to Plaza (practice network) whenever Crossdesk starts" in admin.look("/connect/shop/live")
    assert admin.send("/connect/shop/live", anyway="yes")[0] == 303
    started = bootstrap.build(house.bridge.config, pool_size=2)
    register(started)
    started.database.dispose()
    assert network.parts.network.webhook[0] == "http://127.0.0.1:8010/in/channel/shop"


def test_a_name_that_both_have_is_told_with_both_places(house: Ground, network: Network, tmp_path: Path) -> None:
    admin = house.visitor(Role.ADMIN)
    fill(admin, network.address)
    admin.send("/connect/shop/routing", helpdesk="fake", group="", late="reopen")
    admin.send("/connect/shop/live", anyway="yes")
    config = house.bridge.config
    twin = replace(config.channels[ChannelKey("fake")], key=ChannelKey("shop"))
    with config.path.open("a") as file:
        file.write('\n[channel.shop]\nplatform = "rehearsal"\n')
    other = bootstrap.build(replace(config, channels={**config.channels, ChannelKey("shop"): twin}), pool_size=1)
    other.refresh()
    assert (
        other.installation.channels[Place("channel:shop")].adapter is not house.bridge.installation.channels[Place("channel:shop")].adapter
    )
    other.database.dispose()
    page = admin.look("/")
    assert re.search(r"crossdesk\.toml:\d+ and was also made in the console by", page)
    assert "/act/remove/channel:shop" in page

    settings = Settings(tmp_path / "crossdesk.toml")
    config.path.write_text(config.path.read_text().partition("\n[channel.shop]")[0])
    listed = CliRunner().invoke(channel, ["list"], obj=settings, catch_exceptions=False)
    assert re.search(r"channel:shop +rehearsal +console", listed.output), listed.output
    gone = CliRunner().invoke(channel, ["remove", "shop", "--reason", "twice"], obj=settings, catch_exceptions=False)
    settings.close()
    assert "shop is removed" in gone.output
    assert house.bridge.refresh()
    assert not house.bridge.installation.knows(Place("channel:shop"))
    assert house.one("SELECT count(*) FROM alert WHERE code = 'made-twice' AND closed_at IS NULL") == 0
