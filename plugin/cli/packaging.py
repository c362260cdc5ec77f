"""`package`: build the add-on that is installed into a helpdesk. Which ones there are, `ui_extensions.packing` finds out."""

from __future__ import annotations

from pathlib import Path

import click

from plugin.domain.errors import ConfigError
from ui_extensions.packing import packers


class _Packages(click.Group):
    """A command for each helpdesk that has an add-on."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The helpdesks' names."""
        del ctx
        return sorted(packers())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command that builds one of them."""
        del ctx
        packer = packers().get(cmd_name)
        if packer is None:
            return None

        @click.command(cmd_name, help=packer.help)
        @click.option(
            "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where to put it; made if it is not there."
        )
        def build(out: Path) -> None:
            try:
                out.mkdir(parents=True, exist_ok=True)
            except OSError as problem:
                raise ConfigError(f"{out} cannot be made: {problem.strerror}. Choose another --out.") from None
            packed = packer.pack(out)
            for path in packed.made:
                click.echo(f"made {path}")
            for remark in packed.remarks:
                click.echo(remark)

        return build


@click.group(cls=_Packages)
def package() -> None:
    """Build what is installed into a helpdesk. Needs no configuration."""
