"""What we made on a server and how it looked then: by this, our own objects are told from others', and changes of others are seen.

Kept among the helpdesk's own secrets in the bridge's database, since that is where a helpdesk's few lasting values live; it holds none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugin.contracts.settings import SecretStore

_NAME = "provisioned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One object. `fields` as `comparing.kept` found them after our last change; None while its making is under way."""

    fields: Mapping[str, Any] | None
    before: Mapping[str, Any] | None = None
    """What stood there when we took over somebody else's object; None for one that we made."""

    @property
    def is_made(self) -> bool:
        """Whether the object was made by us."""
        return self.before is None


class Records:
    """All records of one helpdesk, in the order in which the objects were made. Each change is kept at once."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets
        self._stored = secrets.get(_NAME)
        self._entries: dict[str, Record] = {key: Record(**entry) for key, entry in json.loads(self._stored or "{}").items()}

    def get(self, key: str) -> Record | None:
        """The record of an object, by `kind/name`."""
        return self._entries.get(key)

    def keys(self) -> list[str]:
        """Keys of all records, oldest first."""
        return list(self._entries)

    def put(self, key: str, record: Record) -> None:
        """Remember."""
        self._entries[key] = record
        self._save()

    def drop(self, key: str) -> None:
        """Forget."""
        self._entries.pop(key, None)
        self._save()

    def _save(self) -> None:
        entries = {key: {"fields": record.fields, "before": record.before} for key, record in self._entries.items()}
        text = json.dumps(entries, ensure_ascii=False)
        self._stored = self._secrets.refresh(_NAME, self._stored, lambda _: text)
