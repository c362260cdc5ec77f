"""What somebody who helps from outside needs to see: versions, standing, counts and settings, without secrets and without anybody's words."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from plugin import log
from plugin.config import Config
from plugin.handlers import health
from plugin.handlers.installation import Installation
from plugin.store import ledger, places, schema
from plugin.store.database import Database, now

HIDDEN = "(hidden)"
_HANDLE = re.compile(r"(?<!\w)@[\w.-]+|[\w.+-]+@[\w-]+\.[\w.-]+")


def diagnostics(config: Config, installation: Installation, database: Database, *, actor: str) -> dict[str, Any]:
    """One JSON object. That it was taken is written down."""
    with database.begin() as connection:
        balance = ledger.balance(connection)
    with database.begin() as connection:
        conditions = health.conditions(connection)
        alerts = places.open_alerts(connection)
        lag = ledger.lag(connection)
        taken_at = now(connection)
        ledger.record(connection, actor=actor, action="diagnostics", subject="download", detail={})
    found = {
        "taken_at": taken_at.isoformat(),
        "versions": {"crossdesk": _version(), "python": platform.python_version(), "system": platform.system(), "schema": schema.head()},
        "places": [{"place": item.place, "adapter": installation.adapters.get(item.place), **asdict(item)} for item in conditions],
        "alerts": [{"place": row.place, "code": row.code, "since": row.opened_at.isoformat(), "text": row.text} for row in alerts],
        "ledger": {
            "ok": balance.is_ok,
            "received": balance.received,
            "fates": dict(balance.fates),
            "reasons": {fate: dict(reasons) for fate, reasons in balance.reasons.items()},
            "receipts": dict(balance.receipts),
            "contradictions": {name: list(ids) for name, ids in balance.contradictions.items()},
        },
        "lag": [{"kind": row.kind, "total": row.total, "seconds": round(row.seconds, 1)} for row in lag],
        "settings": {
            "engine": asdict(config.engine),
            "worker": asdict(config.worker),
            "channels": {str(key): shown(item.settings) for key, item in config.channels.items()},
            "helpdesks": {str(key): shown(item.settings) for key, item in config.helpdesks.items()},
            "policy": {"version": config.policy.digest, "rules": len(list(config.policy.rules))},
            "warnings": list(config.warnings),
        },
    }
    cleaned: dict[str, Any] = _clean(found, config.secrets)
    return cleaned


def shown(settings: Any) -> dict[str, Any]:
    """An adapter's settings by name; those that its dataclass keeps out of its repr are secrets, of which only is told whether they are set."""
    if not is_dataclass(settings):
        return {}
    return {
        field.name: getattr(settings, field.name) if field.repr else (HIDDEN if getattr(settings, field.name) else "")
        for field in fields(settings)
    }


def _clean(value: Any, secrets: frozenset[str]) -> Any:
    """Without what the file calls a secret, and without people's names on platforms."""
    if isinstance(value, Mapping):
        return {str(key): _clean(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item, secrets) for item in value]
    if isinstance(value, str):
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= 4:
                value = value.replace(secret, HIDDEN)
        return _HANDLE.sub(HIDDEN, log.redacted(value))
    return value if isinstance(value, bool | int | float) or value is None else str(value)


def _version() -> str:
    try:
        return version("crossdesk")
    except PackageNotFoundError:
        return "not installed"
