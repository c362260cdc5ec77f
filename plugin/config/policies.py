"""The policy of a file alone, without what it takes to run: for `crossdesk policy lint` and for trying a changed one on past traffic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from plugin.config.findings import Findings
from plugin.config.lines import Lines
from plugin.config.loading import parsed, world
from plugin.contracts.platform import Platform
from plugin.domain.errors import ConfigError
from plugin.policy.lint import lint
from plugin.policy.policy import Policy
from plugin.policy.reading import World, read_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class LintedPolicy:
    """What was found. `policy` is None where there are problems; each finding has its file and line."""

    policy: Policy | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def lint_policy(path: Path, *, platforms: Mapping[str, Platform], channels: Iterable[str] = ()) -> LintedPolicy:
    """The policy in the file at `path`, held to the channels of that file and to `channels`.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or has no `[policy]`.
    """
    text, document = parsed(path)
    if "policy" not in document:
        raise ConfigError(f"{path}: there is no [policy] in it. Write one with `crossdesk policy new`, or copy one of its starters.")
    findings = Findings(path, Lines(text))
    tables = document.get("channel", {})
    own = {name: table for name, table in tables.items() if isinstance(table, dict)} if isinstance(tables, dict) else {}
    known = World(channels={**dict.fromkeys(channels), **world(own, platforms).channels})
    policy = read_policy(document["policy"], findings, world=known)
    if policy is not None:
        lint(policy, findings)
    return LintedPolicy(policy=policy, problems=findings.problems, warnings=findings.warnings)


def load_policy(path: Path, *, platforms: Mapping[str, Platform], channels: Iterable[str] = ()) -> Policy:
    """The same, only the policy.

    Raises:
        ConfigError: it cannot be used; `problems` has a line for each mistake.
    """
    found = lint_policy(path, platforms=platforms, channels=channels)
    if found.policy is None:
        raise ConfigError(problems=found.problems)
    return found.policy
