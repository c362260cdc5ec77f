"""What Crossdesk wants to stand in a Zammad, read from `objects.json`, and how each kind of object is reached by the API.

`objects.json` holds one entry for each object. Texts in it that begin with a sign stand for something of the server or the settings:
`@role:NAME` is an id as text, `#role:NAME` the same as a number (Zammad's own forms differ from place to place, and a wrong one is taken
without a word and does nothing), `@webhook` and the like are settings. Facts: Zammad's admin documentation, and traffic of 6.2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of object. `named_by` are the fields that its name is made of."""

    route: str
    named_by: tuple[str, ...] = ("name",)
    can_be_off: bool = True
    """Whether it has a field `active`."""


KINDS: Mapping[str, Kind] = {
    "group": Kind(route="/groups"),
    "role": Kind(route="/roles"),
    "attribute": Kind(route="/object_manager_attributes", named_by=("object", "name")),
    "webhook": Kind(route="/webhooks"),
    "workflow": Kind(route="/core_workflows"),
    "trigger": Kind(route="/triggers"),
    "job": Kind(route="/jobs"),
    "macro": Kind(route="/macros"),
    "overview": Kind(route="/overviews"),
    "tag": Kind(route="/tag_list", can_be_off=False),
    "text module": Kind(route="/text_modules"),
    "calendar": Kind(route="/calendars", can_be_off=False),
    "sla": Kind(route="/slas", can_be_off=False),
    "application": Kind(route="/applications", can_be_off=False),
    "state": Kind(route="/ticket_states"),
}
ACCOUNT = "account"
"""The one step that is no object of its own: what the bridge's account must have."""
OUR_ROLE = "Crossdesk"
SECRETS = frozenset(("signature_token",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One object. `fields` are compared and kept as they are; `made_with` only matters when it is made."""

    kind: str
    name: str
    purpose: str
    fields: Mapping[str, Any]
    made_with: Mapping[str, Any] = field(default_factory=dict)
    is_optional: bool = False
    """A server that refuses it is none the worse: its form was not seen on a real server of every version."""
    since: Version = ()

    @property
    def key(self) -> str:
        """`kind/name`."""
        return f"{self.kind}/{self.name}"

    @property
    def needs_restart(self) -> bool:
        """Attributes add columns to the database; from 6.5 on Zammad restarts itself for that."""
        return self.kind == "attribute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the settings decide. `sla_minutes` None: no service level is made."""

    group: str
    webhook: str
    webhook_token: str = field(repr=False)
    panel: str
    sla_minutes: int | None = None


def version_of(text: str) -> Version:
    """`6.2.0` as numbers; empty where it is none."""
    parts = text.partition("-")[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


def wanted(given: Given, version: Version) -> Iterator[Wanted]:
    """Everything that is wanted on a server of this version, in the order in which it is made, also what is too new for it."""
    settings: dict[str, Any] = {
        "@group": given.group,
        "@webhook": given.webhook,
        "@webhook_token": given.webhook_token,
        "@first_response_minutes": given.sla_minutes,
        "@callbacks": f"{given.panel}/callback\n{given.panel.rpartition('/panel/')[0]}/console/sign-in/callback",
    }
    for entry in json.loads(files(__package__).joinpath("objects.json").read_text(encoding="utf-8")):
        if entry.get("asked") == "sla" and given.sla_minutes is None:
            continue
        since = {name: version_of(first) for name, first in entry.get("fields_since", {}).items()}
        fields = {name: value for name, value in entry["wanted"].items() if version >= since.get(name, ())}
        yield Wanted(
            kind=entry["kind"],
            name=settings.get(entry["name"], entry["name"]),
            purpose=entry["purpose"],
            fields=_filled(fields, settings, given.panel),
            made_with=_filled(entry.get("made_with", {}), settings, given.panel),
            is_optional=bool(entry.get("optional")),
            since=version_of(entry["since"]) if "since" in entry else (),
        )


def _filled(value: Any, settings: Mapping[str, Any], panel: str) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, settings, panel) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, settings, panel) for item in value]
    if isinstance(value, str) and value.startswith("@"):
        return panel + value.removeprefix("@panel") if value.startswith("@panel/") else settings.get(value, value)
    if isinstance(value, str) and value == "#group":
        return f"#group:{settings['@group']}"
    return value
