"""The scripted conversation by each starter policy, on the practice network and desk, and on real RT with real Matrix and real Bluesky.

One bridge carries all three at once. What is checked after each step stands in `script`.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from plugin.policy import starters
from plugin.store.database import Database
from tests.acceptance.playing import Desk, Network, Play
from tests.acceptance.script import script
from tests.acceptance.sections import bluesky_section, matrix_section, practice_section, rt_section, servers_section
from tests.acceptance.sides import BlueskySide, MatrixSide, PracticeDesk, PracticeSide, RtDesk
from tests.bluesky_customer import BlueskyCustomer
from tests.bridge import Bridge
from tests.faults.stage import raised
from tests.fixtures import server
from tests.matrix_customer import Customer
from tests.rt_agent import RtAgent
from tests.servers import bluesky, rt, synapse
from tests.waiting import eventually

pytestmark = [pytest.mark.servers, pytest.mark.root, pytest.mark.timeout(900)]
_ENGINE = """
[engine]
sweep_seconds = 0.2
poll_floor_seconds = 0.5
settle_seconds = 1.0
reply_wait_seconds = 0.2
"""
# The same script is played on three networks at once, which looks like a bulk edit.
_SAFETY = """
[policy.safety]
equal_replies_within = "0 s"
"""


@pytest.fixture(scope="module")
def homeserver() -> dict[str, Any]:
    return server("synapse", synapse.start)


@pytest.fixture(scope="module")
def network() -> dict[str, Any]:
    return server("bluesky", bluesky.start)


@pytest.fixture(scope="module")
def tracker() -> dict[str, Any]:
    return server("rt", rt.start)


Played = list[tuple[Network, Desk]]


@pytest.fixture
def played(
    request: pytest.FixtureRequest,
    homeserver: dict[str, Any],
    network: dict[str, Any],
    tracker: dict[str, Any],
    database_url: str,
    redis_url: str,
    tmp_path: Path,
) -> Iterator[Played]:
    """A bridge by the policy of the test, and each network with its helpdesk."""
    policy = starters.table(request.param)
    with ExitStack() as stack:
        bot = stack.enter_context(synapse.appservice(homeserver))
        stage = stack.enter_context(raised(bot["port"], groups=("Users", *policy["groups"])))
        name, url = bot["settings"]["user_id"], f"http://127.0.0.1:{bot['port']}"
        person = Customer(homeserver)
        stack.callback(person.close)
        room = person.create_room(public=True)
        brand, customer = BlueskyCustomer(network["pds"], "brand"), BlueskyCustomer(network["pds"], "customer")
        configuration = f'[crossdesk]\npublic_url = "{url}"\ndata_dir = "data"\n[receiver]\nport = {bot["port"]}\n{_ENGINE}'
        configuration += servers_section(database_url, redis_url) + rt_section(tracker) + practice_section(stage.url)
        configuration += matrix_section(bot["settings"]) + f'public_rooms = ["{room}"]\nhelpdesk = "rt"\ngroup = "Social"\n'
        configuration += bluesky_section(network, brand.handle, brand.app_password()) + 'helpdesk = "rt"\ngroup = "Social"\n'
        configuration = configuration.replace("poll_seconds = 2", "poll_seconds = 1") + starters.text(request.param) + _SAFETY
        for someone in (brand, customer):
            eventually(someone.is_known)
        stack.enter_context(rt.hooks_to(tracker, f"{url}/in/helpdesk/rt"))
        stack.enter_context(Bridge(tmp_path, configuration, processes=("serve", "work", "sweep")))
        person.invite(room, name)
        desk = RtDesk(RtAgent(tracker))
        yield [(MatrixSide(person, name, room), desk), (BlueskySide(customer, brand), desk), (PracticeSide(stage), PracticeDesk(stage))]


@pytest.mark.parametrize(("played", "policy"), [(name, name) for name in starters.NAMES], indirect=["played"])
def test_a_conversation_goes_from_the_first_post_to_the_confirmed_end(played: Played, policy: str, database_url: str) -> None:
    database = Database(database_url, pool_size=4)
    with ThreadPoolExecutor(len(played)) as pool:
        plays = [pool.submit(Play(side, desk, database).play, script(policy, has_private=side.has_private)) for side, desk in played]
    problems = [problem for play in plays if (problem := play.exception()) is not None]
    database.dispose()
    if problems:
        raise ExceptionGroup(policy, [problem for problem in problems if isinstance(problem, Exception)])
