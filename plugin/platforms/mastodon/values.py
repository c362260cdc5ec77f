"""Ids of servers that nobody can vouch for. Never fails."""

from __future__ import annotations

from plugin.contracts.reading import read_string


def read_id(value: object) -> str:
    """An id as the opaque string that it is, also from a server that writes numbers; empty where there is none."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else read_string(value)
