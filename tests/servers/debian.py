"""Debian packages that the tests need, installed on first use where root or a sudo without password allows it.

`python -m tests.servers.debian` has all of them installed before any test's clock runs. It needs nothing of ours, so that pip can work beside it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading

from tests.servers import registry
from tests.servers.registry import Missing

RT = ("request-tracker5", "rt5-standalone", "rt5-db-sqlite", "dbconfig-no-thanks", "msmtp-mta")
OSTICKET = ("php-cli", "php-mysql", "php-mbstring", "php-intl", "php-curl", "mariadb-server-core", "mariadb-client-core")
_BESIDES = ("chromium", "ruby", "curl", "openssl", "make", "g++")
_APT = threading.Lock()
"""Two lists of packages cannot be fetched at once."""


def install(*packages: str) -> None:
    """Have the packages installed, once per run whichever test process asks first.

    Raises:
        Missing: they are not there and cannot be installed.
    """
    if not are_installed(*packages):
        if registry.RUN_FOLDER in os.environ:
            registry.once("debian-" + "-".join(packages), lambda: _install(packages))
        else:
            _install(packages)
    if not are_installed(*packages):
        raise Missing(f"Debian packages {', '.join(packages)} (root or sudo)")


def are_installed(*packages: str) -> bool:
    """Whether all of them are."""
    return shutil.which("dpkg-query") is not None and all(_state(package) == "installed" for package in packages)


def _state(package: str) -> str:
    command = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _install(packages: tuple[str, ...]) -> str:
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    may = shutil.which("apt-get") and (
        not prefix or (shutil.which("sudo") and not subprocess.run(["sudo", "-n", "true"], check=False).returncode)
    )
    for step in (["update"], ["install", "-y", "--no-install-recommends", *packages]) if may else ():
        command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *step]
        with _APT:
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return " ".join(packages)


def main() -> None:
    """All of them at once. What cannot be is said, and the tests say it again."""
    try:
        install(*RT, *OSTICKET, *_BESIDES)
    except Missing as missing:
        print(f"the tests of some servers need {missing}", file=sys.stderr)


if __name__ == "__main__":
    main()
