"""A whole bridge for tests: its real processes, started from the text of a crossdesk.toml and stopped again, and the `crossdesk` command on it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from tests.servers import registry

T = TypeVar("T")
ROOT = Path(__file__).parents[1]
CROSSDESK = (sys.executable, "-m", "plugin.cli")
_STOP_SECONDS = 40.0


class Bridge:
    """A bridge that runs as long as it is entered. `processes`: the commands to run it with, such as `run`, or `serve`, `work` and `sweep`."""

    def __init__(
        self, directory: Path, configuration: str, *, processes: Sequence[str] = ("run",), environ: Mapping[str, str] | None = None
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.file = directory / "crossdesk.toml"
        self.file.write_text(configuration)
        self.file.chmod(0o600)
        receiver = tomllib.loads(configuration)["receiver"]
        self.url = f"http://127.0.0.1:{receiver['port']}"
        self._commands = tuple(processes)
        self._environ = {"PYTHONPATH": str(ROOT), **(environ or {})}
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the processes, and wait until deliveries are taken."""
        for command in self._commands:
            line = [*CROSSDESK, "--config", str(self.file), command]
            self._running.append(registry.spawn(line, self._directory, env=self._environ, name=command))
        try:
            registry.wait_for(f"{self.url}/readyz", self._running[0])
        except RuntimeError as problem:
            self.stop()
            raise RuntimeError(f"{problem}\n{self.log}") from None

    def stop(self) -> None:
        """Stop it kindly. Each process must end by itself, and well; what does not is killed, and the sentence says so."""
        running, self._running = self._running, []
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        codes = [self._ended(process) for process in running]
        assert not any(codes), f"{self._commands} ended with {codes}:\n{self.log}"

    @property
    def is_running(self) -> bool:
        """Whether every process runs."""
        return all(process.poll() is None for process in self._running)

    @property
    def log(self) -> str:
        """The last words of each process."""
        logs = [self._directory / f"{command}.log" for command in self._commands]
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-3000:]}" for path in logs if path.exists())

    def crossdesk(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What the `crossdesk` command says about this bridge."""
        return subprocess.run(
            [*CROSSDESK, "--config", str(self.file), *arguments],
            cwd=self._directory,
            env={**os.environ, **self._environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def balance(self) -> dict[str, Any]:
        """The ledger's counts."""
        return self._json("ledger", "check", "--json")

    def story(self, reference: str) -> dict[str, Any]:
        """The ledger's story of one message, by its id on either side."""
        (story,) = self._json("ledger", "show", reference, "--json")["events"]
        found: dict[str, Any] = story
        return found

    def settled_balance(self, *, seconds: float = 30.0) -> dict[str, Any]:
        """The counts as soon as nothing waits or is retried any more."""

        until = time.monotonic() + seconds
        while True:
            counts = self.balance()
            if not (counts["waiting"] or counts["retrying"]):
                return counts
            assert time.monotonic() < until, counts
            time.sleep(0.5)

    def _json(self, *arguments: str) -> dict[str, Any]:
        done = self.crossdesk(*arguments)
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"crossdesk {' '.join(arguments)} said: {done.stdout}{done.stderr}") from None
        return found

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait()


def key() -> str:
    """A new key for secrets at rest."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
