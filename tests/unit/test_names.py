"""The four package names are plain words, so a dependency could bring one of its own: they must be ours alone."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_OURS = ("plugin", "webhooks", "workers", "ui_extensions")


@pytest.mark.parametrize("name", _OURS)
def test_no_other_distribution_brings_a_package_of_this_name(name: str) -> None:
    owners = importlib.metadata.packages_distributions().get(name, [])
    assert set(owners) <= {"crossdesk"}
    if os.environ.get("CI") == "true":
        assert owners


@pytest.mark.parametrize("name", _OURS)
def test_the_name_means_this_checkout(name: str) -> None:
    found = importlib.import_module(name).__file__
    assert found is not None
    assert Path(found).is_relative_to(_ROOT)
