"""The random run of `make test`: at least 2,000 events and 100 faults in all, in two halves that may run side by side.

The seed is printed; `CROSSDESK_FAULTS_SEED` plays it again. The hour-long run is `make soak`.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.faults import drill

_EVENTS, _FAULTS, _SECONDS = 1060, 54, 45.0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("half", [1, 2])
def test_random_faults_lose_double_and_reorder_nothing(half: int, tmp_path: Path) -> None:
    seed = int(os.environ.get("CROSSDESK_FAULTS_SEED", "0")) or random.randrange(1, 10**6)
    report = drill.run(tmp_path, events=_EVENTS, faults=_FAULTS, seconds=_SECONDS, seed=seed + half)
    print(report.sentence())
    assert report.is_ok, report.sentence()
    assert report.events >= 1000
    assert report.faults.total() >= 50
