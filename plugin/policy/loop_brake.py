"""The loop brake: two machines that answer each other are stopped within a few turns; people are not.

A reply that comes faster than a person can read and write is an automatic turn. Too many of them, or words that come back to us as
we said them, stop the conversation until a person looks (facts/reliability, case 47).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

_MIRRORED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidBefore:
    """One message of the conversation's recent past: `is_ours`, when, and the fingerprint of its words."""

    is_ours: bool
    at: datetime
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakeLimits:
    """When to stop: more than `turns` automatic turns within the time that `turns` covers; `pace` is a person's quickest reply in seconds."""

    turns: int = 5
    pace: float = 3.0


def sentence(past: Sequence[SaidBefore], limits: BrakeLimits) -> str | None:
    """Why to stop, in words for the agent, or None. `past` is oldest first and covers the brake's window."""
    pace = timedelta(seconds=limits.pace)
    automatic = sum(1 for before, after in pairwise(past) if after.is_ours and not before.is_ours and after.at - before.at < pace)
    if automatic > limits.turns:
        return (
            f"{automatic} replies in a row were faster than a person writes: two machines seem to answer each other. Nothing more is sent in "
            "this conversation; what was written is kept. Stop the automatic answer, then have an admin release the conversation (`crossdesk ledger release`)."
        )
    ours = {said.digest for said in past if said.is_ours}
    if sum(1 for said in past if not said.is_ours and said.digest in ours) >= _MIRRORED:
        return (
            "The other side sends our own words back: two machines seem to answer each other. Nothing more is sent in this conversation; "
            "what was written is kept. Stop the automatic answer, then have an admin release the conversation (`crossdesk ledger release`)."
        )
    return None
