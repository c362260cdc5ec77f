"""What `crossdesk package` builds: each helpdesk's add-on has a module `ui_extensions/<helpdesk>/pack.py` with `HELP` and `pack(out)`."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import ui_extensions
from plugin.domain.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What was made, and what an admin should know of it, in sentences."""

    made: tuple[Path, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Packer:
    """One helpdesk's add-on: `pack` puts it into a folder that exists."""

    help: str
    pack: Callable[[Path], Packed]


def packers() -> Mapping[str, Packer]:
    """Every add-on that can be built, by its helpdesk's name."""
    found = {}
    for folder in pkgutil.iter_modules(ui_extensions.__path__):
        name = f"ui_extensions.{folder.name}.pack"
        if folder.ispkg and importlib.util.find_spec(name) is not None:
            module = importlib.import_module(name)
            found[folder.name] = Packer(help=module.HELP, pack=module.pack)
    return found


def fresh_folder(out: Path, name: str, *, known_by: str) -> Path:
    """An empty `out/name`; an earlier one of ours, known by the file `known_by` in it, is replaced.

    Raises:
        ConfigError: there is something else of that name, or `out` cannot be written.
    """
    folder = out / name
    if folder.exists() and not (folder / known_by).is_file():
        raise ConfigError(f"{folder} is there already and was not made by this command; nothing was changed. Choose another --out.")
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
    except OSError as problem:
        raise ConfigError(f"{folder} cannot be written: {problem.strerror}. Choose another --out.") from None
    return folder
