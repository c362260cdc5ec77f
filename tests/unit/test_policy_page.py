"""docs/policy.md says what the code does: its tables are made from it, and its examples can be used."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from click.testing import CliRunner

from plugin.cli import main
from plugin.config.findings import Findings
from plugin.config.lines import Lines
from plugin.policy.catalogue import table
from plugin.policy.lint import lint
from plugin.policy.reading import World, read_policy
from plugin.policy.reference import blocks
from plugin.testing.policy_page import renewed

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


def test_every_table_is_as_the_code_makes_it() -> None:
    assert all(f"<!-- made: {name} -->" in TEXT for name in blocks())
    assert renewed(TEXT) == TEXT, "run: python -m plugin.testing.policy_page --write"
    assert table() in TEXT


def test_the_small_policy_is_clean() -> None:
    text = EXAMPLES[0]
    findings = Findings(Path("p.toml"), Lines(text))
    policy = read_policy(tomllib.loads(text)["policy"], findings, world=World())
    assert findings.problems == ()
    assert policy is not None
    lint(policy, findings)
    assert findings.warnings == ()


def test_the_answers_file_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "answers.toml").write_text(EXAMPLES[1])
    said = CliRunner().invoke(main, ["policy", "new", "--answers", str(tmp_path / "answers.toml"), "--to", str(tmp_path / "out")])
    assert said.exit_code == 0, said.output
    assert "Acme" in (tmp_path / "out" / "expectations.de.md").read_text(encoding="utf-8")
    assert "warning" not in said.output
