"""Implements `plugin.contracts.provisioning.Provisions` for a Zammad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from plugin.contracts.platform import Connection, Probe
from plugin.contracts.provisioning import Done, Plan
from plugin.domain.errors import ConfigError, CrossdeskError, RemoteRejected
from plugin.helpdesks.zammad.client import ZammadClient
from plugin.helpdesks.zammad.provision import applying
from plugin.helpdesks.zammad.provision.catalogue import Given
from plugin.helpdesks.zammad.provision.planning import Planner
from plugin.helpdesks.zammad.provision.records import Records
from plugin.helpdesks.zammad.provision.server import NEEDS, PATIENCE, Server
from plugin.helpdesks.zammad.provision.verifying import WEBHOOK_SECONDS, Verifier
from plugin.helpdesks.zammad.schema import ZammadSettings

_ANY_STAGE = {"ticket.cd_state": {"operator": "is", "value": ["social", "handoff", "formal", "confirming", "resolved"]}}


class ZammadProvisions:
    """Sets up one Zammad with an administrator's token, for the account behind the bridge's token."""

    def __init__(self, settings: ZammadSettings, connection: Connection, *, token: str) -> None:
        if not token:
            raise ConfigError(NEEDS)
        self._settings = settings
        self._connection = connection
        self._server = Server(settings, connection.http, token=token)
        self.webhook_seconds = WEBHOOK_SECONDS
        """How long `verify` waits for a webhook."""

    def plan(self) -> Plan:
        """As the contract says."""
        return self._planner().plan()

    def apply(self, plan: Plan, *, overwrite_drift: bool = False) -> Sequence[Done]:
        """As the contract says."""
        return applying.apply(self._planner(), plan, overwrite_drift=overwrite_drift)

    def verify(self) -> Sequence[Probe]:
        """As the contract says."""
        verifier = Verifier(
            self._server,
            self._bridge,
            group=self._settings.group,
            webhook=self._connection.webhook_url,
            closed_state=self._settings.closed_states[0],
            webhook_seconds=self.webhook_seconds,
        )
        return verifier.run()

    def remove(self) -> Sequence[Done]:
        """As the contract says."""
        self._server.forget()
        self._server.version()
        return applying.remove(self._server, Records(self._connection.secrets), has_values=self._has_values)

    def _planner(self) -> Planner:
        self._server.forget()
        given = Given(
            group=self._settings.group,
            webhook=self._connection.webhook_url,
            webhook_token=self._settings.webhook_token,
            panel=self._connection.webhook_url.replace("/in/helpdesk/", "/panel/", 1),
            sla_minutes=self._settings.sla_minutes,
        )
        bridge_id = int(self._bridge().read_row("/users/me")["id"])
        return Planner(self._server, Records(self._connection.secrets), given, bridge_id)

    def _bridge(self) -> ZammadClient:
        return ZammadClient(replace(self._settings, timeout=PATIENCE), self._connection.http)

    def _has_values(self) -> bool:
        """Whether any ticket that either account may read was ever bridged."""
        for client in (self._bridge(), self._server.client()):
            try:
                if client.search(_ANY_STAGE, limit=1):
                    return True
            except RemoteRejected:
                continue  # The attribute is not in the database.
            except CrossdeskError:
                return True
        return False
