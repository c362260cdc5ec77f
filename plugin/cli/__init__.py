"""The `crossdesk` command. The only place in `plugin` that may open the doors; each group of commands has a module.

Exit codes: 0 all is well, 1 something was found or failed, 2 the command or the configuration is wrong.
"""

from __future__ import annotations

import click

from plugin import log
from plugin.cli.alerts import alert
from plugin.cli.channels import channel
from plugin.cli.checking import check, doctor
from plugin.cli.consoles import console
from plugin.cli.conversations import conversation
from plugin.cli.databases import db
from plugin.cli.explaining import backtest, explain
from plugin.cli.ledgers import ledger
from plugin.cli.messages import message
from plugin.cli.packaging import package
from plugin.cli.panels import panel
from plugin.cli.persons import person
from plugin.cli.platforms import platforms
from plugin.cli.policies import policy
from plugin.cli.provisioning import helpdesk
from plugin.cli.rehearsing import rehearse
from plugin.cli.running import run, serve, sweep, work
from plugin.cli.shared import CONFIG_ENV, Settings
from plugin.domain.errors import ConfigError, CrossdeskError


class _Group(click.Group):
    """Turns our errors into sentences; a traceback is only for faults of our own."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            click.echo(str(error), err=True)
            raise click.exceptions.Exit(2) from None
        except CrossdeskError as error:
            click.echo(f"{error}" + (f" ({error.detail})" if error.detail else ""), err=True)
            raise click.exceptions.Exit(1) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "path",
    envvar=CONFIG_ENV,
    default="crossdesk.toml",
    show_default=True,
    type=click.Path(dir_okay=False),
    help="The configuration file.",
)
@click.version_option(package_name="crossdesk")
@click.pass_context
def main(ctx: click.Context, path: str) -> None:
    """Crossdesk brings social messages into the helpdesk you already run, and carries the replies back.

    Start with `crossdesk rehearse`: it needs no account and no helpdesk. Then write crossdesk.toml, `crossdesk check`,
    `crossdesk doctor`, `crossdesk run`; `crossdesk helpdesk apply NAME` sets the helpdesk up.
    """
    log.configure()
    ctx.obj = Settings(path)
    ctx.call_on_close(ctx.obj.close)


for command in (
    run,
    serve,
    work,
    sweep,
    check,
    doctor,
    helpdesk,
    platforms,
    channel,
    console,
    conversation,
    message,
    ledger,
    alert,
    policy,
    panel,
    person,
    db,
    rehearse,
    package,
):
    main.add_command(command)
for command in (explain, backtest):
    policy.add_command(command)
