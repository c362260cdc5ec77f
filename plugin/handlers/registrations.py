"""Telling platforms our address when Crossdesk starts, for the channels whose section asks for it. What fails is told, and stops nothing."""

from __future__ import annotations

import structlog

from plugin.contracts.platform import RegistersWebhook
from plugin.domain.errors import CrossdeskError
from plugin.domain.ids import Place
from plugin.handlers.installation import Installation
from plugin.store import places
from plugin.store.database import Database

_log = structlog.get_logger("crossdesk.registrations")
UNREGISTERED = "unregistered"


def register_wanted(installation: Installation, database: Database) -> int:
    """Register the webhook of every channel with `register = true`; returns how many platforms know our address now.

    Raises:
        StoreUnavailable: what came of it could not be written down.
    """
    return sum(
        _register(database, channel.place, channel.adapter)
        for channel in installation.channels.values()
        if channel.registers and not channel.is_paused and isinstance(channel.adapter, RegistersWebhook)
    )


def _register(database: Database, place: Place, adapter: RegistersWebhook) -> bool:
    name = place.partition(":")[2]
    try:
        adapter.register_webhook()
    except Exception as problem:  # noqa: BLE001 - one platform's fault must not keep the others from learning our address
        said = str(problem) if isinstance(problem, CrossdeskError) else type(problem).__name__
        _log.warning("not_registered", place=place, error=type(problem).__name__)
        told = (
            f"The platform of {place} could not be told our address when Crossdesk started: {said} Webhooks may not arrive; where the channel is polled, "
            f"nothing is lost. Correct the cause, then `crossdesk channel register {name}`."
        )
        database.run(lambda connection: places.raise_alert(connection, place, UNREGISTERED, told))
        return False
    _log.info("registered", place=place)
    database.run(lambda connection: places.close_alerts(connection, place, [UNREGISTERED]))
    return True
