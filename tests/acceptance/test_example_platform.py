"""A platform written elsewhere: docs/examples/crossdesk-example-platform, built, installed without a network, found and asked everything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bridge import ROOT

SAMPLE = ROOT / "docs" / "examples" / "crossdesk-example-platform"
FOUND = """
import json
from plugin.contracts.registry import walk
found = walk("plugin.platforms", "PLATFORM")
print(json.dumps({name: [one.display_name, type(one).__module__] for name, one in found.items()}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip installed the sample."""
    folder = tmp_path_factory.mktemp("sample")
    # Building leaves things beside the sources: let them not be ours.
    shutil.copytree(SAMPLE, folder / "sources", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
    ]
    run([*pip, "--target", str(folder / "site"), str(folder / "sources")], folder)
    return folder / "site"


def run(command: list[str], folder: Path, *paths: Path) -> str:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_it_is_found_by_its_entry_point(installed: Path) -> None:
    found = json.loads(run([sys.executable, "-c", FOUND], installed.parent, installed, ROOT))
    assert found["guestbook"] == ["Guestbook (example)", "crossdesk_guestbook.adapter"]
    assert found["webhook"][1] == "plugin.platforms.webhook.adapter"
    without = json.loads(run([sys.executable, "-c", FOUND], installed.parent, ROOT))
    assert set(found) - set(without) == {"guestbook"}


def test_it_answers_the_whole_suite_where_it_is_installed(installed: Path) -> None:
    pytest_ = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(installed)]
    said = run([*pytest_, str(installed / "crossdesk_guestbook" / "tests")], installed.parent, installed, ROOT)
    assert " passed" in said
    assert "skipped" not in said


def test_a_channel_can_be_configured_with_it(installed: Path) -> None:
    (installed.parent / "crossdesk.toml").write_text(
        """
[crossdesk]
public_url = "https://desk.example.org"

[helpdesk.zammad]
kind = "zammad"
url = "https://zammad.example.org"
group = "Social"
token = "zammad-token"
webhook_token = "zammad-webhook-token"

[channel.book]
platform = "guestbook"
url = "https://book.example"
token = "guestbook-token-0001"
"""
    )
    (installed.parent / "crossdesk.toml").chmod(0o600)
    check = [sys.executable, "-m", "plugin.cli", "--config", str(installed.parent / "crossdesk.toml"), "check"]
    assert "is in order: 1 channel, 1 helpdesk." in run(check, installed.parent, installed, ROOT)
