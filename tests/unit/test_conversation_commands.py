"""The commands about conversations and the policy, as an admin types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from plugin.cli import main
from tests.engine import Engine
from tests.unit.test_crossing import started

_CONFIG = """
[crossdesk]
public_url = "http://127.0.0.1:8010"
data_dir = "{folder}/data"

[database]
url = "{database}"

[secrets]
keys = ["ZmF1bHQtaGFybmVzcy1mYXVsdC1oYXJuZXNzLTAwMDA="]

[helpdesk.desk]
kind = "zammad"
url = "http://127.0.0.1:9/desk"
group = "Social"
token = "bridge-token-0123456789"
webhook_token = "desk-secret-0123456789"

[channel.practice]
platform = "rehearsal"
url = "http://127.0.0.1:9/network"
token = "company-token-0123456789"
webhook_secret = "network-secret-0123456789"
"""
_POLICY = """
[policy]
name = "test"

[[policy.crossover]]
name = "invoices"
when = "keyword"
any_of = ["invoice*"]
"""


class Console:
    """A terminal in a folder with a `crossdesk.toml`."""

    def __init__(self, folder: Path, database: str) -> None:
        self.config, self.policy = folder / "crossdesk.toml", folder / "other.toml"
        self.config.write_text(_CONFIG.format(folder=folder, database=database) + _POLICY, encoding="utf-8")
        self.config.chmod(0o600)
        self.policy.write_text(_POLICY.replace("invoice*", "parcel*"), encoding="utf-8")

    def type(self, *words: str) -> Result:
        """One command."""
        return CliRunner().invoke(main, ["--config", str(self.config), *words])

    def read(self, *words: str) -> Any:
        """One command's JSON."""
        result = self.type(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.output)


def _played(database_url: str) -> Engine:
    engine = started(database_url)
    engine.tell(engine.network.say("maria", "My invoice is wrong"))
    engine.settle()
    return engine


def test_conversations_are_listed_shown_and_explained(database_url: str, tmp_path: Path) -> None:
    engine, console = _played(database_url), Console(tmp_path, database_url)
    (row,) = console.read("conversation", "list", "--stage", "handoff")["conversations"]
    assert (row["id"], row["stage"], row["handle"], row["rule"]) == (1, "handoff", "maria", "invoices")
    assert "invoices" in console.type("conversation", "list").output
    assert console.read("conversation", "list", "--stage", "formal")["conversations"] == []
    assert "It is about an invoice." in console.type("conversation", "show", "1").output
    assert console.read("policy", "explain", "1")["decisions"][0]["rule"] == "invoices"
    assert "promise" in console.type("conversation", "show", "1").output
    unknown = console.type("conversation", "show", "99")
    assert unknown.exit_code == 2
    assert "There is no conversation 99" in unknown.output
    engine.close()


def test_presses_are_done_by_the_engine_and_a_refusal_is_said(database_url: str, tmp_path: Path) -> None:
    engine, console = _played(database_url), Console(tmp_path, database_url)
    with engine.crowd(1):
        done = console.type("conversation", "confirm", "1", "--role", "agent", "--as", "Ada", "--key", "k1")
        again = console.type("conversation", "confirm", "1", "--role", "agent", "--as", "Ada", "--key", "k1")
        refused = console.type("conversation", "undo", "1", "--role", "agent", "--reason", "why not")
    assert "stage formal" in done.output
    assert "told before" in again.output
    assert refused.exit_code == 1
    assert "only a supervisor" in refused.output
    assert tuple(engine.rows("SELECT actor, action FROM audit ORDER BY id LIMIT 1")[0]) == ("Ada", "confirm")
    assert console.type("conversation", "close", "99", "--reason", "x").exit_code == 2
    assert console.type("conversation", "promote", "1").exit_code == 1
    engine.close()


def test_a_back_test_is_shown_as_text_json_and_a_page(database_url: str, tmp_path: Path) -> None:
    engine, console = _played(database_url), Console(tmp_path, database_url)
    engine.rows("UPDATE conversation SET place = 'channel:practice' RETURNING 1")
    page = tmp_path / "report.html"
    report = console.read("policy", "backtest", str(console.policy), "--since", "7d", "--html", str(page))
    assert (report["moments"], report["differences"]) == (1, 1)
    assert "<table" in page.read_text(encoding="utf-8")
    assert "invoices" in console.type("policy", "backtest", str(console.policy), "--since", "2020-01-01").output
    assert console.type("policy", "backtest", str(console.policy), "--since", "soon").exit_code == 2
    engine.close()
