"""Secrets that change at run time, encrypted at rest. Implements `plugin.contracts.settings.SecretStore`."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, text

from plugin.contracts.settings import Renew
from plugin.domain.errors import ConfigError
from plugin.domain.ids import Place
from plugin.store.database import Database

_READ = text("SELECT ciphertext FROM secret WHERE place = :place AND name = :name")
_READ_LOCKED = text("SELECT ciphertext FROM secret WHERE place = :place AND name = :name FOR UPDATE")


class PlaceSecrets:
    """The secrets of one channel or helpdesk. The first key encrypts, all of them decrypt: put a new one in front to rotate."""

    def __init__(self, database: Database, place: Place, keys: Sequence[str]) -> None:
        self._database = database
        self._place = place
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def __repr__(self) -> str:
        return f"PlaceSecrets({self._place!r})"

    def get(self, name: str) -> str | None:
        """The secret, or None."""
        with self._database.begin() as connection:
            return self._read(connection, name, lock=False)

    def refresh(self, name: str, stale: str | None, renew: Renew) -> str:
        """Replace `stale`, once however many ask: see the contract."""
        with self._database.begin() as connection:
            # Two first-time writers find no row to lock: the advisory lock stands for it.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 7))"), {"name": f"{self._place}/{name}"})
            current = self._read(connection, name, lock=True)
            if current is not None and current != stale:
                return current
            fresh = renew(current)
            connection.execute(
                text(
                    "INSERT INTO secret (place, name, ciphertext) VALUES (:place, :name, :ciphertext) "
                    "ON CONFLICT (place, name) DO UPDATE SET ciphertext = excluded.ciphertext, rotated_at = now()"
                ),
                {"place": self._place, "name": name, "ciphertext": self._fernet.encrypt(fresh.encode())},
            )
        return fresh

    def _read(self, connection: Connection, name: str, *, lock: bool) -> str | None:
        ciphertext = connection.execute(_READ_LOCKED if lock else _READ, {"place": self._place, "name": name}).scalar()
        if ciphertext is None:
            return None
        try:
            return self._fernet.decrypt(bytes(ciphertext)).decode()
        except InvalidToken:
            raise ConfigError(
                f"The stored secret {name!r} of {self._place} cannot be decrypted with the keys in [secrets]. "
                "Nothing was changed. Put the key with which it was encrypted back into the list, or reconnect."
            ) from None
