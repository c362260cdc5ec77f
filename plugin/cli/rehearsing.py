"""`rehearse`: the practice ground, and the same played by itself."""

from __future__ import annotations

import sys
import tempfile
import tomllib
from dataclasses import asdict
from importlib import resources
from pathlib import Path

import click

from plugin.cli.running import run_all, run_practice
from plugin.cli.shared import Settings, show_json
from plugin.domain.errors import ConfigError
from plugin.store.database import Database
from ui_extensions.rehearsal import drill, practice
from ui_extensions.rehearsal.crossing import Play, Step
from workers.embedded import running_url

STARTERS = ("command-centre", "hub-and-spoke", "everyone")


@click.group(invoke_without_command=True)
@click.pass_context
def rehearse(ctx: click.Context) -> None:
    """Practise with a social network and a helpdesk of our own: no account, no helpdesk, no root."""
    if ctx.invoked_subcommand is None:
        run_practice(Path(".crossdesk/rehearsal"))


@rehearse.command()
@click.option("--json", "as_json", is_flag=True, help="Print nothing but one JSON object.")
@click.option("--customers", default=6, show_default=True, help="How many people write.")
@click.option("--messages", default=8, show_default=True, help="How many messages each of them writes.")
def smoke(*, as_json: bool, customers: int, messages: int) -> None:
    """Play customers and agents for a few seconds, from nothing running to nothing left running, and count."""
    with tempfile.TemporaryDirectory(prefix="crossdesk-smoke-") as folder:
        command = [sys.executable, "-m", "plugin.cli.rehearsing", folder]
        outcome = drill.play(command, Path(folder), customers=customers, messages=messages, tell=None if as_json else click.echo)
    if as_json:
        show_json(asdict(outcome))
    else:
        for name, value in asdict(outcome).items():
            click.echo(f"{name:>10}: {value}")
    if not outcome.is_ok:
        raise click.exceptions.Exit(1)


@rehearse.command()
@click.option("--policy", "name", type=click.Choice(STARTERS), default=STARTERS[0], show_default=True, help="By which starter policy.")
@click.option("--page", "by_page", is_flag=True, help="The customer goes on by the private page, as where there are no private messages.")
@click.option("--json", "as_json", is_flag=True, help="Print nothing but one JSON object.")
def crossover(name: str, *, by_page: bool, as_json: bool) -> None:
    """Play a whole conversation, from a public post over the formal ticket to its confirmed end, and show each step."""
    with tempfile.TemporaryDirectory(prefix="crossdesk-crossover-") as folder:
        command = [sys.executable, "-m", "plugin.cli.rehearsing", folder, name, *(["page"] if by_page else [])]
        if not as_json:
            click.echo("starting the rehearsal ...")
        with drill.started(command, Path(folder)) as running:
            url = running_url(Path(folder) / "data" / "postgres")
            if url is None:
                raise ConfigError("The rehearsal's database is not there. Nothing is left running; try again.")
            database = Database(url, pool_size=2)
            try:
                outcome = Play(running, database, policy=name, by_page=by_page, tell=None if as_json else _show).play()
            finally:
                database.dispose()
    if as_json:
        show_json(outcome.plain())
    else:
        click.echo(f"\nended in {outcome.stage}, {outcome.outcome}; the contract was {'kept' if outcome.is_ok else 'NOT kept'}")
    if not outcome.is_ok:
        raise click.exceptions.Exit(1)


def _show(step: Step) -> None:
    click.echo(f"\n{step.number:>2}. {step.who} {step.does}\n    stage: {step.stage}")
    for title, lines in (("rule", step.rules), ("customer saw", step.customer_saw), ("held", step.held)):
        for line in lines:
            click.echo(f"    {title}: {' '.join(line.split())}")


def _starter(name: str) -> str:
    return (resources.files("plugin.policy.starters") / f"{name}.toml").read_text(encoding="utf-8")


def _practise(folder: Path, name: str, *, by_page: bool) -> None:
    """The rehearsal by a starter policy, with the groups that it names."""
    written = _starter(name)
    if by_page:
        written = written.replace('private_page = "needed"', 'private_page = "always"')
    groups = [str(group) for group in tomllib.loads(written)["policy"].get("groups", [])]
    prepared = practice.prepare(folder.absolute(), policy=f"\n{written}", groups=groups)
    run_all(Settings(prepared.folder / "crossdesk.toml").config, practice_of=prepared)


if __name__ == "__main__":
    from plugin import log

    log.configure()
    if len(sys.argv) > 2:
        _practise(Path(sys.argv[1]), sys.argv[2], by_page="page" in sys.argv[3:])
    else:
        run_practice(Path(sys.argv[1]))
