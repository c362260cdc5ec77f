"""`channel add`: asks for a platform's settings one by one, with their help, and appends the section to crossdesk.toml."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from marshmallow import ValidationError

from plugin import bootstrap
from plugin.cli.shared import Settings, pass_settings
from plugin.config import adding, answers, load
from plugin.config.references import is_reference
from plugin.config.sections import NAME
from plugin.contracts.platform import Connects, NamesItsAddress, Platform, PrintsRegistration, RegistersWebhook
from plugin.domain.errors import ConfigError, CrossdeskError

_UNSET = "the environment variable"


@click.command()
@click.argument("name", required=False)
@click.option("--platform", help="What it is on; `crossdesk platforms` lists them.")
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="SETTING=VALUE",
    help="A setting, once for each. $NAME or env:NAME takes it from the environment.",
)
@click.option("--helpdesk", default="", help="Which helpdesk its tickets go to, where there are several.")
@click.option("--group", default="", help="Where its tickets are filed first.")
@click.option("--no-input", is_flag=True, help="Ask nothing: what is not set keeps its default, or is made.")
@click.option("--register", "registers", is_flag=True, help="Tell the platform our address at once, where it lets us.")
@pass_settings
def add(
    settings: Settings,
    name: str | None,
    platform: str | None,
    given: tuple[str, ...],
    helpdesk: str,
    group: str,
    no_input: bool,  # noqa: FBT001 - click hands each option over
    registers: bool,  # noqa: FBT001
) -> None:
    """Add a channel to crossdesk.toml: choose the platform, answer for each setting, read what is next. The rest of the file stays as it is."""
    if not settings.path.exists():
        raise ConfigError(f"{settings.path} does not exist. Write one with a helpdesk first (README.md, section Configure it).")
    static = _platform(platform, asks=not no_input)
    name = _name(settings.path, name or (static.name if no_input else click.prompt("Name of the channel", default=static.name)))
    values, made = _values(static, _given(given, static), asks=not no_input)
    common = {"platform": static.name, "helpdesk": helpdesk, "group": group}
    text = adding.section(("channel", name), {**{key: value for key, value in common.items() if value}, **values})
    missing: list[str] = []
    adding.append(settings.path, text, check=lambda draft: missing.extend(_check(settings.path, draft)))
    click.echo(f"{settings.path} has [channel.{name}] now.")
    for sentence in missing:
        click.echo(f"Still to do: {sentence}")
    if missing:
        click.echo(f"Then `crossdesk check`, restart Crossdesk, and `crossdesk channel test {name}`.")
    else:
        _tell(settings, name, made, registers=registers)


def _platform(name: str | None, *, asks: bool) -> Platform:
    found = bootstrap.platforms()
    if name is None and asks:
        for each in sorted(found):
            click.echo(f"  {each:<12} {found[each].display_name}")
        name = click.prompt("Platform", type=click.Choice(sorted(found)), show_choices=False)
    if name is None or name not in found:
        raise ConfigError(f"There is no platform called {name!r}; nothing was changed. There are: {', '.join(sorted(found))}.")
    return found[name]


def _name(path: Path, name: str) -> str:
    if NAME.fullmatch(name) is None:
        raise ConfigError(f"{name!r} is no usable name: it becomes part of an address, so use a-z, 0-9, - and _. Nothing was changed.")
    if name in adding.names(path, "channel"):
        raise ConfigError(f"There is a [channel.{name}] already; nothing was changed. Give another name, or change that section by hand.")
    return name


def _given(pairs: tuple[str, ...], static: Platform) -> dict[str, str]:
    given = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark or key not in static.settings_schema.fields:
            known = ", ".join(static.settings_schema.fields)
            raise ConfigError(f"--set {key}: this is no setting of {static.display_name}; nothing was changed. There are: {known}.")
        given[key] = value
    return given


def _values(static: Platform, given: Mapping[str, str], *, asks: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """The values to write, and those of them that were made here."""
    values: dict[str, Any] = {}
    made: dict[str, str] = {}
    for name, field in static.settings_schema.fields.items():
        if name in given:
            values[name] = _read(name, field, given[name])
            continue
        make = field.metadata.get("make")
        is_made = answers.is_made(name, field) or make is not None
        if asks:
            answer = _ask(name, field, is_made=is_made)
            if answer != "":
                values[name] = answer
                continue
        if is_made:
            values[name] = made[name] = secrets.token_urlsafe(32).replace("-", "_") if make is None else make()
    return values, made


def _ask(name: str, field: Any, *, is_made: bool) -> Any:
    """One answer, asked for until it is in order. Empty: none was given, and none is needed."""
    click.echo(f"\n{name}: {field.metadata.get('help', '')}")
    hint = " (Enter: one is made)" if is_made else "" if field.required else " (Enter: as it is by default)"
    while True:
        text = click.prompt(f"  {name}{hint}", default="", show_default=False, hide_input=bool(field.metadata.get("secret")))
        if text == "" and (is_made or not field.required):
            return ""
        try:
            return _read(name, field, text)
        except ConfigError as problem:
            click.echo(f"  {problem}")


def _read(name: str, field: Any, text: str) -> Any:
    """What is typed as the file writes it. References are looked up when the whole file is checked.

    Raises:
        ConfigError: the schema does not take it.
    """
    value: Any = adding.reference(text)
    if is_reference(value):
        return value
    try:
        value = answers.parse(field, text)
        field.deserialize(value)
    except ValidationError as invalid:
        shown = "; ".join(answers.flat(invalid.messages)).replace(text, "[what was given]" if text else "")
        raise ConfigError(f"{name} {shown[:1].lower()}{shown[1:]} Nothing was changed.") from None
    return value


def _check(path: Path, draft: Path) -> list[str]:
    """Read the whole file with the new section in it. What is only not set in this shell is still to do, not wrong.

    Raises:
        ConfigError: something else is wrong with it.
    """
    try:
        load(draft, platforms=bootstrap.platforms(), helpdesks=bootstrap.helpdesks(), environ=os.environ)
    except ConfigError as problem:
        told = [each.replace(str(draft), str(path)) for each in problem.problems]
        wrong = [each for each in told if _UNSET not in each and ": warning: " not in each]
        if wrong or not told:
            raise ConfigError(
                f"Nothing was changed, since the file would not be in order:\n{chr(10).join(wrong or [str(problem)])}"
            ) from None
        return [each for each in told if _UNSET in each]
    return []


def _tell(settings: Settings, name: str, made: Mapping[str, str], *, registers: bool) -> None:
    """Say what the platform must be told, and what comes next."""
    fresh = Settings(settings.path)
    place = next(item for item in fresh.unconnected.installation.channels.values() if item.key == name)
    adapter = place.adapter
    own = f"{fresh.config.public_url.rstrip('/')}/in/channel/{name}"
    click.echo(f"\nCallback address: {adapter.webhook_address() if isinstance(adapter, NamesItsAddress) else own}")
    for key, value in made.items():
        click.echo(f"{key} (made, and written to the file): {value}")
    steps = ["Restart Crossdesk: the file is read when a process starts."]
    if isinstance(adapter, Connects):
        redirect = fresh.unconnected.connector().redirect_url
        steps.append(f"Enter {redirect} as redirect address at the platform's app, then `crossdesk channel connect {name}`.")
    if isinstance(adapter, PrintsRegistration):
        steps.append(f"`crossdesk channel registration {name}` prints the file for the platform's own server.")
    if isinstance(adapter, RegistersWebhook) and not registers:
        steps.append(
            f"`crossdesk channel register {name}` tells the platform the callback address; `register = true` in its section does so at each start."
        )
    steps.append(
        f"`crossdesk channel test {name}` tries it; plugin/platforms/{place.platform}/README.md has every step on the platform's side."
    )
    click.echo("\nNext:")
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {step}")
    if registers:
        _register(fresh, name, adapter)


def _register(settings: Settings, name: str, adapter: object) -> None:
    if not isinstance(adapter, RegistersWebhook):
        raise click.ClickException(f"{name}: this platform's webhook is set by hand; its README says how. The channel is added.")
    try:
        adapter.register_webhook()
    except CrossdeskError as problem:
        raise click.ClickException(f"The channel is added, but the platform was not told our address: {problem}") from None
    finally:
        settings.unconnected.database.dispose()
    click.echo(f"\n{name}: the platform knows our address now.")
