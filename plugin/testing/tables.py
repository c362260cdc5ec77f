"""What an adapter can carry as a Markdown table, made from its declared capabilities and shown in its README.

`python -m plugin.testing.tables` says which READMEs differ, with `--write` it rewrites them between `<!-- capabilities -->` and
`<!-- /capabilities -->`. Without the markers the table is put at the end. `docs/platforms.md` holds the same of all platforms side by side.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from plugin.contracts import abilities
from plugin.contracts.capabilities import Capabilities
from plugin.contracts.registry import walk

BEGIN, END = "<!-- capabilities -->", "<!-- /capabilities -->"
KINDS = {"plugin.platforms": "PLATFORM", "plugin.helpdesks": "HELPDESK"}
PAGE = Path(__file__).parents[2] / "docs" / "platforms.md"
_INTRODUCTION = """# What each platform can carry

Made from what each adapter declares, by `python -m plugin.testing.tables --write`; `crossdesk platforms` shows the same, `--json` for programs. Each name
leads to the platform's page: steps to set it up, permissions, limits, what it cannot do. *In part* and *in another form* are explained there.
"""


def table(capabilities: Capabilities) -> str:
    """The whole table, without the markers and without a line break at its end."""
    return "\n".join(["| what | how far |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in abilities.rows(capabilities))])


def shown(readme: str) -> str | None:
    """The table that stands between the markers, None without markers."""
    _, begin, rest = readme.partition(BEGIN)
    inside, end, _ = rest.partition(END)
    return inside.strip() if begin and end else None


def rewritten(readme: str, capabilities: Capabilities) -> str:
    """`readme` with the table as it must be."""
    block = f"{BEGIN}\n{table(capabilities)}\n{END}"
    if shown(readme) is None:
        return f"{readme.rstrip()}\n\n## In one table\n\n{block}\n"
    before, _, rest = readme.partition(BEGIN)
    return before + block + rest.partition(END)[2]


def folder_of(static: Any) -> Path:
    """Where an adapter lives."""
    return Path(str(importlib.import_module(type(static).__module__).__file__)).parent


def page(platforms: Iterable[Any]) -> str:
    """`docs/platforms.md`, whole: a matrix for each group of abilities. Platforms of other distributions are left out."""
    ours = sorted(
        (one for one in platforms if type(one).__module__.startswith("plugin.platforms.")), key=lambda one: one.display_name.lower()
    )
    rows = {one.name: dict(abilities.rows(one.capabilities)) for one in ours}
    parts = [_INTRODUCTION]
    for heading, names in abilities.GROUPS:
        lines = [f"| platform | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
        for one in ours:
            link = f"[{one.display_name}](../plugin/platforms/{one.name}/README.md)"
            lines.append(f"| {link} | {' | '.join(rows[one.name].get(name, '') for name in names)} |")
        parts.append(f"## {heading}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    """Say which READMEs differ, or rewrite them. 1 when something differs and was not rewritten."""
    parser = argparse.ArgumentParser(prog="python -m plugin.testing.tables", description=__doc__)
    parser.add_argument("--write", action="store_true", help="rewrite the tables in the READMEs")
    is_writing = parser.parse_args(arguments).write
    differs = False
    for package, constant in KINDS.items():
        for static in walk(package, constant).values():
            path = folder_of(static) / "README.md"
            readme = path.read_text(encoding="utf-8") if path.exists() else ""
            wanted = rewritten(readme, static.capabilities)
            if not readme:
                differs = True
                sys.stdout.write(f"{path} is still to be written\n")
            elif wanted != readme and is_writing:
                path.write_text(wanted, encoding="utf-8")
            elif wanted != readme:
                differs = True
                sys.stdout.write(f"{path} does not show the declared capabilities; run with --write\n")
    wanted = page(walk("plugin.platforms", "PLATFORM").values())
    if PAGE.parent.is_dir() and (not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted):
        if is_writing:
            PAGE.write_text(wanted, encoding="utf-8")
        else:
            differs = True
            sys.stdout.write(f"{PAGE} does not show the declared capabilities; run with --write\n")
    return int(differs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
