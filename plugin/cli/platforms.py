"""`platforms`: what there is to connect, and how far each goes."""

from __future__ import annotations

from typing import Any

import click

from plugin import bootstrap
from plugin.cli.shared import show_json, show_table
from plugin.contracts import abilities
from plugin.contracts.platform import Platform
from plugin.domain.errors import ConfigError

_COLUMNS = ("public replies", "private replies", "files in", "files out", "edits by customers", "saved searches", "longest text")


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with everything that is declared.")
def platforms(name: str | None, *, as_json: bool) -> None:
    """Every platform with what it can carry, as its adapter declares it; with NAME everything about one, its settings too."""
    found = bootstrap.platforms()
    if name is not None and name not in found:
        raise ConfigError(f"There is no platform called {name!r}. There are: {', '.join(sorted(found))}.")
    chosen = [found[each] for each in sorted(found) if name in (None, each)]
    if as_json:
        show_json({"platforms": [_data(platform) for platform in chosen]})
    elif name is None:
        carried = [(platform, dict(abilities.rows(platform.capabilities))) for platform in chosen]
        show_table(
            [(platform.name, platform.display_name, *(rows[column] for column in _COLUMNS)) for platform, rows in carried],
            ("name", "platform", *_COLUMNS),
        )
        click.echo("\n`crossdesk platforms NAME` shows all of one; docs/platforms.md has them side by side.")
    else:
        _tell(chosen[0])


def _data(platform: Platform) -> dict[str, Any]:
    return {
        "name": platform.name,
        "display_name": platform.display_name,
        "capabilities": abilities.as_data(platform.capabilities),
        "settings": [
            {
                "name": name,
                "required": bool(field.required),
                "secret": bool(field.metadata.get("secret")),
                "help": field.metadata.get("help", ""),
            }
            for name, field in platform.settings_schema.fields.items()
        ],
    }


def _tell(platform: Platform) -> None:
    click.echo(f"{platform.display_name}\n")
    show_table(abilities.rows(platform.capabilities), ("what", "how far"))
    click.echo("\nSettings of its [channel.NAME]:\n")
    for name, field in platform.settings_schema.fields.items():
        click.echo(f"  {name}{'' if field.required else ' (optional)'}: {field.metadata.get('help', '')}")
