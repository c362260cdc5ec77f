"""Channels that were made in the console: drafts and those at work, their settings encrypted. What a setting means is the adapter's own matter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, Row, text

from plugin.domain.ids import Place

DRAFT, LIVE = "draft", "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeChannel:
    """One channel as it was made. `settings` by name as the adapter's schema reads them; `version` is the fence of every change."""

    key: str
    platform: str
    settings: Mapping[str, Any] | None = field(repr=False)
    """None: they cannot be decrypted with the keys there are."""
    routing: Mapping[str, Any] | None
    """`helpdesk`, `group`, `late`, `register` and `searches`, as far as they were asked for; None: not chosen yet."""
    tested: Sequence[Mapping[str, Any]] | None
    """What the checks of these settings said: `name`, `is_ok`, `answer`, `next_step`; None: not run."""
    version: int
    made_by: str
    changed_by: str
    changed_at: datetime


class MadeChannels:
    """The channels of an installation that stand in its database."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def __repr__(self) -> str:
        return "MadeChannels()"

    def state(self, connection: Connection) -> tuple[int, int]:
        """A word that changes whenever a channel is put to work, changed or removed."""
        row = connection.execute(
            text("SELECT count(*) AS total, COALESCE(max(version), 0) AS newest FROM channel WHERE state = 'live'")
        ).one()
        return row.total, row.newest

    def all_of(self, connection: Connection, state: str) -> list[MadeChannel]:
        """All drafts, or all that work."""
        rows = connection.execute(text("SELECT * FROM channel WHERE state = :state ORDER BY key"), {"state": state})
        return [self._made(row) for row in rows]

    def find(self, connection: Connection, key: str, state: str) -> MadeChannel | None:
        """One of them; for the rest of the transaction nobody else changes it."""
        statement = text("SELECT * FROM channel WHERE key = :key AND state = :state FOR UPDATE")
        row = connection.execute(statement, {"key": key, "state": state}).one_or_none()
        return None if row is None else self._made(row)

    def begin(self, connection: Connection, key: str, *, platform: str, settings: Mapping[str, Any], actor: str) -> bool:
        """A new draft; False when there is one of this name."""
        statement = text(
            "INSERT INTO channel (key, state, platform, ciphertext, version, made_by, changed_by) "
            "VALUES (:key, 'draft', :platform, :ciphertext, nextval('channel_version'), :actor, :actor) ON CONFLICT DO NOTHING"
        )
        parameters = {"key": key, "platform": platform, "ciphertext": self._sealed(settings), "actor": actor}
        return connection.execute(statement, parameters).rowcount == 1

    def fill(self, connection: Connection, key: str, *, version: int, settings: Mapping[str, Any], actor: str) -> bool:
        """Other settings for a draft, which must be checked anew; False when it is not the draft of this version any more."""
        statement = text(
            "UPDATE channel SET ciphertext = :ciphertext, tested = NULL, version = nextval('channel_version'), changed_by = :actor, changed_at = now() "
            "WHERE key = :key AND state = 'draft' AND version = :version"
        )
        parameters = {"key": key, "version": version, "ciphertext": self._sealed(settings), "actor": actor}
        return connection.execute(statement, parameters).rowcount == 1

    def route(self, connection: Connection, key: str, *, version: int, routing: Mapping[str, Any], actor: str) -> bool:
        """Where a draft's tickets go; False as `fill`."""
        statement = text(
            "UPDATE channel SET routing = CAST(:value AS jsonb), version = nextval('channel_version'), changed_by = :actor, changed_at = now() "
            "WHERE key = :key AND state = 'draft' AND version = :version"
        )
        parameters = {"key": key, "version": version, "value": json.dumps(dict(routing)), "actor": actor}
        return connection.execute(statement, parameters).rowcount == 1

    def keep_test(self, connection: Connection, key: str, *, version: int, tested: Sequence[Mapping[str, Any]]) -> bool:
        """What the checks of a draft said. It stays the same draft; False as `fill`."""
        statement = text("UPDATE channel SET tested = CAST(:value AS jsonb) WHERE key = :key AND state = 'draft' AND version = :version")
        return connection.execute(statement, {"key": key, "version": version, "value": json.dumps(list(tested))}).rowcount == 1

    def go_live(self, connection: Connection, key: str, *, version: int, actor: str) -> bool:
        """Put a draft to work in place of what worked under its name, with the tokens it got meanwhile; False as `fill`."""
        found = text("SELECT 1 FROM channel WHERE key = :key AND state = 'draft' AND version = :version FOR UPDATE")
        if connection.execute(found, {"key": key, "version": version}).scalar() is None:
            return False
        connection.execute(text("DELETE FROM channel WHERE key = :key AND state = 'live'"), {"key": key})
        statement = text(
            "UPDATE channel SET state = 'live', version = nextval('channel_version'), changed_by = :actor, changed_at = now() "
            "WHERE key = :key AND state = 'draft'"
        )
        connection.execute(statement, {"key": key, "actor": actor})
        places = {"draft": draft_place(key), "live": f"channel:{key}"}
        replaced = text("DELETE FROM secret o USING secret n WHERE o.place = :live AND n.place = :draft AND n.name = o.name")
        connection.execute(replaced, places)
        connection.execute(text("UPDATE secret SET place = :live WHERE place = :draft"), places)
        return True

    def has_tokens(self, connection: Connection, key: str) -> bool:
        """Whether a draft got anything of its own from the platform."""
        return bool(
            connection.execute(text("SELECT EXISTS (SELECT 1 FROM secret WHERE place = :place)"), {"place": draft_place(key)}).scalar()
        )

    def remove(self, connection: Connection, key: str, state: str) -> bool:
        """Forget a channel or a draft with all its secrets; False when there is none."""
        gone = (
            connection.execute(text("DELETE FROM channel WHERE key = :key AND state = :state"), {"key": key, "state": state}).rowcount == 1
        )
        if gone:
            place = draft_place(key) if state == DRAFT else f"channel:{key}"
            connection.execute(text("DELETE FROM secret WHERE place = :place"), {"place": place})
        return gone

    def _sealed(self, settings: Mapping[str, Any]) -> bytes:
        return self._fernet.encrypt(json.dumps(dict(settings)).encode())

    def _made(self, row: Row[Any]) -> MadeChannel:
        try:
            settings = json.loads(self._fernet.decrypt(bytes(row.ciphertext)))
        except InvalidToken:
            settings = None
        return MadeChannel(
            key=row.key,
            platform=row.platform,
            settings=settings,
            routing=row.routing,
            tested=row.tested,
            version=row.version,
            made_by=row.made_by,
            changed_by=row.changed_by,
            changed_at=row.changed_at,
        )


def draft_place(key: str) -> Place:
    """Under which place a draft keeps what it got from the platform: a channel at work keeps its own until the draft takes over."""
    return Place(f"draft:{key}")
