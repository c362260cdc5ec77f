"""That something happened in a ticket: told by our plugin after the agent's request, or asked for; both under the plugin's own key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError

from plugin.contracts.http import WebhookRequest
from plugin.contracts.platform import Polled
from plugin.domain.errors import MalformedPayload, UnsupportedEvent
from plugin.domain.events import TicketTouched
from plugin.domain.ids import TicketRef
from plugin.helpdesks.osticket.client import PluginClient
from plugin.helpdesks.osticket.schema import TouchesSchema


def parse_hook(request: WebhookRequest) -> list[TicketTouched]:
    """The touched tickets in a verified hook.

    Raises:
        MalformedPayload: it is not what the plugin sends.
        UnsupportedEvent: it names no ticket, as the plugin's test of the connection does.
    """
    body = request.json()
    try:
        told = TouchesSchema().load(body if isinstance(body, dict) else {})
    except ValidationError as problem:
        raise MalformedPayload(
            "A web hook of osTicket is not as our plugin makes it; install the plugin that belongs to this bridge.",
            detail=str(problem.messages)[:300],
        ) from None
    if not told["touches"]:
        raise UnsupportedEvent("osTicket's plugin tried the connection; there is nothing to do.")
    return [_touched(row) for row in told["touches"]]


def poll(client: PluginClient, position: Mapping[str, Any] | None) -> Polled:
    """What the plugin has not been able to tell. Position: `{"done": [<keys that are stored with it>]}`, which the next poll acknowledges."""
    done = [str(key) for key in (position or {}).get("done", ())]
    told = client.read("list_touches", {"done": done}, TouchesSchema())
    return Polled(
        events=tuple(_touched(row) for row in told["touches"]),
        position={"done": [row["key"] for row in told["touches"]]},
        has_more=told["has_more"],
    )


def _touched(row: Mapping[str, Any]) -> TicketTouched:
    at = datetime.fromtimestamp(row["at"], UTC) if row["at"] else None
    return TicketTouched(event_key=f"touch:{row['key']}", occurred_at=at, ticket_ref=TicketRef(row["ticket"]))
