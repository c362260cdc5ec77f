"""`crossdesk policy`: what it says, what it writes, and with which exit code it ends. Nothing of it needs a database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plugin.cli import main
from plugin.policy import starters
from plugin.policy.catalogue import catalogue


def _run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["policy", *arguments], input=typed)


@pytest.mark.parametrize("name", starters.NAMES)
def test_a_starter_is_in_order(name: str, tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(starters.text(name), encoding="utf-8")
    said = _run("lint", str(path))
    assert said.exit_code == 0, said.output
    assert "the policy can be used" in said.output


def test_mistakes_end_with_2_and_odd_rules_with_1(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('[policy]\n[[policy.noise]]\nname = "x"\nif = "contact.folowers > 1"\n')
    said = _run("lint", str(path))
    assert said.exit_code == 2
    assert f"{path}:4: policy.noise[1].if: column 8" in said.output
    path.write_text('[policy]\n[[policy.noise]]\nname = "x"\nif = "1 > 2"\n')
    odd = _run("lint", str(path), "--json")
    assert odd.exit_code == 1
    assert json.loads(odd.output)["warnings"]
    path.write_text("[crossdesk]\n")
    assert _run("lint", str(path)).exit_code == 2


def test_the_configuration_is_held_to_its_own_channels(tmp_path: Path) -> None:
    path = tmp_path / "crossdesk.toml"
    path.write_text('[channel.net]\nplatform = "rehearsal"\n[policy]\n[[policy.noise]]\nname = "x"\nwhen = "bot"\nchannels = ["nat"]\n')
    said = CliRunner().invoke(main, ["--config", str(path), "policy", "lint"])
    assert said.exit_code == 2
    assert "Did you mean `net`?" in said.output


def test_the_facts_are_listed() -> None:
    said = _run("facts")
    assert said.exit_code == 0
    assert all(name in said.output for name in catalogue())
    assert len(json.loads(_run("facts", "--json").output)["facts"]) == len(catalogue())


def test_the_seven_questions_can_all_be_answered_with_return(tmp_path: Path) -> None:
    said = _run("new", "--to", str(tmp_path / "out"), typed="\n" * 40)
    assert said.exit_code == 0, said.output
    assert said.output.count("What") >= 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "expectations.de.md",
        "expectations.en.md",
        "policy.toml",
        "roll-out.md",
    ]


def test_a_wrong_answer_is_asked_again(tmp_path: Path) -> None:
    said = _run("new", "--to", str(tmp_path / "out"), typed="Acme\n\n\n\n\n\nnobody\neveryone\n" + "\n" * 40)
    assert said.exit_code == 0, said.output
    assert "must be one of command-centre, hub-and-spoke, everyone." in said.output
    assert "Everyone answers" in (tmp_path / "out" / "policy.toml").read_text(encoding="utf-8")


def test_wrong_answers_in_a_file_are_named_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_text('[staffing]\nstructure = "all"\nhour = 3\n[money]\n')
    said = _run("new", "--answers", str(path), "--to", str(tmp_path / "out"))
    assert said.exit_code == 2
    assert f"{path}:2: staffing.structure: must be one of" in said.output
    assert f"{path}:3: staffing.hour: is not asked here. Did you mean `hours`?" in said.output
    assert f"{path}:4: money: is not one of the seven questions." in said.output
    assert not (tmp_path / "out").exists()


def test_files_that_are_there_are_kept_unless_told_otherwise(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "roll-out.md").write_text("mine")
    said = _run("new", "--to", str(out), typed="\n" * 40)
    assert said.exit_code == 2
    assert "nothing was written" in said.output
    assert (out / "roll-out.md").read_text() == "mine"
    assert _run("new", "--to", str(out), "--force", typed="\n" * 40).exit_code == 0
