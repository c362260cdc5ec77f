"""`crossdesk channel add`: the section that it writes, what it asks and refuses, and what it tells the admin to do next."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from plugin.cli import main
from plugin.config import adding

_BEFORE = """\
# Our desk. Keep this comment.
[crossdesk]
public_url = "https://desk.example.org"   # behind the web server

[helpdesk.zammad]
kind = "zammad"
url = "https://zammad.example.org"
group = "Social"
token = "env:ZAMMAD_TOKEN"
webhook_token = "env:ZAMMAD_WEBHOOK_TOKEN\""""
_ENVIRONMENT = {"ZAMMAD_TOKEN": "zammad-token", "ZAMMAD_WEBHOOK_TOKEN": "zammad-webhook-token"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "crossdesk.toml"
    path.write_text(_BEFORE)
    path.chmod(0o640)
    return path


def add(file: Path, *arguments: str, typed: str = "", **environment: str) -> Any:
    return CliRunner().invoke(main, ["--config", str(file), "channel", "add", *arguments], input=typed, env={**_ENVIRONMENT, **environment})


def drafts(file: Path) -> list[Path]:
    """What was written beside the file and forgotten."""
    return [path for path in file.parent.iterdir() if path.name.startswith(".crossdesk.toml")]


def test_by_flags_a_section_is_appended_and_nothing_else_is_touched(file: Path) -> None:
    said = add(
        file, "shop", "--platform", "mastodon", "--no-input", "--set", "url=https://mastodon.example", "--set", "access_token=$TOOT_TOKEN",
        TOOT_TOKEN="a token",
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    section = '[channel.shop]\nplatform = "mastodon"\nurl = "https://mastodon.example"\naccess_token = "env:TOOT_TOKEN"\n'
    assert file.read_text() == f"{_BEFORE}\n\n{section}"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert drafts(file) == []
    assert "Callback address: https://desk.example.org/in/channel/shop" in said.output
    assert "crossdesk channel test shop" in said.output
    assert "a token" not in said.output


def test_asked_one_by_one_with_help_and_secrets_hidden(file: Path) -> None:
    said = add(file, typed="mastodon\nshop\nnonsense\nhttps://mastodon.example\nhush-hush\n\n\n\n")
    assert said.exit_code == 0, said.output
    assert "Address of the server on which the account lives" in said.output
    assert "url must be" in said.output or "url not a valid" in said.output
    assert "hush-hush" not in said.output
    assert 'access_token = "hush-hush"' in file.read_text()
    assert "poll_seconds" not in file.read_text()


def test_a_token_that_both_sides_share_is_made_and_shown(file: Path) -> None:
    said = add(
        file, "room", "--platform", "matrix", "--no-input", "--set", "homeserver_url=https://matrix.example.org", "--set", "user_id=@support:example.org",
        "--set", "public_rooms=!a:example.org, !b:example.org",
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    written = file.read_text()
    assert 'public_rooms = ["!a:example.org", "!b:example.org"]' in written
    (made,) = (line.split('"')[1] for line in written.splitlines() if line.startswith("hs_token"))
    assert len(made) >= 32
    assert f"hs_token (made, and written to the file): {made}" in said.output
    assert "crossdesk channel registration room" in said.output


def test_a_channel_that_is_connected_in_a_browser_names_the_redirect_address(file: Path) -> None:
    given = ("url=https://mastodon.example", "client_id=key", "client_secret=hush-hush")
    said = add(file, "shop", "--platform", "mastodon", "--no-input", *[word for each in given for word in ("--set", each)])
    assert said.exit_code == 0, said.output
    assert "/oauth/callback as redirect address at the platform's app, then `crossdesk channel connect shop`" in said.output
    assert "hush-hush" not in said.output


def test_a_secret_that_the_address_ends_in_is_made_and_the_whole_address_shown(file: Path) -> None:
    ids = (
        "app_id=11111111-2222-3333-4444-555555555555",
        "tenant_id=11111111-2222-3333-4444-555555555556",
        "app_password=from-azure-0123456789",
    )
    said = add(file, "it", "--platform", "teams", "--no-input", *(word for one in ids for word in ("--set", one)))
    assert said.exit_code == 0, said.output
    (made,) = (line.split('"')[1] for line in file.read_text().splitlines() if line.startswith("address_secret"))
    assert f"Callback address: https://desk.example.org/in/channel/it/{made}\n" in said.output


def test_the_secrets_of_a_generic_channel_are_made_one_for_each_direction(file: Path) -> None:
    said = add(file, "box", "--platform", "webhook", "--no-input", "--set", "url=https://shop.example/crossdesk")
    assert said.exit_code == 0, said.output
    made = {line.split(" = ")[0]: line.split('"')[1] for line in file.read_text().splitlines() if "_secret = " in line}
    assert made.keys() == {"receive_secret", "send_secret"}
    assert len(set(made.values())) == 2
    assert all(f"{name} (made, and written to the file): {secret}" in said.output for name, secret in made.items())


def test_a_secret_that_only_one_way_of_intake_needs_is_made_as_well(file: Path) -> None:
    said = add(file, "bot", "--platform", "telegram", "--no-input", "--set", "token=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ012345678")
    assert said.exit_code == 0, said.output
    assert "secret_token (made, and written to the file): " in said.output


def test_a_variable_that_is_not_set_here_is_still_to_do(file: Path) -> None:
    said = add(
        file,
        "shop",
        "--platform",
        "mastodon",
        "--no-input",
        "--set",
        "url=https://mastodon.example",
        "--set",
        "access_token=env:NOT_SET_HERE",
    )
    assert said.exit_code == 0, said.output
    assert "Still to do: " in said.output
    assert "NOT_SET_HERE" in said.output
    assert "[channel.shop]" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["shop", "--platform", "myspace", "--no-input"], "There is no platform called 'myspace'"),
        (["Shop!", "--platform", "mastodon", "--no-input"], "is no usable name"),
        (["shop", "--platform", "mastodon", "--no-input", "--set", "urk=x"], "--set urk: this is no setting of Mastodon"),
        (
            ["shop", "--platform", "mastodon", "--no-input", "--set", "url=https://m.example"],
            "channel.shop.access_token: Give the application's token",
        ),
        (["shop", "--platform", "mastodon", "--no-input", "--set", "poll_seconds=often"], "poll_seconds must be a number"),
        (["shop", "--platform", "telegram", "--no-input", "--set", "token=no-token-of-theirs"], "token "),
    ],
)
def test_what_is_wrong_is_said_and_the_file_stays_as_it_was(file: Path, arguments: list[str], told: str) -> None:
    said = add(file, *arguments)
    assert said.exit_code == 2
    assert told in said.output
    assert "no-token-of-theirs" not in said.output
    assert file.read_text() == _BEFORE
    assert drafts(file) == []


def test_a_name_is_taken_once(file: Path) -> None:
    settings = ("--platform", "mastodon", "--no-input", "--set", "url=https://mastodon.example", "--set", "access_token=token")
    assert add(file, "shop", *settings).exit_code == 0
    again = add(file, "shop", *settings)
    assert (again.exit_code, "There is a [channel.shop] already" in again.output) == (2, True)


_WORDS = st.text("aü🦊 \"\\'#=[]\n\t\x00\x7f", max_size=12)
_VALUES = st.one_of(_WORDS, st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.lists(_WORDS, max_size=3))


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), _VALUES, max_size=4))
def test_whatever_is_written_is_read_again(values: dict[str, Any]) -> None:
    assert tomllib.loads(adding.section(("channel", "a b"), values)) == {"channel": {"a b": values}}
