"""`channel`: list, test, pause and resume what is connected."""

from __future__ import annotations

import click

from plugin.bootstrap import Bridge
from plugin.cli.adding import add
from plugin.cli.checking import _show
from plugin.cli.shared import Settings, actor, pass_settings, show_json, show_table
from plugin.contracts.platform import PrintsRegistration
from plugin.domain.errors import ConfigError
from plugin.domain.ids import Place
from plugin.handlers import operate
from plugin.handlers.installation import Installation


@click.group()
def channel() -> None:
    """Look at channels and helpdesks, test them, pause and resume them."""


channel.add_command(add)


@channel.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@pass_settings
def list_all(settings: Settings, *, as_json: bool) -> None:
    """Every channel and helpdesk with its state."""
    bridge = settings.bridge
    rows, searches = operate.list_places(bridge.database), operate.list_searches(bridge.database, bridge.installation)
    drafts = [
        {"name": item.key, "platform": item.platform, "by": item.changed_by, "since": item.changed_at} for item in bridge.channels.drafts()
    ]
    for row in rows:
        row["from"] = _origin(bridge, Place(row["key"]))
    if as_json:
        show_json({"places": rows, "searches": searches, "drafts": drafts})
        return
    headings = ("place", "kind", "from", "status", "since", "waiting", "says")
    told = [" ".join(filter(None, (row["status_text"], *row["alerts"]))) for row in rows]
    show_table(
        [
            (row["key"], row["adapter"], row["from"], row["status"], row["status_since"], row["due"], says)
            for row, says in zip(rows, told, strict=True)
        ],
        headings,
    )
    if drafts:
        click.echo()
        show_table([(item["name"], item["platform"], item["by"], item["since"]) for item in drafts], ("draft", "platform", "by", "since"))
    if searches:
        click.echo()
        show_table(
            [
                (
                    item["place"],
                    item["search"],
                    f"{item['read']} of {item['a_day']}",
                    item["found"],
                    item["last_ok_at"],
                    "The day's budget is used up; it goes on at midnight (UTC)." if item["is_used_up"] else "",
                )
                for item in searches
            ],
            ("place", "search", "read today", "found", "asked", "says"),
        )


@channel.command()
@click.argument("name")
@click.option("--reason", required=True, help="Kept in the audit.")
@pass_settings
def remove(settings: Settings, name: str, reason: str) -> None:
    """Take away a channel that was made in the console. One in the file goes when its section is deleted there."""
    bridge = settings.bridge
    if bridge.channels.remove(name, actor=actor(), reason=reason):
        click.echo(f"{name} is removed, with its secrets; running processes learn of it within seconds. What came by it is kept.")
    else:
        where = f"It stands in {settings.path}: delete its section there and restart." if name in bridge.config.channels else ""
        raise ConfigError(f"{name} was not made in the console; nothing was changed. {where}".rstrip())


@channel.command()
@click.argument("name")
@pass_settings
def test(settings: Settings, name: str) -> None:
    """Try one channel or helpdesk now."""
    place = _place(settings.bridge.installation, name)
    probes = settings.bridge.installation.adapter(place).probe()
    _show(place, probes)
    if not all(probe.is_ok for probe in probes):
        raise click.exceptions.Exit(1)


@channel.command()
@click.argument("name")
@click.option("--reason", default="", help="Said to whoever asks why.")
@pass_settings
def pause(settings: Settings, name: str, reason: str) -> None:
    """Send and fetch nothing for a channel or helpdesk; everything that arrives is kept."""
    operate.pause(
        settings.bridge.database, _place(settings.bridge.installation, name), reason=reason or f"Paused by {actor()}.", actor=actor()
    )
    click.echo(f"{name} is paused. What arrives is kept; `crossdesk channel resume {name}` goes on where it stopped.")


@channel.command()
@click.argument("name")
@pass_settings
def resume(settings: Settings, name: str) -> None:
    """Go on where it stopped, after a pause, a new token or paid bill."""
    freed = operate.resume(settings.bridge.database, _place(settings.bridge.installation, name), actor=actor())
    click.echo(f"{name} works again; {freed} held replies and messages go on now.")


@channel.command()
@click.argument("name")
@pass_settings
def connect(settings: Settings, name: str) -> None:
    """Print the address at which a person lets us use the account, where the platform connects that way."""
    bridge = settings.bridge
    connector = bridge.connector()
    address = connector.begin(_place(bridge.installation, name), actor=actor())
    click.echo("Open this in a browser that is signed in to the account. It works once, within ten minutes:\n")
    click.echo(f"  {address}\n")
    click.echo(f"The platform sends you back to {connector.redirect_url}: that very address must be entered at its app.")


@channel.command()
@click.argument("name")
@pass_settings
def register(settings: Settings, name: str) -> None:
    """Tell the platform where our webhook is, where it lets us."""
    bridge = settings.bridge
    operate.register(bridge.installation, bridge.database, _place(bridge.installation, name), actor=actor())
    click.echo(f"{name}: the platform knows our address now.")


@channel.command()
@click.argument("name")
@pass_settings
def registration(settings: Settings, name: str) -> None:
    """Print the file by which the platform's own server is told of us, where there is such. It holds secrets: keep it to yourself."""
    installation = settings.unconnected.installation
    adapter = installation.adapter(_place(installation, name))
    if not isinstance(adapter, PrintsRegistration):
        raise click.ClickException(f"{name}: this platform is not told of us by a file; its README says how.")
    click.echo(adapter.registration(), nl=False)


def _origin(bridge: Bridge, place: Place) -> str:
    """Where a place is described: the file's name, `console`, or nothing where neither has it any more."""
    if not bridge.installation.knows(place):
        return ""
    return "console" if place.partition(":")[2] in bridge.channels.configs and place.startswith("channel:") else bridge.config.path.name


def _place(installation: Installation, name: str) -> Place:
    adapters = installation.adapters
    for candidate in (f"channel:{name}", f"helpdesk:{name}", name):
        if candidate in adapters:
            return Place(candidate)
    known = ", ".join(sorted(adapters))
    raise ConfigError(f"There is no channel or helpdesk called {name!r}. There are: {known}.")
