"""A channel per test, registered at the stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugin.platforms.facebook.adapter import PLATFORM
from plugin.testing.standins.graph import PAGE
from tests.graph import Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig(PLATFORM, page_id=PAGE) as rig:
        rig.adapter.register_webhook()
        yield rig
