"""`db`: schema, backup and restore."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click
from sqlalchemy import make_url, text

from plugin.cli.shared import Settings, pass_settings
from plugin.domain.errors import ConfigError
from plugin.store import schema
from workers.places import postgres_binaries


@click.group()
def db() -> None:
    """Bring the database up to date, back it up, restore it."""


@db.command()
@pass_settings
def upgrade(settings: Settings) -> None:
    """Bring the schema to this version. Safe to interrupt and to repeat; refuses a schema that is newer than this version."""
    click.echo(f"The schema is {schema.upgrade(settings.bridge.config.database.url)}.")


@db.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@pass_settings
def backup(settings: Settings, target: Path) -> None:
    """Write everything to one file (pg_dump's custom format) while Crossdesk goes on working."""
    if target.exists():
        raise click.ClickException(f"{target} exists; nothing was written. Name another file.")
    partial = target.with_name(f"{target.name}.partial")
    _run(settings, "pg_dump", "--format=custom", "--no-owner", f"--file={partial}")
    partial.rename(target)
    click.echo(f"{target}: {target.stat().st_size:,} bytes. It holds customers' messages: keep it as safe as the helpdesk itself.")


@db.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.confirmation_option(prompt="Everything in the database is replaced by the backup. Go on?")
@pass_settings
def restore(settings: Settings, source: Path) -> None:
    """Replace everything by a backup, bring it to this schema, and have every channel and helpdesk asked what happened since.

    Stop receivers, workers and sweepers first. What was filed since the backup is found again by its markers, not doubled.
    """
    _run(settings, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error", str(source))
    version = schema.upgrade(settings.bridge.config.database.url)
    with settings.bridge.database.begin() as connection:
        connection.execute(text("UPDATE conversation SET lease_until = NULL, lease_owner = NULL, lease_fence = lease_fence + 1"))
        connection.execute(text("UPDATE cursor SET due_at = now(), lease_until = NULL"))
    click.echo(f"Restored; the schema is {version}. Every channel and helpdesk is asked for what it said since.")


def _run(settings: Settings, program: str, *arguments: str) -> None:
    url = make_url(settings.bridge.config.database.url)
    libpq = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = {"PGPASSWORD": url.password} if url.password else {}
    binary = postgres_binaries() / program
    command = [str(binary if binary.exists() else program), *arguments, f"--dbname={libpq}"]
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise ConfigError(f"{program} failed; the database is as it was. It says: {done.stderr.strip()[:1000]}")
