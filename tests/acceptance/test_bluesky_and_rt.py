"""A customer on the real Bluesky network and an agent at a real Request Tracker; the bridge as one command with its embedded servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.sections import bluesky_section, free_address, rt_section
from tests.bluesky_customer import BlueskyCustomer
from tests.bridge import Bridge
from tests.fixtures import server
from tests.pictures import png
from tests.rt_agent import RtAgent
from tests.servers import bluesky, rt
from tests.waiting import eventually

pytestmark = [pytest.mark.servers, pytest.mark.root, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def network() -> dict[str, Any]:
    return server("bluesky", bluesky.start)


@pytest.fixture(scope="module")
def desk() -> dict[str, Any]:
    return server("rt", rt.start)


@pytest.fixture
def brand(network: dict[str, Any]) -> BlueskyCustomer:
    return known(BlueskyCustomer(network["pds"], "brand"))


@pytest.fixture
def customer(network: dict[str, Any]) -> BlueskyCustomer:
    return known(BlueskyCustomer(network["pds"], "customer"))


@pytest.fixture
def bridge(network: dict[str, Any], desk: dict[str, Any], brand: BlueskyCustomer, tmp_path: Path) -> Iterator[Bridge]:
    port, url = free_address()
    configuration = f'[crossdesk]\npublic_url = "{url}"\ndata_dir = "data"\n[receiver]\nport = {port}\n'
    configuration += rt_section(desk) + bluesky_section(network, brand.handle, brand.app_password())
    with rt.hooks_to(desk, f"{url}/in/helpdesk/rt"), Bridge(tmp_path, configuration) as running:
        yield running


def known(person: BlueskyCustomer) -> BlueskyCustomer:
    eventually(person.is_known)
    return person


def test_a_public_question_is_answered_below_it(
    bridge: Bridge, desk: dict[str, Any], brand: BlueskyCustomer, customer: BlueskyCustomer
) -> None:
    agent = RtAgent(desk)
    picture, diagram = png(), png()
    question = customer.post(f"@{brand.handle} my kettle 4711 hums", mentions=[brand], images=[picture])

    (ticket,) = eventually(lambda: agent.tickets("kettle 4711"), seconds=90)
    assert eventually(lambda: list(agent.files(ticket).values())) == [picture]

    agent.comment(ticket, "<p>Not again: never tell them.</p>")
    agent.reply(ticket, "<p>Hold it <b>upside down</b> &amp; wait.</p>", files=[("diagram.png", diagram, "image/png")])
    (answer,) = eventually(lambda: customer.replies(question), seconds=60)
    assert answer["author"]["did"] == brand.did
    assert answer["record"]["text"] == "Hold it upside down & wait."
    (image,) = answer["record"]["embed"]["images"]
    assert customer.blob(brand.did, image["image"]["ref"]["$link"]) == diagram

    customer.post("It helped, thank you!", reply_to=answer["uri"])
    eventually(lambda: any("It helped" in body for _, _, body in agent.texts(ticket)), seconds=60)
    assert [post["record"]["text"] for post in customer.all_below(question)] == ["Hold it upside down & wait.", "It helped, thank you!"]
    customer.delete(question)
    eventually(lambda: any("deleted this message" in body for _, _, body in agent.texts(ticket)), seconds=60)

    assert agent.tickets("kettle 4711") == [ticket]
    counts = bridge.settled_balance()
    assert counts["ok"], counts
    assert counts["quarantined"] == counts["held"] == 0, counts
