"""`panel`: what a helpdesk's relay must be told."""

from __future__ import annotations

import click

from plugin.cli.shared import Settings, pass_settings
from plugin.domain.errors import ConfigError
from ui_extensions.panel.routes import relay_secrets


@click.group()
def panel() -> None:
    """The agents' panel beside the ticket."""


@panel.command()
@click.argument("helpdesk")
@pass_settings
def secret(settings: Settings, helpdesk: str) -> None:
    """Print the secret with which this helpdesk's relay signs its requests. Whoever has it may act as any agent: keep it like a password."""
    bridge = settings.unconnected
    if helpdesk not in {desk.key for desk in bridge.installation.desks.values()}:
        known = ", ".join(sorted(desk.key for desk in bridge.installation.desks.values())) or "none"
        raise ConfigError(f"There is no [helpdesk.{helpdesk}] in crossdesk.toml. There is: {known}.")
    click.echo(relay_secrets(bridge, helpdesk)[0])
