"""Debian packages that the tests need, installed on first use where root or a sudo without password allows it."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading

from tests.servers import registry
from tests.servers.registry import Missing

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
