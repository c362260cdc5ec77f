"""`check` reads the configuration, `doctor` tries everything that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click
from redis.exceptions import RedisError

from plugin.cli.shared import Settings, pass_settings, show_json
from plugin.contracts.platform import Probe
from plugin.domain.errors import ConfigError, CrossdeskError
from plugin.handlers import health
from plugin.handlers.health import Condition
from plugin.store import places, schema
from workers.redis import connect


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@pass_settings
def check(settings: Settings, *, as_json: bool) -> None:
    """Read crossdesk.toml and say everything that is wrong with it, with file and line. Calls nobody."""
    try:
        config = settings.config
    except ConfigError as error:
        if not as_json:
            raise
        show_json({"ok": False, "problems": list(error.problems) or [str(error)], "warnings": []})
        raise click.exceptions.Exit(2) from None
    if as_json:
        show_json({"ok": True, "problems": [], "warnings": list(config.warnings)})
        return
    for warning in config.warnings:
        click.echo(warning)
    channels, desks = len(config.channels), len(config.helpdesks)
    click.echo(f"{settings.path} is in order: {channels} channel{'s' * (channels != 1)}, {desks} helpdesk{'s' * (desks != 1)}.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@pass_settings
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Try the database, Redis, every channel and every helpdesk: what was tried, what came back, and the next step."""
    found: dict[str, Sequence[Probe]] = {"database": [_database(settings)], "redis": [_redis(settings)]}
    if found["database"][0].is_ok:
        installation = settings.bridge.installation
        for place in installation.adapters:
            found[str(place)] = installation.adapter(place).probe()
        for condition in _conditions(settings):
            if condition.place in installation.adapters:
                standing = Probe(name="standing", is_ok=condition.is_ok, answer=condition.says, next_step=condition.next_step)
                found[condition.place] = (*found[condition.place], standing)
        found["alerts"] = _alerts(settings)
    is_ok = all(probe.is_ok for probes in found.values() for probe in probes)
    if as_json:
        show_json({"ok": is_ok, "probes": {place: [asdict(probe) for probe in probes] for place, probes in found.items()}})
    else:
        for name, probes in found.items():
            _show(name, probes)
    if not is_ok:
        raise click.exceptions.Exit(1)


def _show(place: str, probes: Sequence[Probe]) -> None:
    for probe in probes:
        mark = click.style("ok  ", fg="green") if probe.is_ok else click.style("FAIL", fg="red")
        click.echo(f"{mark} {place}: {probe.name}: {probe.answer}")
        if probe.next_step and not probe.is_ok:
            click.echo(f"       next: {probe.next_step}")


def _database(settings: Settings) -> Probe:
    try:
        with settings.bridge.database.begin() as connection:
            schema.require_current(connection)
    except CrossdeskError as error:
        return Probe(name="reach and schema", is_ok=False, answer=str(error), next_step="Start it, or run `crossdesk db upgrade`.")
    return Probe(name="reach and schema", is_ok=True, answer=f"schema {schema.head()}")


def _redis(settings: Settings) -> Probe:
    config = settings.config.redis
    if config.is_embedded:
        return Probe(name="reach", is_ok=True, answer="embedded; looked after by `crossdesk run`")
    try:
        redis = connect(config, timeout=2.0)
        redis.ping()
        policy = redis.config_get("maxmemory-policy").get("maxmemory-policy", "")
    except (RedisError, OSError) as error:
        next_step = "Nothing is lost meanwhile; work goes on more slowly. Start Redis, or correct [redis] url."
        return Probe(name="reach", is_ok=False, answer=type(error).__name__, next_step=next_step)
    if policy not in {"noeviction", ""}:
        return Probe(
            name="eviction", is_ok=False, answer=f"maxmemory-policy is {policy}", next_step="Set it to noeviction: it may drop wake-ups."
        )
    return Probe(name="reach", is_ok=True, answer="it answers and evicts nothing")


def _conditions(settings: Settings) -> Sequence[Condition]:
    with settings.bridge.database.begin() as connection:
        return health.conditions(connection)


def _alerts(settings: Settings) -> Sequence[Probe]:
    with settings.bridge.database.begin() as connection:
        rows = places.open_alerts(connection)
    return [
        Probe(
            name=row.code,
            is_ok=False,
            answer=f"{row.place}: {row.text}",
            next_step=f"Do what the sentence says; if it stays open then, `crossdesk alert close {row.id}`.",
        )
        for row in rows
    ]
