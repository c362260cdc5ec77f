"""Saved searches that do not stand in the file, as `[channel.NAME.search.SEARCH]` would have them. Knows no form and no database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from plugin.config.answers import flat
from plugin.config.sections import NAME, SearchSection
from plugin.config.shape import SearchConfig
from plugin.contracts.capabilities import Level
from plugin.contracts.platform import Platform
from plugin.domain.errors import ConfigError


def read_searches(platform: Platform, written: Mapping[str, Mapping[str, Any]]) -> dict[str, SearchConfig]:
    """The searches by name, each from a table with `query`, `a_day` and `group`.

    Raises:
        ConfigError: the platform cannot be searched, or one of them cannot be used; the sentence says which.
    """
    if written and platform.capabilities.listens < Level.PARTIAL:
        raise ConfigError(f"{platform.display_name} cannot be searched; `crossdesk platforms` shows which can.")
    return {name: _read(name, table) for name, table in written.items()}


def _read(name: str, table: Mapping[str, Any]) -> SearchConfig:
    if NAME.fullmatch(name) is None:
        raise ConfigError(f"A search cannot be called {name!r}: use a-z, 0-9, - and _.")
    if not table.get("query"):
        raise ConfigError(f"The search {name} has nothing to search for.")
    try:
        found: SearchConfig = SearchSection().load(table)
    except ValidationError as invalid:
        mistakes = invalid.messages if isinstance(invalid.messages, Mapping) else {"it": invalid.messages}
        said = " ".join(f"{field}: {' '.join(flat(messages))}" for field, messages in mistakes.items())
        raise ConfigError(f"The search {name} cannot be used: {said}") from None
    return found
