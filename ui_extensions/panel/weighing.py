"""What would become of a reply that is being written: who reads it, how long it is by the platform's ruler, and what stands against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from plugin.contracts.rulers import CODE_POINTS
from plugin.domain.model import Visibility
from plugin.domain.text import Text
from plugin.handlers.installation import Installation
from plugin.policy import gate, locks
from plugin.policy.safety import preflight
from plugin.policy.safety.preflight import Concern, House, Severity
from plugin.policy.safety.watch import Watch


def weighed(installation: Installation, snapshot: Mapping[str, Any], words: str) -> dict[str, Any]:
    """The preflight of `words` as a reply in the snapshot's conversation; `schema.json` has its shape."""
    channel = next(item for item in installation.channels.values() if item.key == snapshot["thread"]["channel"])
    visibility, capabilities = Visibility(snapshot["thread"]["visibility"]), channel.adapter.capabilities
    watch = installation.policy.watch if installation.policy is not None else Watch()
    host = urlsplit(snapshot["ticket"]["url"]).hostname
    house = House(helpdesk_hosts=(host,) if host else (), lookout=watch.lookout)
    found = preflight.check(Text(words), visibility=visibility, capabilities=capabilities, house=house)
    limits = capabilities.limits_of(visibility)
    ruler = limits.ruler or CODE_POINTS
    return {
        "audience": preflight.audience(visibility),
        "visibility": visibility.value,
        "length": ruler.measure(words),
        "limit": limits.text_length,
        "unit": ruler.unit,
        "concerns": [asdict(one) for one in (*_standing(snapshot, visibility), *found)],
    }


def _standing(snapshot: Mapping[str, Any], visibility: Visibility) -> Iterator[Concern]:
    """What holds every reply of this agent's as things stand, whatever it says."""
    lock = snapshot["lock"]
    if snapshot["stage"]["holds_public"] and visibility is Visibility.PUBLIC:
        yield Concern(code="handoff", severity=Severity.HOLD, sentence=gate.FORMAL_NOW)
    elif lock is not None and not lock["mine"]:
        until = datetime.fromisoformat(lock["until"]).astimezone(UTC) if lock["until"] else None
        yield Concern(code="lock", severity=Severity.HOLD, sentence=locks.taken_by(lock["holder"], until))
