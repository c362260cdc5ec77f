"""The smallest configuration, and the registration that it makes for a homeserver, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plugin.cli import main

_CONFIGURATION = """
[crossdesk]
public_url = "https://desk.example.org"

[helpdesk.zammad]
kind = "zammad"
url = "https://zammad.example.org"
group = "Social"
token = "env:ZAMMAD_TOKEN"
webhook_token = "env:ZAMMAD_WEBHOOK_TOKEN"

[channel.matrix]
platform = "matrix"
homeserver_url = "https://matrix.example.org"
user_id = "@support:example.org"
as_token = "env:MATRIX_AS_TOKEN"
hs_token = "env:MATRIX_HS_TOKEN"
"""
_SECRETS = {
    "ZAMMAD_TOKEN": "zammad-token",
    "ZAMMAD_WEBHOOK_TOKEN": "zammad-webhook-token",
    "MATRIX_AS_TOKEN": "our-token-at-the-homeserver",
    "MATRIX_HS_TOKEN": "their-token-at-our-door",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "crossdesk.toml"
    path.write_text(_CONFIGURATION)
    return path


def crossdesk(file: Path, *arguments: str, secrets: dict[str, str] = _SECRETS) -> Any:
    return CliRunner().invoke(main, ["--config", str(file), *arguments], env=secrets)


def test_the_smallest_configuration_is_in_order(file: Path) -> None:
    said = crossdesk(file, "check")
    assert (said.exit_code, said.stdout) == (0, f"{file} is in order: 1 channel, 1 helpdesk.\n")


def test_a_missing_secret_is_named_with_its_line(file: Path) -> None:
    said = crossdesk(file, "check", secrets={**_SECRETS, "MATRIX_HS_TOKEN": ""})
    assert said.exit_code == 2
    assert f"{file}:17: channel.matrix.hs_token" in said.stderr
    assert "our-token-at-the-homeserver" not in said.output


def test_the_registration_for_the_homeserver_is_printed_before_anything_runs(file: Path) -> None:
    said = crossdesk(file, "channel", "registration", "matrix")
    assert said.exit_code == 0, said.output
    assert (
        'url: "https://desk.example.org/in/channel/matrix"\nas_token: "our-token-at-the-homeserver"\nhs_token: "their-token-at-our-door"\n'
        in said.stdout
    )


def test_a_platform_without_such_a_file_says_so(file: Path) -> None:
    said = crossdesk(file, "channel", "registration", "zammad")
    assert said.exit_code == 1
    assert "README" in said.stderr
