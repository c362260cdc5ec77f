"""`policy`: lint it, look up its facts, and write a first one."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from plugin import bootstrap
from plugin.cli.shared import Settings, pass_settings, show_json, show_table
from plugin.config import lint_policy
from plugin.config.findings import Findings
from plugin.config.lines import Lines
from plugin.domain.errors import ConfigError
from plugin.policy.catalogue import catalogue
from plugin.policy.fields import KeyPath, Wrong
from plugin.policy.opening import writing
from plugin.policy.opening.questions import QUESTIONS, Answers, asked, from_words


@click.group()
def policy() -> None:
    """The rules: when a conversation becomes a formal ticket, where it goes, who approves, and what is promised."""


@policy.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@pass_settings
def lint(settings: Settings, file: str | None, *, as_json: bool) -> None:
    """Read [policy] in crossdesk.toml, or in FILE, and name every mistake, and every rule that is hardly meant, with its line.

    Exits with 2 when the policy cannot be used, with 1 when only something is hardly meant.
    """
    path = Path(file) if file else settings.path
    found = lint_policy(path, platforms=bootstrap.platforms(), channels=_channels(settings) if file else ())
    rules = 0 if found.policy is None else len(list(found.policy.rules))
    if as_json:
        show_json({"ok": not found.problems, "problems": list(found.problems), "warnings": list(found.warnings), "rules": rules})
    else:
        for line in found.problems or found.warnings:
            click.echo(line)
        if found.policy is not None:
            click.echo(f"{path}: the policy can be used: {rules} rule{'s' * (rules != 1)}, version {found.policy.digest}.")
    if found.problems or found.warnings:
        raise click.exceptions.Exit(2 if found.problems else 1)


@policy.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def facts(*, as_json: bool) -> None:
    """What rules and expressions may ask for. A fact that is unknown satisfies no comparison; `known.NAME` asks whether it is known."""
    if as_json:
        show_json({"facts": [{"name": fact.name, "type": fact.type_shown, "text": fact.text} for fact in catalogue().values()]})
        return
    show_table(
        [(fact.name, fact.type_shown, fact.text.replace("`", "")) for fact in catalogue().values()], ("fact", "type", "what it says")
    )


@policy.command()
@click.option("--answers", type=click.Path(exists=True, dir_okay=False), help="A TOML file with the answers, instead of asking.")
@click.option("--to", "folder", default="crossdesk-policy", show_default=True, type=click.Path(file_okay=False), help="Where to write.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
def new(answers: str | None, folder: str, *, force: bool) -> None:
    """Ask the seven questions that come before a social channel is opened, and write a policy, what customers may expect, and a check-list."""
    given = _answered(Path(answers)) if answers else _ask()
    files = writing.files(given)
    place = Path(folder)
    there = [name for name in files if (place / name).exists()]
    if there and not force:
        raise ConfigError(f"{place / there[0]} exists already; nothing was written. Name another folder with --to, or add --force.")
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")
    except OSError as fault:
        raise ConfigError(f"{place} cannot be written: {os.strerror(fault.errno or 0)}. Name another folder with --to.") from None
    for name in files:
        click.echo(f"wrote {place / name}")
    found = lint_policy(place / "policy.toml", platforms=bootstrap.platforms())
    for line in found.problems or found.warnings:
        click.echo(line)
    click.echo(
        "Next: read policy.toml, put it into crossdesk.toml, and run `crossdesk policy lint`; roll-out.md says what else there is to do."
    )


def _channels(settings: Settings) -> tuple[str, ...]:
    """Those of the configuration, if there is one: a policy in a file of its own may name them."""
    try:
        return tuple(str(key) for key in settings.config.channels)
    except ConfigError:
        return ()


def _ask() -> Answers:
    given: dict[str, Any] = {}
    for number, (question, (title, advice)) in enumerate(QUESTIONS.items(), start=1):
        click.echo(f"\n{number}. {click.style(title, bold=True)} {advice}")
        for field in asked()[question].values():
            given[field.name] = click.prompt(
                f"   {field.metadata['help']}",
                default=_default_shown(field.default),
                show_default=bool(_default_shown(field.default)),
                value_proc=_reader(field),
            )
    return Answers(**given)


def _reader(field: Any) -> Any:
    default = _default_shown(field.default)

    def read(words: str) -> Any:
        if words.strip() == default:
            return field.default
        try:
            return field.metadata["kind"].read(from_words(field.metadata["kind"], words))
        except Wrong as wrong:
            raise click.UsageError(wrong.sentence) from None

    return read


def _default_shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{each[0]:02}-{each[1]:02}" if isinstance(each, tuple) else str(each) for each in value)
    if hasattr(value, "total_seconds"):
        return writing.span_shown_hours(value)
    if isinstance(value, str) and value.startswith("{"):
        return "mon-fri 09:00-17:00"
    return "" if value is None else str(value)


def _answered(path: Path) -> Answers:
    """The answers in a file.

    Raises:
        ConfigError: with a line for each mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as fault:
        raise ConfigError(f"{path} cannot be read as TOML: {fault}. docs/policy.md shows an answers file.") from None
    findings = Findings(path, Lines(text))
    given: dict[str, Any] = {}
    for question, table in document.items():
        if question not in QUESTIONS:
            findings.unknown((question,), QUESTIONS, what="one of the seven questions")
        elif not isinstance(table, Mapping):
            findings.problem((question,), "must be a table.")
        else:
            given |= _of_table(table, (question,), asked()[question], findings)
    if findings.problems:
        raise ConfigError(problems=findings.problems)
    return Answers(**given)


def _of_table(table: Mapping[str, Any], path: KeyPath, known: Mapping[str, Any], findings: Findings) -> Mapping[str, Any]:
    found = {}
    for word, value in table.items():
        if word not in known:
            findings.unknown((*path, word), known, what="asked here")
            continue
        try:
            found[known[word].name] = known[word].metadata["kind"].read(value)
        except Wrong as wrong:
            findings.problem((*path, word, *wrong.at), wrong.sentence)
    return found
