"""How adapters are handed their settings: a marshmallow schema each, read as plain data here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class SettingsSchema(Protocol):
    """What the configuration needs of an adapter's schema (marshmallow's `Schema` fits): unknown keys are mistakes.

    Every field carries `metadata={"help": "...", "secret": bool}`; secrets are redacted wherever settings are shown.
    """

    def load(self, data: Mapping[str, Any]) -> Any:
        """Validated settings as the adapter's own frozen dataclass.

        Raises:
            marshmallow.ValidationError: `messages` maps field names to lists of sentences.
        """
        ...

    @property
    def fields(self) -> Mapping[str, Any]:
        """The declared fields by name."""
        ...


class SecretStore(Protocol):
    """A few named secrets of one channel or helpdesk that change at run time (sessions, rotating tokens), encrypted at rest."""

    def get(self, name: str) -> str | None:
        """The secret, or None."""
        ...

    def refresh(self, name: str, stale: str | None, renew: Renew) -> str:
        """Replace `stale` by what `renew` returns, once, however many workers ask at the same time.

        The row is locked while `renew` runs; if another worker already replaced `stale`, its value is returned and `renew` is not
        called. The new value is committed before it is returned.
        """
        ...


class Renew(Protocol):
    """Gets a new secret from the other side; given the value that is stored now."""

    def __call__(self, current: str | None) -> str:
        """The new secret. Errors pass through and leave the stored one as it was."""
        ...
