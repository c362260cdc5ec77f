"""Once an hour, whether Meta still tells us: it drops an account's subscription after an hour of failures and says so to nobody.

Source: Messenger Platform, "Webhooks" (retries, unsubscribed apps). What is missing of a subscription is asked for again, where the app's address is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from plugin.contracts.platform import Connection, Polled
from plugin.domain.errors import RemoteError
from plugin.platforms._graph.client import Graph
from plugin.platforms._graph.settings import GraphSettings
from plugin.platforms._graph.subscriptions import subscribe, told_address, told_fields
from plugin.platforms._graph.values import read_time

_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One account's webhook. `subject` is empty where the app's address cannot be asked for (Instagram Login)."""

    graph: Graph
    settings: GraphSettings
    connection: Connection
    subject: str
    owner: str
    fields: Sequence[str]
    welcome: frozenset[str] = frozenset()

    def beside(self, polled: Polled, position: Mapping[str, Any] | None, now: datetime) -> Polled:
        """`polled` with how the webhook stands: looked at once an hour, and at each poll while it is silent."""
        stands = position or {}
        checked, silent = read_time(stands.get("checked")), stands.get("silent")
        if silent or (checked is not None and now - checked >= _EVERY):
            checked, silent = now, self._silent()
        kept = {**(polled.position or {}), "checked": (checked or now).isoformat(), "silent": silent}
        return replace(polled, position=kept, silent=silent)

    def _silent(self) -> str | None:
        """Why Meta tells us nothing, in a sentence; empty where it does, None where it cannot be known now: the poll itself is well."""
        try:
            address = told_address(self.graph, self.settings, self.subject) if self.subject else self.connection.webhook_url
            if address != self.connection.webhook_url:
                return f"Meta delivers to {'another address' if address else 'no address'} and not to ours; the polls bring messages and comments all the same."
            told = told_fields(self.graph, self.settings, self.owner)
            if not (self.welcome | told).issuperset(self.fields):
                subscribe(self.graph, self.owner, self.fields, welcome=self.welcome)
        except RemoteError:
            return None
        return ""
