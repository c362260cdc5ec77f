"""Tries to connect an account by OAuth: each is kept under the digest of its state, encrypted, for ten minutes and for one use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import text

from plugin.contracts.platform import Grant
from plugin.domain.ids import Place
from plugin.store.database import Database

_LIFE_SECONDS = 600


class Grants:
    """The open tries of an installation. Who reads the database learns neither a state nor a verifier."""

    def __init__(self, database: Database, keys: Sequence[str]) -> None:
        self._database = database
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def __repr__(self) -> str:
        return "Grants()"

    def keep(self, place: Place, grant: Grant) -> None:
        """Wait for `grant` to come back. What ran out is forgotten."""
        plain = json.dumps({"verifier": grant.verifier, "redirect_url": grant.redirect_url})
        insert = text(
            "INSERT INTO oauth_grant (digest, place, ciphertext, expires_at) "
            "VALUES (:digest, :place, :ciphertext, now() + make_interval(secs => :seconds))"
        )
        parameters = {
            "digest": _digest(grant.state),
            "place": place,
            "ciphertext": self._fernet.encrypt(plain.encode()),
            "seconds": _LIFE_SECONDS,
        }
        with self._database.begin() as connection:
            connection.execute(text("DELETE FROM oauth_grant WHERE expires_at <= now()"))
            connection.execute(insert, parameters)

    def take(self, state: str) -> tuple[Place, Grant] | None:
        """The try that `state` belongs to, once: it is gone before anybody acts on it. None: used, too old, or never ours."""
        statement = text("DELETE FROM oauth_grant WHERE digest = :digest RETURNING place, ciphertext, expires_at > now() AS is_young")
        with self._database.begin() as connection:
            row = connection.execute(statement, {"digest": _digest(state)}).one_or_none()
        if row is None or not row.is_young:
            return None
        try:
            kept = json.loads(self._fernet.decrypt(bytes(row.ciphertext)))
        except InvalidToken:
            return None  # The key was changed meanwhile.
        return Place(row.place), Grant(state=state, **kept)

    def spend(self, place: Place, word: str) -> bool:
        """Use up a word that is good for one use and for ten minutes at most; False when it was used before."""
        statement = text(
            "INSERT INTO oauth_grant (digest, place, ciphertext, expires_at) "
            "VALUES (:digest, :place, '', now() + make_interval(secs => :seconds)) ON CONFLICT (digest) DO NOTHING"
        )
        parameters = {"digest": _digest(f"spent:{word}"), "place": place, "seconds": _LIFE_SECONDS}
        with self._database.begin() as connection:
            connection.execute(text("DELETE FROM oauth_grant WHERE expires_at <= now()"))
            return connection.execute(statement, parameters).rowcount == 1


def _digest(state: str) -> bytes:
    return hashlib.sha256(state.encode("utf-8", "replace")).digest()
