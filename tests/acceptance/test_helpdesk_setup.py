"""`crossdesk helpdesk` as an admin meets it, against the practice desk over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from plugin.cli import main
from plugin.cli.provisioning import SETUP_TOKEN_ENV
from ui_extensions.rehearsal.desk.app import DeskSettings, Staff
from ui_extensions.rehearsal.desk.server import DeskServer

TOKEN = "admins-own-token"
Cli = Callable[..., Result]


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    staff = (Staff(login="ada@example.com", token=TOKEN, firstname="Ada", lastname="Admin", role="admin"),)
    bridge = Staff(login="crossdesk@example.com", token="bridge-token-1", firstname="Social", lastname="Bridge")
    with DeskServer(DeskSettings(bridge=bridge, staff=staff)) as server:
        yield server
        assert server.parts.refusals == []


@pytest.fixture
def cli(desk: DeskServer, tmp_path: Path, database_url: str, redis_url: str) -> Cli:
    config = tmp_path / "crossdesk.toml"
    config.write_text(f"""
[crossdesk]
public_url = "https://bridge.example"
data_dir = "{tmp_path / "data"}"
[database]
url = "{database_url.replace("+psycopg", "")}"
[redis]
url = "{redis_url}"
[secrets]
keys = ["{Fernet.generate_key().decode()}"]
[helpdesk.desk]
kind = "zammad"
url = "{desk.url}"
group = "Social"
token = "bridge-token-1"
webhook_token = "webhook-token-0001"
""")
    config.chmod(0o600)

    def run(*arguments: str, token: str = TOKEN, typed: str = "") -> Result:
        return CliRunner().invoke(main, ["--config", str(config), "helpdesk", *arguments], input=typed, env={SETUP_TOKEN_ENV: token})

    return run


def test_the_whole_way(cli: Cli, desk: DeskServer) -> None:
    planned = cli("plan", "desk")
    assert planned.exit_code == 0, planned.output
    assert "+ attribute Ticket.cd_state: new" in planned.output
    assert "custom fields are added" in planned.output
    assert desk.parts.desk.admin_objects("triggers") == []

    assert cli("apply", "desk", typed="n\n").exit_code == 1
    assert desk.parts.desk.admin_objects("triggers") == []
    applied = cli("apply", "desk", typed="y\n")
    assert applied.exit_code == 0, applied.output
    assert "crossdesk helpdesk verify desk" in applied.output
    again = json.loads(cli("apply", "desk", "--yes", "--json").stdout)
    assert {one["deed"] for one in again["done"]} == {"kept"}

    planned_again = json.loads(cli("plan", "desk", "--json").stdout)
    assert (planned_again["server"], planned_again["needs_restart"]) == ("Zammad 6.2.0", False)
    assert {step["state"] for step in planned_again["steps"]} == {"same"}

    removed = cli("remove", "desk", "--yes")
    assert removed.exit_code == 0, removed.output
    assert "removed      trigger Crossdesk 10 reply" in removed.output
    assert desk.parts.desk.admin_objects("triggers") == []
    for result in (planned, applied, removed):
        assert TOKEN not in result.output


def test_without_a_token_it_is_asked_for_and_a_wrong_one_is_explained(cli: Cli) -> None:
    asked = cli("plan", "desk", token="", typed="wrong-token\n")
    assert asked.exit_code == 1
    assert "Setting up needs the access token of an administrator" in asked.output
    assert "wrong-token" not in asked.output
    assert cli("plan", "desk", token="bridge-token-1").exit_code == 1
    assert "There is no helpdesk called 'nope'" in cli("plan", "nope").output
