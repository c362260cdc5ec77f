"""Setting a real Request Tracker up by command, and taking it away again."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from plugin.contracts.platform import Connection
from plugin.contracts.provisioning import Deed, Provisionable, Provisions, StepState
from plugin.domain.clock import SystemClock
from plugin.domain.errors import ConfigError, CredentialsRejected
from plugin.domain.ids import HelpdeskKey
from plugin.helpdesks.rt.adapter import HELPDESK, RtAdapter
from plugin.testing.fakes import MemorySecrets
from plugin.transport.client import Transport
from tests.fixtures import server
from tests.servers import rt

pytestmark = [pytest.mark.servers, pytest.mark.root]


def connect(info: dict[str, Any], **changes: Any) -> RtAdapter:
    loaded = {name: info[name] for name in ("url", "user", "password", "queue", "webhook_secret")}
    settings = HELPDESK.settings_schema.load({**loaded, **changes})
    connection = Connection(
        http=Transport().client(name="rt"),
        clock=SystemClock(),
        secrets=MemorySecrets(),
        webhook_url="https://bridge.example/in/helpdesk/rt",
    )
    return HELPDESK.connect(HelpdeskKey("rt"), settings, connection)


@pytest.fixture(scope="module")
def info() -> dict[str, Any]:
    return server("rt", rt.start)


def states(provisions: Provisions) -> dict[str, StepState]:
    return {step.key: step.state for step in provisions.plan().steps}


def test_a_prepared_rt_needs_nothing(info: dict[str, Any]) -> None:
    desk = connect(info)
    assert isinstance(desk, Provisionable)
    provisions = desk.provisions(info["root_token"])
    assert set(states(provisions).values()) == {StepState.SAME}
    assert {done.deed for done in provisions.apply(provisions.plan())} == {Deed.KEPT}
    assert all(probe.is_ok for probe in provisions.verify())
    # What seed.pl made is not ours to take away; the command that does is named.
    (seed,) = provisions.remove()
    assert "CROSSDESK_REMOVE=1" in seed.says
    with pytest.raises(ConfigError, match="SuperUser"):
        desk.provisions("")
    with pytest.raises(CredentialsRejected):
        desk.provisions("1-2-wrong").plan()


def test_a_queue_is_made_drift_is_told_and_all_is_taken_away(info: dict[str, Any]) -> None:
    name = f"Made {uuid.uuid4().hex[:6]}"
    provisions = connect(info, queue=name).provisions(info["root_token"])
    key = f"queue/{name}"

    def show(**changes: str) -> str:
        root = ("root", info["root_password"])
        url = f"{info['url']}/REST/2.0/queue/{name}"
        if changes:
            requests.put(url, json=changes, auth=root, timeout=30).raise_for_status()
        return str(requests.get(url, auth=root, timeout=30).json()["Disabled"])

    plan = provisions.plan()
    assert [step.key for step in plan.to_do()] == [key]
    seed = plan.steps[-1]
    assert (seed.key, seed.state) == ("seed/seed.pl", StepState.UNSUPPORTED)
    assert f"CROSSDESK_QUEUES={name}" in seed.says
    assert [done.deed for done in provisions.apply(plan) if done.deed is not Deed.KEPT] == [Deed.MADE]
    assert states(provisions)[key] is StepState.SAME
    show(Disabled="1")
    drifted = provisions.plan()
    assert states(provisions)[key] is StepState.DRIFTED
    assert {done.deed for done in provisions.apply(drifted)} == {Deed.KEPT}
    assert next(done for done in provisions.remove() if done.name == name).deed is Deed.KEPT
    assert Deed.CHANGED in {done.deed for done in provisions.apply(drifted, overwrite_drift=True)}
    assert show() == "0"
    assert next(done for done in provisions.remove() if done.name == name).deed is Deed.SWITCHED_OFF
    assert show() == "1"
    # Once more: what was ours is known again.
    assert states(provisions)[key] is StepState.OUTDATED
    assert Deed.CHANGED in {done.deed for done in provisions.apply(provisions.plan())}
    assert show() == "0"


def test_what_seed_pl_did_is_taken_back_by_it(tmp_path: Path) -> None:
    environment = rt.start_database(tmp_path)

    def look() -> tuple[int, ...]:
        with sqlite3.connect(tmp_path / "rt.sqlite") as database:
            return tuple(
                int(database.execute(question).fetchone()[0])
                for question in (
                    "SELECT count(*) FROM Scrips WHERE Description LIKE 'Crossdesk%'",
                    "SELECT count(*) FROM CustomFields WHERE Name LIKE 'Crossdesk %' AND Disabled = 0",
                    "SELECT count(*) FROM ACL WHERE ObjectType = 'RT::CustomField'",
                    "SELECT count(*) FROM ACL WHERE RightName = 'AdminUsers'",
                )
            )

    seeded = look()
    assert seeded[:2] == (1, 12)
    rt.seed_again(tmp_path, {**environment, "CROSSDESK_REMOVE": "1"})
    assert look() == (0, 0, 0, 0)
    rt.seed_again(tmp_path, environment)
    assert look() == seeded
