"""`python -m tests.servers`: install all that the tests' servers need, before any test's clock runs. What cannot be is said, and the tests say it again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.servers import bluesky, debian, osticket, rt
from tests.servers.registry import Missing

_BESIDES = ("chromium", "ruby", "curl", "openssl")


def main() -> None:
    """Debian's packages, and beside them the Bluesky network's from npm."""
    with ThreadPoolExecutor() as pool:
        for missing in pool.map(_missing, (_packages, bluesky.install)):
            if missing:
                print(f"the tests of some servers need {missing}", file=sys.stderr)


def _packages() -> None:
    debian.install(*rt.PACKAGES, *osticket.PACKAGES, *_BESIDES)


def _missing(install: Callable[[], object]) -> str:
    try:
        install()
    except Missing as missing:
        return str(missing)
    return ""


if __name__ == "__main__":
    main()
