"""What the commands share: the configuration that they were given, and how results are shown."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import ProgrammingError

from plugin import bootstrap, log
from plugin.bootstrap import Bridge
from plugin.config import Config, DatabaseConfig, load
from plugin.domain.errors import ConfigError, StoreUnavailable
from workers.embedded import running_url

CONFIG_ENV = "CROSSDESK_CONFIG"


class Settings:
    """The configuration file of this call, read when it is first needed."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @cached_property
    def config(self) -> Config:
        """The checked configuration.

        Raises:
            ConfigError: it cannot be used.
        """
        if not self.path.exists():
            raise ConfigError(
                f"{self.path} does not exist. Write one (README.md, section Configuration), name another with --config, "
                "or try `crossdesk rehearse`, which needs none."
            )
        config = load(self.path, platforms=bootstrap.platforms(), helpdesks=bootstrap.helpdesks(), environ=os.environ)
        log.register_secrets(config.secrets)
        return config

    @cached_property
    def bridge(self) -> Bridge:
        """A bridge on the database that is running now.

        Raises:
            ConfigError: the database is the embedded one and `crossdesk run` is not running.
        """
        config = self.config
        if config.database.is_embedded:
            url = running_url(config.data_dir / "postgres")
            if url is None:
                raise ConfigError("The embedded database runs only while `crossdesk run` does. Start that first, in another terminal.")
            config = replace(config, database=DatabaseConfig(url=url))
        bridge = bootstrap.build(config, pool_size=2)
        # A database that is away, or has an older schema, is told of by whoever needs it.
        with suppress(StoreUnavailable, ProgrammingError):
            bridge.refresh()
        return bridge

    def close(self) -> None:
        """Give back what was opened."""
        if "bridge" in self.__dict__:
            self.bridge.database.dispose()

    @cached_property
    def unconnected(self) -> Bridge:
        """A bridge for what needs no database: building one makes no connection, so it does not matter whether one runs."""
        config = self.config
        if config.database.is_embedded:
            config = replace(config, database=DatabaseConfig(url="postgresql+psycopg://"))
        return bootstrap.build(config, pool_size=1)


pass_settings = click.make_pass_decorator(Settings)


def show_json(value: Any) -> None:
    """One JSON document, for programs."""
    click.echo(json.dumps(value, default=_plain, ensure_ascii=False))


def show_table(rows: Iterable[Sequence[object]], headings: Sequence[str]) -> None:
    """Columns as wide as they need to be, for people."""
    table = [tuple(headings), *(tuple(_plain_cell(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def actor() -> str:
    """Who gives this command, for the audit."""
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or f"uid {os.getuid()}"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _plain_cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "".join(letter if letter.isprintable() else " " for letter in str(value))
