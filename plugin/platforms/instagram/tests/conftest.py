"""A channel per test, registered at the stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugin.platforms.instagram.adapter import PLATFORM
from plugin.testing.standins.graph import ACCOUNT, PAGE
from tests.graph import Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig(PLATFORM, account_id=ACCOUNT, page_id=PAGE) as rig:
        rig.adapter.register_webhook()
        yield rig
