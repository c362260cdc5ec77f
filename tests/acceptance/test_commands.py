"""The `crossdesk` command as an admin meets it: what it says, and with which exit code it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from plugin.cli import main
from plugin.domain.ids import Place
from plugin.store import receipts
from plugin.store.database import Database
from plugin.store.receipts import NewReceipt

Cli = Callable[..., Result]


@pytest.fixture
def cli(tmp_path: Path, database_url: str, redis_url: str) -> Cli:
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
url = "http://127.0.0.1:9"
group = "Social"
token = "bridge-token-1"
webhook_token = "webhook-token-0001"
[channel.practice]
platform = "rehearsal"
url = "http://127.0.0.1:9/network"
token = "company-token-1"
webhook_secret = "webhook-secret-0001"
""")
    config.chmod(0o600)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(config), *arguments])

    return run


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, pool_size=1)
    yield database
    database.dispose()


def test_every_command_explains_itself() -> None:
    for words in (
        ["--help"],
        ["ledger", "--help"],
        ["ledger", "quarantine", "--help"],
        ["db", "--help"],
        ["channel", "--help"],
        ["rehearse", "--help"],
    ):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0
        assert "Usage:" in result.output


def test_a_configuration_in_order_is_said_to_be(cli: Cli) -> None:
    result = cli("check")
    assert result.exit_code == 0
    assert "1 channel, 1 helpdesk" in result.output


def test_a_wrong_configuration_lists_every_mistake_with_its_line_and_ends_with_two(tmp_path: Path) -> None:
    path = tmp_path / "crossdesk.toml"
    path.write_text('[crossdesk]\npublic_url = "nonsense"\n[channel.x]\nplatform = "telgram"\ntoken = "123:secret"\n')
    result = CliRunner().invoke(main, ["--config", str(path), "check"])
    assert result.exit_code == 2
    assert f"{path}:2" in result.output
    assert "telegram" in result.output
    assert "123:secret" not in result.output
    as_json = json.loads(CliRunner().invoke(main, ["--config", str(path), "check", "--json"]).output)
    assert as_json["ok"] is False
    assert len(as_json["problems"]) >= 2


def test_a_missing_configuration_says_what_to_do() -> None:
    result = CliRunner().invoke(main, ["--config", "/nowhere/crossdesk.toml", "check"])
    assert result.exit_code == 2
    assert "crossdesk rehearse" in result.output


