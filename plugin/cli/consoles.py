"""`console`: let somebody into the admin pages."""

from __future__ import annotations

import click

from plugin.cli.shared import Settings, actor, pass_settings
from plugin.domain.errors import ConfigError
from plugin.handlers.admission import Admission, Role


@click.group()
def console() -> None:
    """The admin pages at `/console/` of the receiver's address."""


@console.command()
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default="admin", show_default=True, help="What the link lets you do."
)
@pass_settings
def link(settings: Settings, role: str) -> None:
    """Print a link that opens the console once, within ten minutes: for a bridge without sign-in, and for emergencies."""
    bridge = settings.bridge
    if not bridge.config.console.on:
        raise ConfigError("The console is off: [console] says on = false. Set it to true and restart Crossdesk.")
    token = Admission(bridge.installation, bridge.database, bridge.passes, bridge.config.console).link(Role(role), actor=actor())
    click.echo("Open this in a browser. It works once, within ten minutes:\n")
    click.echo(f"  {bridge.config.public_url.rstrip('/')}/console/enter?token={token}")
