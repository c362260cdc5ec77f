"""`python -m tests.servers`: install the Bluesky network's packages from npm before any test's clock runs.

What cannot be is said, and the tests say it again.
"""

from __future__ import annotations

import sys

from tests.servers import bluesky
from tests.servers.registry import Missing


def main() -> None:
    """Some minutes, once."""
    try:
        bluesky.install()
    except Missing as missing:
        print(f"the tests of some servers need {missing}", file=sys.stderr)


if __name__ == "__main__":
    main()
