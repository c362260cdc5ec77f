"""Secrets that the console hands to a person's browser: one-time links, sessions, and forms that count once.

Each is kept by its digest alone and what belongs to it is encrypted, so who reads the database can use none of them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import text

from plugin.store.database import Database


class Pass(StrEnum):
    """What a pass is good for."""

    LINK = "console:link"
    SESSION = "console:session"
    FORM = "console:form"
    AWAY = "console:away"
    """Somebody who is at the helpdesk's own sign-in page now."""


class Passes:
    """The open passes of an installation."""

    def __init__(self, database: Database, keys: Sequence[str]) -> None:
        self._database = database
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def __repr__(self) -> str:
        return "Passes()"

    def issue(self, kind: Pass, meaning: Mapping[str, str], *, seconds: float) -> str:
        """A new pass, good for `seconds`. What ran out is forgotten."""
        token = secrets.token_urlsafe(32)
        with self._database.begin() as connection:
            connection.execute(text("DELETE FROM console_pass WHERE expires_at <= now()"))
            connection.execute(
                text(
                    "INSERT INTO console_pass (digest, kind, ciphertext, expires_at) "
                    "VALUES (:digest, :kind, :ciphertext, now() + make_interval(secs => :seconds))"
                ),
                {
                    "digest": _digest(kind, token),
                    "kind": kind.value,
                    "ciphertext": self._fernet.encrypt(json.dumps(dict(meaning)).encode()),
                    "seconds": seconds,
                },
            )
        return token

    def read(self, kind: Pass, token: str, *, renew_seconds: float) -> Mapping[str, str] | None:
        """What a pass means, and let it live on for `renew_seconds` from now. None: ended, or never ours."""
        find = text(
            "SELECT ciphertext, expires_at < now() + make_interval(secs => :seconds - 60) AS is_ageing FROM console_pass "
            "WHERE digest = :digest AND kind = :kind AND expires_at > now()"
        )
        parameters = {"digest": _digest(kind, token), "kind": kind.value, "seconds": renew_seconds}
        renew = text("UPDATE console_pass SET expires_at = now() + make_interval(secs => :seconds) WHERE digest = :digest AND kind = :kind")
        with self._database.begin() as connection:
            row = connection.execute(find, parameters).one_or_none()
            if row is not None and row.is_ageing:
                connection.execute(renew, parameters)
        return None if row is None else self._meaning(row.ciphertext)

    def take(self, kind: Pass, token: str) -> Mapping[str, str] | None:
        """What a pass means, once: it is gone before anybody acts on it."""
        statement = text(
            "DELETE FROM console_pass WHERE digest = :digest AND kind = :kind RETURNING ciphertext, expires_at > now() AS is_young"
        )
        with self._database.begin() as connection:
            row = connection.execute(statement, {"digest": _digest(kind, token), "kind": kind.value}).one_or_none()
        return None if row is None or not row.is_young else self._meaning(row.ciphertext)

    def spend(self, token: str, *, seconds: float) -> bool:
        """Count a form as sent: False when this very form was sent before, within `seconds`."""
        statement = text(
            "INSERT INTO console_pass (digest, kind, ciphertext, expires_at) "
            "VALUES (:digest, :kind, '', now() + make_interval(secs => :seconds)) ON CONFLICT DO NOTHING"
        )
        parameters = {"digest": _digest(Pass.FORM, token), "kind": Pass.FORM.value, "seconds": seconds}
        with self._database.begin() as connection:
            return connection.execute(statement, parameters).rowcount == 1

    def _meaning(self, ciphertext: bytes) -> Mapping[str, str] | None:
        try:
            found: dict[str, str] = json.loads(self._fernet.decrypt(bytes(ciphertext)))
        except InvalidToken:
            return None  # The key was changed meanwhile.
        return found


def _digest(kind: Pass, token: str) -> bytes:
    return hashlib.sha256(f"{kind.value}\n{token}".encode("utf-8", "replace")).digest()