def test_an_empty_ledger_adds_up(cli: Cli) -> None:
    result = cli("ledger", "check", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["ok"] is True


def test_a_reference_that_nobody_knows_is_no_crash(cli: Cli) -> None:
    result = cli("ledger", "show", "4711")
    assert (result.exit_code, result.output) == (1, "Nothing is known of '4711'.\n")


def test_what_is_set_aside_can_be_listed_replayed_and_dropped(cli: Cli, database: Database) -> None:
    with database.begin() as connection:
        broken = NewReceipt(place=Place("channel:practice"), method="POST", path="", query={}, headers={}, body=b"{")
        receipts.insert(connection, [broken])
        receipts.set_aside(connection, 1, "The payload is not readable JSON.")
    listed = cli("ledger", "quarantine", "list")
    assert "not readable JSON" in listed.output
    assert "is tried again" in cli("ledger", "quarantine", "replay", "1", "--kind", "receipt").output
    again = cli("ledger", "quarantine", "drop", "1", "--kind", "receipt", "--yes")
    assert again.exit_code == 1
    assert "receipt 1 is not set aside" in again.output


def test_a_channel_is_paused_and_resumed(cli: Cli, database: Database) -> None:
    from plugin.store import places

    with database.begin() as connection:
        places.register(connection, {Place("channel:practice"): "rehearsal", Place("helpdesk:desk"): "zammad"})
    assert "What arrives is kept" in cli("channel", "pause", "practice", "--reason", "holiday").output
    assert "holiday" in cli("channel", "list").output
    assert cli("channel", "resume", "practice").exit_code == 0
    assert "There are: channel:practice, helpdesk:desk" in cli("channel", "pause", "nonsense").output


def test_the_doctor_names_what_fails_and_the_next_step(cli: Cli) -> None:
    result = cli("doctor")
    assert result.exit_code == 1
    assert "ok   database" in result.output
    assert "FAIL helpdesk:desk" in result.output
    assert "next:" in result.output
    for secret in ("bridge-token-1", "webhook-token-0001", "company-token-1", "webhook-secret-0001"):
        assert secret not in result.output


def test_a_backup_is_restored_with_everything_in_it(cli: Cli, database: Database, tmp_path: Path) -> None:
    kept = NewReceipt(place=Place("channel:practice"), method="POST", path="", query={}, headers={}, body=b"kept")
    with database.begin() as connection:
        receipts.insert(connection, [kept])
    target = tmp_path / "backup.dump"
    assert "keep it as safe" in cli("db", "backup", str(target)).output
    refused = cli("db", "backup", str(target))
    assert (refused.exit_code, "nothing was written" in refused.output) == (1, True)
    with database.begin() as connection:
        receipts.insert(
            connection, [NewReceipt(place=Place("channel:practice"), method="POST", path="", query={}, headers={}, body=b"later")]
        )
    database.dispose()
    restored = cli("db", "restore", str(target), "--yes")
    assert restored.exit_code == 0, restored.output
    with database.begin() as connection:
        assert [bytes(row.body) for row in connection.exec_driver_sql("SELECT body FROM receipt")] == [b"kept"]
    assert cli("db", "upgrade").exit_code == 0


def test_a_message_that_nobody_knows_is_not_hidden(cli: Cli) -> None:
    result = cli("message", "hide", "4711")
    assert result.exit_code == 2
    assert "No message is known as '4711'" in result.output


def test_a_channel_whose_credentials_stand_in_the_file_is_not_connected_in_a_browser(cli: Cli) -> None:
    result = cli("channel", "connect", "practice")
    assert result.exit_code == 1
    assert "its credentials stand in crossdesk.toml" in result.output


def test_the_searches_of_the_file_are_listed_with_their_budget(cli: Cli, database: Database, tmp_path: Path) -> None:
    with (tmp_path / "crossdesk.toml").open("a") as file:
        file.write(
            '[channel.toot]\nplatform = "mastodon"\nurl = "https://mastodon.example"\naccess_token = "token"\n'
            '[channel.toot.search.brand]\nquery = "#crossdesk"\na_day = 30\n'
        )
    assert cli("check").exit_code == 0
    with database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO cursor (place, task, spent, spent_on, found) VALUES ('channel:toot', 'search:brand', 30, (now() AT TIME ZONE 'UTC')::date, 7)"
        )
    listed = cli("channel", "list").output
    assert "30 of 30" in listed
    assert "The day's budget is used up" in listed
    (search,) = json.loads(cli("channel", "list", "--json").output)["searches"]
    assert (search["search"], search["query"], search["is_used_up"], search["found"]) == ("brand", "#crossdesk", True, 7)


def test_mistakes_in_a_search_are_named_with_their_lines(cli: Cli, tmp_path: Path) -> None:
    with (tmp_path / "crossdesk.toml").open("a") as file:
        file.write('[channel.practice.search.brand]\nquery = "x"\n')
        file.write('[channel.toot]\nplatform = "mastodon"\nurl = "https://mastodon.example"\naccess_token = "token"\n')
        file.write('[channel.toot.search.brand]\na_day = 0\n[channel.toot.search."No Name"]\nquery = "x"\n')
    told = cli("check")
    assert told.exit_code == 2
    for words in (
        "channel.practice.search: Plaza (practice network) cannot be searched",
        "channel.toot.search.brand.query: is missing",
        "channel.toot.search.brand.a_day: must lie between",
        'channel.toot.search."No Name": is no usable name for a search',
    ):
        assert words in told.output
