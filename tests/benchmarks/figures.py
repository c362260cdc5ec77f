"""Percentiles, and the report: one JSON file and one table."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)


def machine() -> dict[str, Any]:
    """What it ran on, in neutral words; the load tells how much of it was ours."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "python": platform.python_version(),
        "load_average_at_start": round(os.getloadavg()[0], 1),
    }


def write(path: Path, report: dict[str, Any]) -> None:
    """The JSON file."""
    path.write_text(json.dumps(report, indent=2) + "\n")


def table(report: dict[str, Any]) -> str:
    """The same for people."""
    lines = [f"{name:<22} {value}" for name, value in report["machine"].items()]
    for name, figures in report["figures"].items():
        lines += ["", name]
        lines += [f"  {key:<34} {value}" for key, value in _flat(figures)]
    return "\n".join(lines)


def _flat(figures: dict[Any, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in figures.items():
        if isinstance(value, dict):
            found += _flat(value, f"{above}{key}: ")
        else:
            found.append((f"{above}{key}", value))
    return found
