"""Finds adapters: one folder each, plus what is installed beside us by entry point. No list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from plugin.domain.errors import ConfigError


def walk(package: str, constant: str) -> Mapping[str, Any]:
    """The adapters of `package` by name: `constant` in each folder's `adapter` module, and the entry points of the group `crossdesk.LAST_PART`.

    Raises:
        ConfigError: an adapter's name is not that of its folder or entry point, or two have the same.
    """
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.ispkg:
            adapter = getattr(importlib.import_module(f"{package}.{module.name}.adapter"), constant)
            _add(found, module.name, adapter)
    for entry in entry_points(group=f"crossdesk.{package.rpartition('.')[2]}"):
        _add(found, entry.name, entry.load())
    return MappingProxyType(found)


def _add(found: dict[str, Any], name: str, adapter: Any) -> None:
    if adapter.name != name:
        raise ConfigError(f"The adapter {adapter.name!r} stands under the name {name!r}. Nothing was started. Give both the same name.")
    if name in found:
        raise ConfigError(f"There are two adapters called {name!r}. Nothing was started. Uninstall one of them.")
    found[name] = adapter
