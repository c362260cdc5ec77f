"""`run` everything under one supervisor, or `serve`, `work` and `sweep` each on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
import structlog
from flask import Flask

from plugin import bootstrap
from plugin.bootstrap import Bridge
from plugin.cli.shared import Settings, pass_settings
from plugin.config import Config, DatabaseConfig, RedisConfig
from plugin.domain.errors import ConfigError, CrossdeskError, StoreUnavailable
from plugin.store import schema
from ui_extensions.console import app as console
from ui_extensions.rehearsal import practice
from webhooks.app import create_app
from webhooks.keeping_up import keep_up
from webhooks.serve import serve as serve_forever
from workers.embedded import start_postgres, start_valkey
from workers.places import EmbeddedUnavailable
from workers.processes import Ready
from workers.redis import connect
from workers.supervisor import Child, ChildFailed, Supervisor
from workers.sweeper import sweep as sweep_forever
from workers.wakeups import RedisWakeUps
from workers.worker import work as work_forever

_log = structlog.get_logger("crossdesk.running")
_WAKE_SECONDS = 0.3
_WORK_SECONDS = 10.0


@click.command()
@click.option("--rehearsal", is_flag=True, help="Practise: with a practice network and a practice desk, without any account.")
@pass_settings
def run(settings: Settings, *, rehearsal: bool) -> None:
    """Run receiver, workers and sweeper, with an embedded database and queue where none are configured.

    Stops cleanly on Ctrl-C or SIGTERM; nothing is left running.
    """
    if rehearsal:
        run_practice(Path(".crossdesk/rehearsal"))
    else:
        run_all(settings.config)


def run_practice(folder: Path) -> None:
    """Run the rehearsal of `folder`, made on first use."""
    prepared = practice.prepare(folder.absolute(), policy=practice.PLAIN)
    run_all(Settings(prepared.folder / "crossdesk.toml").config, practice_of=prepared)


def run_all(config: Config, *, practice_of: practice.Practice | None = None) -> None:
    """Start everything, in order, and keep it going until told to stop."""
    try:
        with Supervisor() as family:
            if config.database.is_embedded:
                postgres = family.serve("postgres", lambda: start_postgres(config.data_dir / "postgres", detached=False))
                config = replace(config, database=DatabaseConfig(url=postgres.url))
            if config.redis.is_embedded:
                valkey = family.serve("valkey", lambda: start_valkey(config.data_dir / "valkey"))
                config = replace(config, redis=RedisConfig(url=valkey.url))
            whole = config
            family.once("migration", lambda: migrate(whole))
            bridge = bootstrap.build(whole)
            children = [] if practice_of is None else [Child(name="rehearsal", run=practice_of.serve)]
            children += [
                Child(name="receiver", run=lambda ready: _serve(bridge, ready)),
                *(
                    Child(name=f"worker-{number}", run=_worker(bridge), is_vital=whole.redis.url.startswith("unix:"))
                    for number in range(1, whole.worker.processes + 1)
                ),
                Child(name="sweeper", run=lambda ready: _sweep(bridge, ready)),
            ]
            family.run(children, on_ready=lambda: _greet(whole, practice_of))
    except (EmbeddedUnavailable, ChildFailed) as problem:
        raise ConfigError(str(problem)) from problem


def migrate(config: Config) -> None:
    """Bring the schema up to date and have a row for every place."""
    schema.upgrade(config.database.url)
    bridge = bootstrap.build(config, pool_size=1)
    bridge.register()
    bridge.database.dispose()


def _greet(config: Config, practice_of: practice.Practice | None) -> None:
    if practice_of is not None:
        click.echo(
            f"\nThe rehearsal is open: {practice_of.url}/\nPost as a customer on the left, answer as an agent on the right. Ctrl-C ends it.\n"
        )
    else:
        click.echo(f"Crossdesk receives at {config.public_url} (listening on {config.receiver.host}:{config.receiver.port}).")


@click.command()
@pass_settings
def serve(settings: Settings) -> None:
    """Run a receiver alone: it takes deliveries and answers. Needs a database by URL."""
    with _ending_in_the_log():
        _serve(_single(settings, is_receiver=True), lambda: None)


@click.command()
@pass_settings
def work(settings: Settings) -> None:
    """Run one worker alone. Needs a database and Redis by URL."""
    with _ending_in_the_log():
        _work(_single(settings), lambda: None)


@click.command()
@pass_settings
def sweep(settings: Settings) -> None:
    """Run a sweeper alone. Any number of them may run."""
    with _ending_in_the_log():
        _sweep(_single(settings), lambda: None)


@contextmanager
def _ending_in_the_log() -> Iterator[None]:
    """A process that lasts tells its end where it tells everything else: whoever reads the log reads one line of JSON for each fact."""
    try:
        yield
    except ConfigError:
        raise
    except CrossdeskError as problem:
        _log.error("ended", reason=str(problem), detail=problem.detail)
        raise click.exceptions.Exit(1) from None
    except Exception:  # noqa: BLE001 - whatever it was, it ends the process
        _log.exception("ended_by_fault")
        raise click.exceptions.Exit(1) from None


def _single(settings: Settings, *, is_receiver: bool = False) -> Bridge:
    config = settings.config
    if config.database.is_embedded or config.redis.is_embedded:
        raise ConfigError(
            "A single process needs a database and Redis that others can reach: set [database] url and [redis] url in crossdesk.toml. "
            "The embedded ones belong to `crossdesk run`."
        )
    bridge = bootstrap.build(config)
    try:
        with bridge.database.begin() as connection:
            schema.require_current(connection)
        bridge.register()
    except StoreUnavailable:
        # A receiver that comes up while the database is away has work to do all the same: it spools.
        if not is_receiver or bridge.spool is None:
            raise
        _log.warning("store_away", goes_on="spooling")
    # What works forks: no connection may be shared with a child.
    bridge.database.dispose()
    return bridge


def _serve(bridge: Bridge, ready: Ready) -> None:
    def build() -> Flask:
        keep_up(bridge)
        mounts = {console.PATH: console.create_console(bridge)} if bridge.config.console.on else {}
        return create_app(bridge, RedisWakeUps(connect(bridge.config.redis, timeout=_WAKE_SECONDS)), mounts)

    serve_forever(build, bridge.config.receiver, on_ready=ready)


def _worker(bridge: Bridge) -> Callable[[Ready], None]:
    return lambda ready: _work(bridge, ready)


def _work(bridge: Bridge, ready: Ready) -> None:
    ready()
    work_forever(bridge, connect(bridge.config.redis, timeout=_WORK_SECONDS))


def _sweep(bridge: Bridge, ready: Ready) -> None:
    ready()
    sweep_forever(bridge, RedisWakeUps(connect(bridge.config.redis, timeout=_WAKE_SECONDS)))
