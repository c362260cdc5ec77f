"""Adapters are found by folder and by entry point, and only under one name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.contracts.registry import walk
from plugin.domain.errors import ConfigError


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """A package `strangers.platforms` of its own."""
    folder = tmp_path / "strangers" / "platforms"
    folder.mkdir(parents=True)
    for init in (folder, folder.parent):
        (init / "__init__.py").write_text("")
    sys.path.insert(0, str(tmp_path))
    yield folder
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("strangers", "visitor")]:
        del sys.modules[name]


def add(folder: Path, name: str, source: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    (folder / name / "adapter.py").write_text(source)


def platform(name: str) -> str:
    return f"class P:\n    name = {name!r}\nPLATFORM = P()\n"


def announce(path: Path, name: str, source: str) -> None:
    """Install a distribution with an entry point."""
    root = path.parent.parent
    (root / "visitor.py").write_text(source)
    info = root / "visitor-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: visitor\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[crossdesk.platforms]\n{name} = visitor:PLATFORM\n")


def test_our_own_are_found() -> None:
    for package, constant in (("plugin.platforms", "PLATFORM"), ("plugin.helpdesks", "HELPDESK")):
        found = walk(package, constant)
        assert all(adapter.name == name for name, adapter in found.items())
        with pytest.raises(TypeError):
            found["x"] = 1  # type: ignore[index]


def test_folders_and_visitors_are_found(package: Path) -> None:
    add(package, "one", platform("one"))
    announce(package, "two", platform("two"))
    assert sorted(walk("strangers.platforms", "PLATFORM")) == ["one", "two"]


def test_what_adapters_share_is_no_adapter(package: Path) -> None:
    add(package, "one", platform("one"))
    add(package, "_shared", "")
    assert sorted(walk("strangers.platforms", "PLATFORM")) == ["one"]


@pytest.mark.parametrize(
    ("source", "says"),
    [(platform("other"), "calls itself other"), ("", "has no PLATFORM"), ("PLATFORM = 1", "calls itself None")],
)
def test_a_folder_that_disagrees_is_refused(package: Path, source: str, says: str) -> None:
    add(package, "one", source)
    with pytest.raises(ConfigError, match=says):
        walk("strangers.platforms", "PLATFORM")


@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("one", platform("one"), "Two adapters are called one"),
        ("two", platform("three"), "calls itself three"),
        ("two", "import nothing_of_this_name", "cannot be loaded"),
    ],
)
def test_a_visitor_that_disagrees_is_refused(package: Path, name: str, source: str, says: str) -> None:
    add(package, "one", platform("one"))
    announce(package, name, source)
    with pytest.raises(ConfigError, match=says):
        walk("strangers.platforms", "PLATFORM")
