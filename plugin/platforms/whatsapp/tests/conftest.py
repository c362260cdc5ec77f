"""A channel per test, registered at the stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugin.platforms.whatsapp.adapter import PLATFORM
from plugin.testing.standins.graph import NUMBER, WABA
from tests.graph import Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig(PLATFORM, phone_number_id=NUMBER, business_account_id=WABA) as rig:
        rig.adapter.register_webhook()
        yield rig
