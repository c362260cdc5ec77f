"""`rehearse`: the practice ground, and the same played by itself."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from plugin.cli.running import run_practice
from plugin.cli.shared import show_json
from ui_extensions.rehearsal import drill


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


if __name__ == "__main__":
    from plugin import log

    log.configure()
    run_practice(Path(sys.argv[1]))
