"""What passes: that somebody has read up to a message. Pure. Who types, and who is there, is nothing that is carried.

Matrix spec, Application Service API, "Pushing ephemeral data"; Client-Server API, "Receipts".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plugin.domain.events import DeliveryStatus, DeliveryUpdated
from plugin.domain.ids import MessageRef
from plugin.platforms.matrix.schema import MatrixSettings
from plugin.platforms.matrix.timeline import moment

_READ = ("m.read", "m.read.private")
_LONGEST = 255


def read_receipts(transaction: Mapping[str, Any], settings: MatrixSettings) -> Iterator[DeliveryUpdated]:
    """Which messages of private rooms were read by others than the bot. In public rooms everybody's eyes are on everything."""
    for passing in _listed(transaction.get("ephemeral")):
        content, room = passing.get("content"), passing.get("room_id")
        if passing.get("type") != "m.receipt" or not isinstance(content, Mapping) or str(room) in settings.public_rooms:
            continue
        for event_id, kinds in content.items():
            if not 0 < len(event_id) <= _LONGEST:
                continue
            for user_id, receipt in sorted(_readers(kinds)):
                if user_id != settings.user_id and 0 < len(user_id) <= _LONGEST:
                    yield DeliveryUpdated(
                        event_key=f"{event_id} read by {user_id}",
                        occurred_at=moment({"origin_server_ts": receipt}),
                        message_ref=MessageRef(event_id),
                        status=DeliveryStatus.READ,
                    )


def _readers(kinds: Any) -> set[tuple[str, int | None]]:
    """Who has read it, and when by their homeserver; one who tells it in both ways is one."""
    found: dict[str, int | None] = {}
    for kind in _READ if isinstance(kinds, Mapping) else ():
        readers = kinds.get(kind)
        for user_id, receipt in readers.items() if isinstance(readers, Mapping) else ():
            at = receipt.get("ts") if isinstance(receipt, Mapping) else None
            found.setdefault(user_id, at if isinstance(at, int) and not isinstance(at, bool) else None)
    return set(found.items())


def _listed(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
