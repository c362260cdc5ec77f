"""`python -m plugin.testing.policy_page [--write]`: hold docs/policy.md to what the code makes, or write it there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from plugin.policy.reference import blocks

PAGE = Path("docs/policy.md")


def renewed(page: str) -> str:
    """The page with each part between `<!-- made: NAME -->` and `<!-- end -->` as the code makes it."""
    for name, block in blocks().items():
        marks = re.compile(rf"(<!-- made: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = marks.sub(lambda found, block=block: f"{found[1]}\n{block}\n{found[2]}", page)  # type: ignore[misc]  # bound now, not later
    return page


def main() -> int:
    """Compare, or write. 1 where the page differs and was not written."""
    page = PAGE.read_text(encoding="utf-8")
    if "--write" in sys.argv:
        PAGE.write_text(renewed(page), encoding="utf-8")
        return 0
    return int(renewed(page) != page)


if __name__ == "__main__":
    sys.exit(main())
