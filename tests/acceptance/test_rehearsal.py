"""The rehearsal plays itself: from nothing running to nothing left running, and both sides counted by reading them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.bridge import CROSSDESK, ROOT

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


def test_a_rehearsal_loses_doubles_and_reorders_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [*CROSSDESK, "rehearse", "smoke", "--json", "--customers", "4", "--messages", "6"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    played = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
    outcome = json.loads(played.stdout)
    assert (outcome["lost"], outcome["doubled"], outcome["reordered"]) == (0, 0, 0)
    assert outcome["received"] == outcome["filed"] == outcome["replied"] == outcome["delivered"] == 24
    assert list(tmp_path.iterdir()) == []
    assert processes_that_name(tmp_path) == []


def test_a_whole_conversation_goes_from_the_first_post_to_the_confirmed_end(tmp_path: Path) -> None:
    command = [*CROSSDESK, "rehearse", "crossover", "--policy", "command-centre", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    played = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
    outcome = json.loads(played.stdout)
    assert (outcome["ok"], outcome["stage"], outcome["outcome"], outcome["told_of_handoff"]) == (True, "resolved", "confirmed", 1)
    stages = list(dict.fromkeys(step["stage"] for step in outcome["steps"]))
    assert stages == ["social", "handoff", "formal", "confirming", "resolved"]
    leaked = next(step for step in outcome["steps"] if "right here" in step["does"])
    assert leaked["customer_saw"] == []
    assert leaked["held"][0].startswith("handoff: ")
    assert list(tmp_path.iterdir()) == []
    assert processes_that_name(tmp_path) == []


def processes_that_name(folder: Path) -> list[str]:
    """The processes that have the folder in their command or environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
            if os.fsencode(folder) in words and int(place.name) != os.getpid():
                found.append(words.decode(errors="replace").replace("\0", " "))
    return found
