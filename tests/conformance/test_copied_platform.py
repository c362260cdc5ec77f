"""Adding a platform is copying one folder: it is found by walking, and answers every question, with nothing else changed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugin.contracts.registry import walk
from plugin.testing.fixtures import load
from plugin.testing.platform_suite import QUESTIONS
from plugin.testing.questions import Question, told
from plugin.testing.tables import folder_of

_FROM = Path(__file__).parents[2] / "plugin" / "platforms" / "rehearsal"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The rehearsal's folder under another name, in a package of somebody else's."""
    root = tmp_path_factory.mktemp("elsewhere")
    folder = root / "somebodys_platforms" / "parrot"
    shutil.copytree(_FROM, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder.parent / "__init__.py").write_text('"""Platforms of our own."""\n')
    for path in folder.rglob("*.py"):
        words = path.read_text(encoding="utf-8").replace("plugin.platforms.rehearsal", "somebodys_platforms.parrot")
        path.write_text(words.replace('name = "rehearsal"', 'name = "parrot"'), encoding="utf-8")
    sys.path.insert(0, str(root))
    yield walk("somebodys_platforms", "PLATFORM")
    sys.path.remove(str(root))
    for name in [name for name in sys.modules if name.partition(".")[0] == "somebodys_platforms"]:
        del sys.modules[name]


def test_the_copy_is_found_under_its_own_name(copied: Any) -> None:
    assert list(copied) == ["parrot"]
    assert folder_of(copied["parrot"]).parent.name == "somebodys_platforms"


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.__name__)
def test_the_copy_answers(copied: Any, question: Question) -> None:
    platform = copied["parrot"]
    problems = list(question(load(platform, folder_of(platform))))
    assert not problems, told(problems)
