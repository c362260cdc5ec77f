"""`alert`: what an admin was told, until it is settled."""

from __future__ import annotations

import click

from plugin.cli.shared import Settings, actor, pass_settings, show_json, show_table
from plugin.handlers import operate


@click.group()
def alert() -> None:
    """Look at open alerts, and close those that you have seen to."""


@alert.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@pass_settings
def list_all(settings: Settings, *, as_json: bool) -> None:
    """Every open alert, oldest first. Exits with 1 when there is one."""
    rows = operate.list_alerts(settings.bridge.database)
    if as_json:
        show_json({"alerts": rows})
    elif not rows:
        click.echo("No alert is open.")
    else:
        show_table(
            [(row["id"], row["place"], row["code"], row["opened_at"], row["text"]) for row in rows],
            ("id", "place", "code", "since", "says"),
        )
    if rows:
        raise click.exceptions.Exit(1)


@alert.command()
@click.argument("number", type=int)
@pass_settings
def close(settings: Settings, number: int) -> None:
    """Close one that you have seen to. The same is raised again if it happens again."""
    if not operate.close_alert(settings.bridge.database, number, actor=actor()):
        raise click.ClickException(f"There is no open alert {number}; nothing was changed. `crossdesk alert list` shows what is open.")
    click.echo(f"Alert {number} is closed.")
