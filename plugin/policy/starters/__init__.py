"""Whole policies for three ways in which teams are set up, as data: what `crossdesk policy new` writes and people copy from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "command-centre": "one team answers everything and hands what is difficult to specialists",
        "hub-and-spoke": "a small hub sorts, the departments answer for their subjects",
        "everyone": "there is no social team; whoever knows the answer gives it",
    }
)


def text(name: str) -> str:
    """The file, with its comments. Raises KeyError for a name that is none of ours."""
    if name not in NAMES:
        raise KeyError(name)
    return resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def table(name: str) -> Mapping[str, Any]:
    """What stands below `[policy]` in it."""
    return MappingProxyType(tomllib.loads(text(name))["policy"])
