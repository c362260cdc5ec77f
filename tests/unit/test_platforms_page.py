"""`docs/platforms.md`, the READMEs and `crossdesk platforms` show what the adapters declare, and nothing else."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from plugin import bootstrap
from plugin.cli import main
from plugin.contracts.abilities import GROUPS, as_data, rows
from plugin.testing import tables


def test_the_matrix_of_the_docs_is_the_generated_one() -> None:
    shown = tables.PAGE.read_text(encoding="utf-8")
    assert shown == tables.page(bootstrap.platforms().values()), "run python -m plugin.testing.tables --write"


def test_every_row_of_the_matrix_is_one_that_platforms_have() -> None:
    known = {name for platform in bootstrap.platforms().values() for name, _ in rows(platform.capabilities)}
    assert {name for _, names in GROUPS for name in names} <= known


def test_the_command_lists_every_platform() -> None:
    said = CliRunner().invoke(main, ["platforms"])
    assert said.exit_code == 0
    for platform in bootstrap.platforms().values():
        assert f"\n{platform.name} " in said.output
        assert platform.display_name in said.output


def test_for_programs_it_gives_everything_that_is_declared() -> None:
    listed = json.loads(CliRunner().invoke(main, ["platforms", "--json"]).output)["platforms"]
    assert [one["name"] for one in listed] == sorted(bootstrap.platforms())
    telegram = next(one for one in listed if one["name"] == "telegram")
    declared = bootstrap.platforms()["telegram"].capabilities
    assert telegram["capabilities"] == json.loads(json.dumps(as_data(declared)))
    assert telegram["capabilities"]["replies_private"] == declared.replies_private.name.lower()
    assert telegram["capabilities"]["limits"]["text_length"] == declared.limits.text_length
    assert {name: telegram["settings"][0][name] for name in ("name", "required", "secret")} == {
        "name": "token",
        "required": True,
        "secret": True,
    }


@pytest.mark.parametrize("name", sorted(bootstrap.platforms()))
def test_all_of_one_is_shown_by_its_name(name: str) -> None:
    said = CliRunner().invoke(main, ["platforms", name])
    assert said.exit_code == 0
    platform = bootstrap.platforms()[name]
    assert all(setting in said.output for setting in platform.settings_schema.fields)


def test_a_name_that_nobody_has_is_told() -> None:
    said = CliRunner().invoke(main, ["platforms", "myspace"])
    assert said.exit_code == 2
    assert "matrix" in said.output
