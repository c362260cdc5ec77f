"""Which platforms and helpdesks there are: found by walking a package's folders, and by entry point for those written elsewhere."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from plugin.domain.errors import ConfigError


def walk(package: str, constant: str) -> Mapping[str, Any]:
    """Every adapter of `package` (`plugin.platforms`) by name: what `constant` (`PLATFORM`) is in each folder's `adapter.py`.

    A folder whose name begins with `_` is shared by several adapters and is none itself. Adapters of other distributions announce
    themselves in the entry-point group `crossdesk.platforms` or `crossdesk.helpdesks`, under their own name. Nobody takes a name that is
    already taken.

    Raises:
        ConfigError: a folder, an entry point and a name disagree, or an adapter cannot be imported.
    """
    found: dict[str, Any] = {}
    folders = importlib.import_module(package)
    for folder in pkgutil.iter_modules(folders.__path__):
        if folder.ispkg and not folder.name.startswith("_"):
            found[folder.name] = _from_folder(f"{package}.{folder.name}.adapter", constant, folder.name)
    for entry in entry_points(group=f"crossdesk.{package.rpartition('.')[2]}"):
        if entry.name in found:
            raise ConfigError(f"Two adapters are called {entry.name}: one of them is {entry.value}. Uninstall one of the two.")
        found[entry.name] = _from_entry_point(entry)
    return MappingProxyType(found)


def _from_folder(module: str, constant: str, name: str) -> Any:
    adapter = getattr(importlib.import_module(module), constant, None)
    if adapter is None:
        raise ConfigError(f"{module} has no {constant}. Define it there; it is how the adapter is found.")
    return _named(adapter, name, where=module)


def _from_entry_point(entry: Any) -> Any:
    try:
        adapter = entry.load()
    except Exception as problem:
        raise ConfigError(f"The adapter {entry.name} ({entry.value}) cannot be loaded: {problem}. Repair or uninstall it.") from problem
    return _named(adapter, entry.name, where=entry.value)


def _named(adapter: Any, name: str, *, where: str) -> Any:
    own = getattr(adapter, "name", None)
    if own != name:
        raise ConfigError(f"{where} is found as {name} but calls itself {own}. Let both names be the same.")
    return adapter
