"""docs/operations.md lists every setting with its bounds and default, as the code has them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from marshmallow import validate

from plugin.config.sections import SECTIONS, CommonSection, KindSection, SearchSection
from plugin.config.shape import (
    ChannelConfig,
    Config,
    ConsoleConfig,
    DatabaseConfig,
    EngineConfig,
    ReceiverConfig,
    RedisConfig,
    SearchConfig,
    WorkerConfig,
)
from plugin.config.units import Seconds, Size

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
_SHAPES: dict[str, Any] = {
    "crossdesk": Config,
    "database": DatabaseConfig,
    "redis": RedisConfig,
    "receiver": ReceiverConfig,
    "worker": WorkerConfig,
    "engine": EngineConfig,
    "console": ConsoleConfig,
    "secrets": None,
}
_SAID = {
    ("crossdesk", "public_url"): "where the receiver listens",
    ("crossdesk", "data_dir"): "`.crossdesk` beside the file",
    ("engine", "settle_seconds"): "the adapters' own",
    ("console", "on"): "true",
    ("console", "helpdesk"): "the only one",
    ("console", "admins"): "nobody",
    ("console", "supervisors"): "nobody",
    ("console", "auditors"): "nobody",
    ("secrets", "keys"): "one of its own making, with the embedded database",
    ("channel", "helpdesk"): "the only one",
    ("channel", "group"): "the helpdesk's own",
    ("channel", "paused"): "false",
    ("channel", "register"): "false",
}


def rows(section: str, schema: Any, shape: Any) -> list[str]:
    """The rows of one section's table."""
    defaults = {} if shape is None else {field.name: field.default for field in dataclasses.fields(shape)}
    return [
        f"| `{name}` | {field.metadata['help']} | {bounds(field)} | {_SAID.get((section, name)) or default(field, defaults.get(name))} |"
        for name, field in schema.fields.items()
    ]


def bounds(field: Any) -> str:
    if hasattr(field, "at_least"):
        return f"{plain(field, field.at_least)} to {plain(field, field.at_most)}"
    ranges = [item for item in field.validators if isinstance(item, validate.Range)]
    return f"{ranges[0].min} to {ranges[0].max}" if ranges else ""


def plain(field: Any, number: float) -> str:
    return str(field.shown(number)).strip('"')


def default(field: Any, value: Any) -> str:
    if isinstance(value, Size | Seconds) or value in (dataclasses.MISSING, None, ""):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(field, Size | Seconds):
        return plain(field, value)
    return f"`{value}`" if isinstance(value, str) else f"{value:g}"


@pytest.mark.parametrize("section", [*SECTIONS, "channel", "helpdesk", "search"])
def test_every_setting_is_listed_as_it_is(section: str) -> None:
    schema: Any = {"channel": CommonSection, "helpdesk": KindSection, "search": SearchSection}.get(section) or SECTIONS[section]
    expected = rows(section, schema(), {"channel": ChannelConfig, "search": SearchConfig}.get(section) or _SHAPES.get(section))
    page = PAGE.read_text(encoding="utf-8").splitlines()
    missing = [row for row in expected if row not in page]
    assert not missing, "docs/operations.md lacks:\n" + "\n".join(missing)
