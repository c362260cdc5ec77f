"""One Zammad as an administrator's token sees it: lists by kind, names turned into ids, and the few ways to change an object.

Lists are read once and kept until something is changed. Knows nothing of what is wanted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from plugin.contracts.http import HttpClient
from plugin.domain.errors import CredentialsRejected, OutcomeUnknown, RemoteRejected, TargetGone
from plugin.helpdesks.zammad.client import ZammadClient
from plugin.helpdesks.zammad.provision.catalogue import KINDS, Kind
from plugin.helpdesks.zammad.schema import ZammadSettings

_PAGE = 500
PATIENCE = 60.0
"""Seconds for one call: adding columns to a large table takes its time."""
NEEDS = (
    "Setting up needs the access token of an administrator (Profile, Token Access, in Zammad) with the permissions admin and ticket.agent. "
    "Nothing was changed; the bridge's own token is not touched by this."
)


class Server:
    """Calls with the setup token. Each call has its own time."""

    def __init__(self, settings: ZammadSettings, http: HttpClient, *, token: str) -> None:
        self._settings = replace(settings, token=token, timeout=PATIENCE)
        self._http = http
        self._lists: dict[str, dict[str, Mapping[str, Any]]] = {}

    def client(self) -> ZammadClient:
        """For one call."""
        return ZammadClient(self._settings, self._http)

    def version(self) -> str:
        """As the server tells it.

        Raises:
            CredentialsRejected: the setup token is refused or is no administrator's.
            RemoteError: any other of its kinds.
        """
        return str(self._asked(lambda: self.client().read_object("/version")).get("version", ""))

    def find(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """The object of this kind and name, or None."""
        return self._named(kind).get(name)

    def id_of(self, kind: str, name: str) -> int | None:
        """Its id, or None where there is no such object."""
        row = self.find(kind, name)
        return int(row["id"]) if row is not None else None

    def resolved(self, value: Any, bridge_id: int) -> Any:
        """`value` with ids for the signs of `objects.json`. What does not exist yet keeps its sign."""
        if isinstance(value, Mapping):
            return {name: self.resolved(item, bridge_id) for name, item in value.items()}
        if isinstance(value, list):
            return [self.resolved(item, bridge_id) for item in value]
        if not isinstance(value, str) or value[:1] not in ("@", "#") or ":" not in value or value[1:].split(":")[0] not in (*KINDS, "user"):
            return value
        kind, _, name = value[1:].partition(":")
        found = bridge_id if kind == "user" else self.id_of(kind, name)
        if found is None:
            return value
        return str(found) if value[0] == "@" else found

    def create(self, kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make an object; the row as the server shows it afterwards."""
        name = _name(KINDS[kind], data)
        unclear: OutcomeUnknown | None = None
        try:
            row = self._asked(lambda: self.client().write("POST", KINDS[kind].route, data))
        except OutcomeUnknown as problem:
            unclear, row = problem, None
        if isinstance(row, Mapping) and "id" in row and _name(KINDS[kind], row) == name:
            self._named(kind)[name] = row
            return row
        self.forget(kind)
        row = self.find(kind, name)
        if row is None:
            raise unclear or RemoteRejected(f"Zammad took the {kind} {name} but does not list it. Look at it in Zammad, then plan again.")
        return row

    def change(self, kind: str, row: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change an object; the row as the server shows it afterwards."""
        if kind == "attribute":
            whole = ("name", "object", "display", "data_type", "data_option", "active", "screens", "position")
            data = {**{name: row[name] for name in whole if name in row}, **data}
        self._asked(lambda: self.client().write("PUT", f"{KINDS[kind].route}/{row['id']}", data))
        self.forget(kind)
        return self.find(kind, _name(KINDS[kind], {**row, **data})) or row

    def delete(self, kind: str, row: Mapping[str, Any]) -> None:
        """Take an object away. One that is gone already is success."""
        with contextlib.suppress(TargetGone):
            self._asked(lambda: self.client().write("DELETE", f"{KINDS[kind].route}/{row['id']}", {}))
        self.forget(kind)

    def migrate(self) -> None:
        """Let new attributes become columns, or deleted ones vanish. May restart the server from 6.5 on."""
        self._asked(lambda: self.client().write("POST", "/object_manager_attributes_execute_migrations", {}))
        self.forget("attribute")

    def user(self, key: int) -> Mapping[str, Any]:
        """A user, with ids of roles and groups."""
        return dict(self._asked(lambda: self.client().read_row(f"/users/{key}")))

    def me(self) -> Mapping[str, Any]:
        """Whose token it is."""
        return dict(self._asked(lambda: self.client().read_row("/users/me")))

    def change_user(self, key: int, data: Mapping[str, Any]) -> None:
        """Change a user's roles or groups."""
        self._asked(lambda: self.client().write("PUT", f"/users/{key}", data))

    def forget(self, kind: str = "") -> None:
        """Read this list, or all of them, again when it is next needed."""
        if kind:
            self._lists.pop(kind, None)
        else:
            self._lists.clear()

    def _named(self, kind: str) -> dict[str, Mapping[str, Any]]:
        if kind not in self._lists:
            self._lists[kind] = {_name(KINDS[kind], row): row for row in reversed(self._rows(KINDS[kind].route))}
        return self._lists[kind]

    def _rows(self, route: str) -> list[Mapping[str, Any]]:
        """A whole list. The first page is asked for in the plainest form; lists that know no pages answer the second as the first."""
        rows: dict[int, Mapping[str, Any]] = {}
        page = 1
        while True:
            params: dict[str, str | int] | None = None if page == 1 else {"page": page, "per_page": _PAGE}
            found = self._asked(lambda params=params: self.client().read_rows(route, params))  # type: ignore[misc]
            fresh = {int(row["id"]): row for row in found if int(row["id"]) not in rows}
            rows |= fresh
            if len(found) < _PAGE or not fresh:
                return list(rows.values())
            page += 1

    def _asked(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except CredentialsRejected as problem:
            raise CredentialsRejected(NEEDS, detail=problem.detail) from None
        except RemoteRejected as problem:
            if problem.detail.startswith("403"):
                raise CredentialsRejected(NEEDS, detail=problem.detail) from None
            raise


def _name(kind: Kind, row: Mapping[str, Any]) -> str:
    return ".".join(str(row.get(part, "")) for part in kind.named_by)
