"""Backup and restore as an admin does them, on the embedded database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.sections import free_address
from tests.bridge import Bridge

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]

_CONFIGURATION = """
[crossdesk]
public_url = "{url}"
data_dir = "data"

[receiver]
port = {port}

[helpdesk.desk]
kind = "zammad"
url = "http://127.0.0.1:1"
group = "Social"
token = "a token of ours"
webhook_token = "a webhook token of ours"

[channel.practice]
platform = "rehearsal"
url = "http://127.0.0.1:1"
token = "another token of ours"
webhook_secret = "a webhook secret of ours"
"""


def statuses(bridge: Bridge) -> dict[str, str]:
    return {row["key"]: row["status"] for row in json.loads(bridge.crossdesk("channel", "list", "--json").stdout)["places"]}


def test_what_was_backed_up_while_it_worked_is_restored_while_it_does_not(tmp_path: Path) -> None:
    port, url = free_address()
    backup = tmp_path / "crossdesk.dump"
    with Bridge(tmp_path / "bridge", _CONFIGURATION.format(url=url, port=port)) as bridge:
        assert bridge.crossdesk("channel", "pause", "practice").returncode == 0
        made = bridge.crossdesk("db", "backup", str(backup))
        assert made.returncode == 0, made.stderr
        assert backup.stat().st_mode & 0o077 == 0
        assert bridge.crossdesk("channel", "resume", "practice").returncode == 0
        refused = bridge.crossdesk("db", "restore", "--yes", str(backup))
        assert refused.returncode == 2
        assert "nothing was changed" in refused.stderr
        assert statuses(bridge)["channel:practice"] == "active"
        bridge.stop()
        restored = bridge.crossdesk("db", "restore", "--yes", str(backup))
        assert restored.returncode == 0, restored.stderr
        bridge.start()
        assert statuses(bridge)["channel:practice"] == "paused"
