"""`db`: schema, backup and restore."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import make_url, text

from plugin.cli.shared import Settings, pass_settings
from plugin.domain.errors import ConfigError
from plugin.store import schema
from plugin.store.database import Database
from workers.embedded import running_url, start_postgres
from workers.places import EmbeddedUnavailable, postgres_binaries


@click.group()
def db() -> None:
    """Bring the database up to date, back it up, restore it."""


@db.command()
@pass_settings
def upgrade(settings: Settings) -> None:
    """Bring the schema to this version. Safe to interrupt and to repeat; refuses a schema that is newer than this version."""
    with _reachable(settings) as url:
        click.echo(f"The schema is {schema.upgrade(url)}.")


@db.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@pass_settings
def backup(settings: Settings, target: Path) -> None:
    """Write everything to one file (pg_dump's custom format) while Crossdesk goes on working."""
    if target.exists():
        raise click.ClickException(f"{target} exists; nothing was written. Name another file.")
    partial = target.with_name(f"{target.name}.partial")
    partial.touch(0o600)
    with _reachable(settings) as url:
        _run(url, "pg_dump", "--format=custom", "--no-owner", f"--file={partial}")
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
    with _reachable(settings) as url:
        _refuse_while_at_work(url)
        _run(url, "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error", str(source))
        version = schema.upgrade(url)
        database = Database(url, pool_size=1)
        with database.begin() as connection:
            connection.execute(text("UPDATE conversation SET lease_until = NULL, lease_owner = NULL, lease_fence = lease_fence + 1"))
            connection.execute(text("UPDATE cursor SET due_at = now(), lease_until = NULL"))
        database.dispose()
    click.echo(f"Restored; the schema is {version}. Every channel and helpdesk is asked for what it said since.")


@contextmanager
def _reachable(settings: Settings) -> Iterator[str]:
    """The database's address. The embedded one is started for as long as this takes, unless `crossdesk run` has it running."""
    config = settings.config
    if not config.database.is_embedded:
        yield config.database.url
        return
    folder = config.data_dir / "postgres"
    url = running_url(folder)
    if url is not None:
        yield url
        return
    try:
        server = start_postgres(folder, detached=False)
    except EmbeddedUnavailable as problem:
        raise ConfigError(str(problem)) from problem
    try:
        yield server.url
    finally:
        server.stop()


def _refuse_while_at_work(url: str) -> None:
    """A worker would go on with what the backup does not know.

    Raises:
        ConfigError: receivers, workers or sweepers are connected.
    """
    database = Database(url, pool_size=1)
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crossdesk' AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    with database.begin() as connection:
        busy = int(connection.execute(query).scalar_one())
    database.dispose()
    if busy:
        raise ConfigError(
            f"{busy} connections of receivers, workers or sweepers are open; nothing was changed. Stop `crossdesk run`, or all of them "
            "on every machine, and give the command again."
        )


def _run(address: str, program: str, *arguments: str) -> None:
    url = make_url(address)
    libpq = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = {"PGPASSWORD": url.password} if url.password else {}
    binary = postgres_binaries() / program
    command = [str(binary if binary.exists() else program), *arguments, f"--dbname={libpq}"]
    done = subprocess.run(command, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise ConfigError(f"{program} failed; the database is as it was. It says: {done.stderr.strip()[:1000]}")
